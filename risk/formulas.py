"""What a position would cost: pure Decimal arithmetic, no rounding before the last step.

Side is +1 for a long, -1 for a short. Prices are quote per base, rates and fees fractions. Bad input is refused
with a ValueError whose sentence says what to change. What no plan uses yet is for the calculators, the next pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal, localcontext
from functools import wraps
from typing import TYPE_CHECKING, Final, Literal, ParamSpec, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Side: TypeAlias = Literal[1, -1]
Direction: TypeAlias = Literal["up", "down", "nearest"]
_P = ParamSpec("_P")
_R = TypeVar("_R")

ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)
# Twice what any venue states; sums and products of stated values stay exact.
_WIDE: Final = Context(prec=60)
_LARGEST: Final = Decimal("1e15")
_SMALLEST: Final = Decimal("1e-15")
_BRACKET_ROUNDS: Final = 10
_ROUNDING: Final = {"up": ROUND_CEILING, "down": ROUND_FLOOR, "nearest": ROUND_HALF_EVEN}


@dataclass(frozen=True, slots=True)
class Costs:
    """Fees at entry and exit and slippage of the stop [fraction]; funding paid by the holder [quote per base]."""

    entry_fee: Decimal = ZERO
    exit_fee: Decimal = ZERO
    slippage: Decimal = ZERO
    funding: Decimal = ZERO

    def __post_init__(self) -> None:
        """Refuse rates that are no fractions; a maker rebate is a negative fee."""
        for name in ("entry_fee", "exit_fee", "slippage"):
            value = getattr(self, name)
            if not value.is_finite() or abs(value) >= ONE:
                raise ValueError(f"Give {name} as a fraction below 1, like 0.0005 for 0.05 %.")
        if self.slippage < ZERO:
            raise ValueError("Slippage makes a stop worse, so it can not be negative.")
        if not self.funding.is_finite() or abs(self.funding) > _LARGEST:
            raise ValueError("Give funding as a finite amount per unit of base.")


FREE: Final = Costs()


@dataclass(frozen=True, slots=True)
class Size:
    """A quantity that loses ``risk`` at the stop; ``unused_share`` of the budget is lost to the step."""

    quantity: Decimal
    loss_per_unit: Decimal
    risk: Decimal
    unused_share: Decimal


@dataclass(frozen=True, slots=True)
class Reward:
    """Reward over risk before and after costs, and the share of wins at which either breaks even."""

    gross: Decimal
    gross_win_rate: Decimal
    net: Decimal
    net_win_rate: Decimal


@dataclass(frozen=True, slots=True)
class Bracket:
    """A venue's maintenance terms up to a notional ``cap`` (None: no end); ``deduction`` is in margin currency."""

    maintenance_rate: Decimal
    cap: Decimal | None = None
    deduction: Decimal = ZERO


