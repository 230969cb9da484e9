"""At which price an isolated position is liquidated, by the bracket that holds at that price."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .terms import ONE, ZERO, Bracket, Side, exact, require_positive

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from decimal import Decimal

_BRACKET_ROUNDS: Final = 10


@exact
def liquidation_price(  # noqa: PLR0913  # a position has this many terms, each by name
    *,
    side: Side,
    entry: Decimal,
    leverage: Decimal,
    brackets: Sequence[Bracket],
    quantity: Decimal = ONE,
    fee: Decimal = ZERO,
    extra_margin: Decimal = ZERO,
) -> Decimal | None:
    """Return the isolated liquidation price of a linear contract, maintenance on mark notional; None = never.

    LP = (s q E - M - D) / (q (s - m - fee)), M = q E / L + extra. The bracket is the one that holds at LP.
    """
    require_positive(entry=entry, leverage=leverage, quantity=quantity)
    notional = quantity * entry
    margin = notional / leverage + extra_margin

    def at(bracket: Bracket) -> Decimal:
        rate = bracket.maintenance_rate + fee
        return (side * notional - margin - bracket.deduction) / (quantity * (side - rate))

    _require_margin(notional=notional, margin=margin, bracket=_bracket(brackets, notional), fee=fee)
    price = _settle(at, brackets, notional=lambda price: quantity * price, start=notional)
    return price if price > 0 else None


@exact
def liquidation_price_inverse(  # noqa: PLR0913  # a position has this many terms, each by name
    *,
    side: Side,
    entry: Decimal,
    leverage: Decimal,
    notional: Decimal,
    brackets: Sequence[Bracket],
    fee: Decimal = ZERO,
    extra_margin: Decimal = ZERO,
) -> Decimal | None:
    """Return the isolated liquidation price of a coin-margined contract of ``notional`` USD; None = never.

    LP = N (1 + s (m + fee)) / (N / E + s (M + D)), M = N / (E L) + extra [coin]. Brackets are in coin.
    """
    require_positive(entry=entry, leverage=leverage, notional=notional)
    held = notional / entry
    margin = held / leverage + extra_margin

    def at(bracket: Bracket) -> Decimal:
        below = held + side * (margin + bracket.deduction)
        # A short whose margin is its whole notional owes nothing at any price.
        return notional * (1 + side * (bracket.maintenance_rate + fee)) / below if below > 0 else ZERO

    _require_margin(notional=held, margin=margin, bracket=_bracket(brackets, held), fee=fee)
    price = _settle(at, brackets, notional=lambda price: notional / price if price > 0 else held, start=held)
    return price if price > 0 else None


def _require_margin(*, notional: Decimal, margin: Decimal, bracket: Bracket, fee: Decimal) -> None:
    if margin <= notional * (bracket.maintenance_rate + fee) - bracket.deduction:
        raise ValueError("At this leverage the margin is below the maintenance margin. Lower the leverage.")


def _bracket(brackets: Sequence[Bracket], notional: Decimal) -> Bracket:
    fitting = (bracket for bracket in brackets if bracket.cap is None or notional <= bracket.cap)
    return next(fitting, brackets[-1])


def _settle(
    at: Callable[[Bracket], Decimal],
    brackets: Sequence[Bracket],
    *,
    notional: Callable[[Decimal], Decimal],
    start: Decimal,
) -> Decimal:
    bracket = _bracket(brackets, start)
    for _ in range(_BRACKET_ROUNDS):
        price = at(bracket)
        settled = _bracket(brackets, notional(price))
        if settled is bracket:
            return price
        bracket = settled
    return at(brackets[-1])