def _wide(function: Callable[_P, _R]) -> Callable[_P, _R]:
    @wraps(function)
    def wrapped(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        with localcontext(_WIDE):
            return function(*args, **kwargs)

    return wrapped


def require_positive(**values: Decimal) -> None:
    """Refuse what is not a finite number above zero, before any arithmetic is done with it."""
    for name, value in values.items():
        if not value.is_finite() or not _SMALLEST <= value <= _LARGEST:
            raise ValueError(f"Give {name.replace('_', ' ')} as a number above 0.")


def require_order(*, side: Side, entry: Decimal, stop: Decimal, target: Decimal | None = None) -> None:
    """Refuse a stop or a target on the wrong side of the entry: s(E - X) > 0 and s(T - E) > 0."""
    require_positive(entry=entry, stop=stop)
    word, beyond, other = ("long", "below", "above") if side > 0 else ("short", "above", "below")
    if side * (entry - stop) <= 0:
        raise ValueError(f"The invalidation of a {word} plan lies {beyond} its entry. Change one of them.")
    if target is not None:
        require_positive(target=target)
        if side * (target - entry) <= 0:
            raise ValueError(f"The target of a {word} plan lies {other} its entry. Change one of them.")


@_wide
def loss_per_unit(*, side: Side, entry: Decimal, stop: Decimal, costs: Costs = FREE) -> Decimal:
    """Return what one unit of base loses at the stop [quote], costs included; funding received does not help.

    X' = X (1 - s slippage);  loss = s (E - X') + fee_in E + fee_out X' + max(0, funding).
    """
    require_order(side=side, entry=entry, stop=stop)
    filled = stop * (1 - side * costs.slippage)
    fees = costs.entry_fee * entry + costs.exit_fee * filled
    return _real_loss(side * (entry - filled) + fees + max(ZERO, costs.funding))


@_wide
def size_by_stop(  # noqa: PLR0913  # a position has this many terms, each by name
    *,
    side: Side,
    entry: Decimal,
    stop: Decimal,
    budget: Decimal,
    step: Decimal,
    costs: Costs = FREE,
    smallest: Decimal = ZERO,
) -> Size:
    """Return the largest multiple of ``step`` [base] whose loss at the stop stays within ``budget`` [quote]."""
    require_positive(budget=budget, step=step)
    return _size(budget, step, loss_per_unit(side=side, entry=entry, stop=stop, costs=costs), smallest)


@_wide
def size_by_stop_inverse(  # noqa: PLR0913  # a position has this many terms, each by name
    *, side: Side, entry: Decimal, stop: Decimal, budget: Decimal, contract_usd: Decimal, costs: Costs = FREE
) -> Size:
    """Return the number of coin-margined contracts whose loss at the stop stays within ``budget`` [coin].

    loss = C (s (1/X' - 1/E) + fee_in / E + fee_out / X'). A budget in USD is worth budget / X' at the stop.
    """
    require_positive(budget=budget, contract_usd=contract_usd)
    require_order(side=side, entry=entry, stop=stop)
    filled = stop * (1 - side * costs.slippage)
    loss = side * (1 / filled - 1 / entry) + costs.entry_fee / entry + costs.exit_fee / filled
    return _size(budget, ONE, contract_usd * _real_loss(loss), ONE)


def _real_loss(loss: Decimal) -> Decimal:
    if loss <= 0:
        raise ValueError("The rebates are larger than the loss at the stop. Move the stop or correct the fees.")
    return loss


def _size(budget: Decimal, step: Decimal, loss: Decimal, smallest: Decimal) -> Size:
    steps = (budget / (loss * step)).to_integral_value(rounding=ROUND_FLOOR)
    quantity = steps * step
    least = max(smallest, step)
    if quantity < least:
        share = (least * loss / budget * 100).quantize(Decimal("0.1"), rounding=ROUND_CEILING)
        raise ValueError(
            f"The smallest tradable size risks {share} % of the budget. Raise the budget or bring the stop nearer."
        )
    risk = quantity * loss
    return Size(quantity=quantity, loss_per_unit=loss, risk=risk, unused_share=1 - risk / budget)


@_wide
def reward_to_risk(*, side: Side, entry: Decimal, stop: Decimal, target: Decimal, costs: Costs = FREE) -> Reward:
    """Return reward over risk and the required win-rate p = loss / (win + loss), gross and net of costs.

    win = s (T - E) - fee_in E - fee_out T - funding.
    """
    require_order(side=side, entry=entry, stop=stop, target=target)
    loss = loss_per_unit(side=side, entry=entry, stop=stop, costs=costs)
    win = side * (target - entry) - costs.entry_fee * entry - costs.exit_fee * target - costs.funding
    if win <= 0:
        raise ValueError("The target does not cover the costs. Move it further from the entry.")
    gross_win, gross_loss = side * (target - entry), side * (entry - stop)
    return Reward(
        gross=gross_win / gross_loss,
        gross_win_rate=gross_loss / (gross_win + gross_loss),
        net=win / loss,
        net_win_rate=loss / (win + loss),
    )


@_wide
def break_even(*, side: Side, entry: Decimal, costs: Costs) -> Decimal:
    """Return the exit price that pays for fees and funding: (E (1 + s fee_in) + s funding) / (1 - s fee_out)."""
    require_positive(entry=entry)
    return (entry * (1 + side * costs.entry_fee) + side * costs.funding) / (1 - side * costs.exit_fee)


@_wide
def max_leverage(
    *, side: Side, entry: Decimal, stop: Decimal, maintenance_rate: Decimal, buffer: Decimal
) -> int | None:
    """Return the largest whole leverage whose liquidation price stays ``buffer`` beyond the stop; None = any."""
    require_order(side=side, entry=entry, stop=stop)
    room = side * (1 - stop * (1 - side * buffer) * (1 - side * maintenance_rate) / entry)
    return None if room <= 0 else int((1 / room).to_integral_value(rounding=ROUND_FLOOR))


@_wide
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


@_wide
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


@_wide
def snap(*, price: Decimal, tick: Decimal, to: Direction) -> Decimal:
    """Return the multiple of ``tick`` at or next to ``price``."""
    require_positive(price=price, tick=tick)
    return (price / tick).to_integral_value(rounding=_ROUNDING[to]) * tick
