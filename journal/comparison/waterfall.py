"""From what the plan made to what the trader made, in five values and the four steps between them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from journal.verdict import Branch, Kind, Phase, State
from risk.formulas import exact

from .trades import ZERO

if TYPE_CHECKING:
    from journal.verdict import Terms

    from .trades import Trade

MINUTE_MS = 60_000
# Values are rounded here before they are subtracted, so that the steps add up to the last digit.
GRAIN = Decimal("1e-12")


@dataclass(frozen=True, slots=True)
class Waterfall:
    """model + entry + size + management + costs = actual, exactly [R].

    model: the locked plan; entry: own entry price and time; size: own size; management: own exits; costs: own fees
    and funding instead of the planned ones.
    """

    model: Decimal
    entry: Decimal
    size: Decimal
    management: Decimal
    costs: Decimal
    actual: Decimal


@exact
def entered_at(terms: Terms, *, price: Decimal, at_ms: int, step_ms: int = MINUTE_MS) -> State:
    """Return the plan as if it had been entered at another price and time; ``judge`` takes its exits from there.

    Exits count from the first whole bar of ``step_ms`` after the entry, as they do after arming.
    """
    fee = terms.costs.entry_fee if terms.kind is Kind.LIMIT else terms.costs.exit_fee
    opened = Branch("", Phase.OPEN, terms.turned.stop, entry=terms.side * price, made=-fee * price, opened_ms=at_ms)
    return State((opened,), through_ms=-(-at_ms // step_ms) * step_ms)


@exact
def waterfall(  # noqa: PLR0913  # the values, each by name
    terms: Terms, trade: Trade, *, planned_size: Decimal, model: Decimal, entered: Decimal, funding: Decimal = ZERO
) -> Waterfall:
    """Part what a closed trade made against what its plan made.

    planned_size: of the locked plan [base]; model: what it made on its worst course; entered: what it made when
    entered as the trader did (``entered_at``) [R]; funding: paid by the trader [quote], below 0 when received.
    Raises ValueError for a trade that is still open or a plan without size.
    """
    if not trade.is_closed:
        raise ValueError("The trade is still open: it can be compared once it is closed.")
    if planned_size <= 0:
        raise ValueError("The plan has no size to compare with.")
    unit = terms.unit * planned_size
    taken = sum((one.price * one.quantity for one in trade.closes), ZERO)
    planned_costs = _entry_fee(terms) * trade.entry * trade.size + terms.costs.exit_fee * taken
    values = [
        value.quantize(GRAIN)
        for value in (
            model,
            entered,
            entered * trade.size / planned_size,
            (trade.gross - planned_costs) / unit,
            (trade.gross - trade.fees - funding) / unit,
        )
    ]
    entry, size, management, costs = (after - before for before, after in pairwise(values))
    return Waterfall(values[0], entry, size, management, costs, values[-1])


@exact
def result_of_fill(terms: Terms, trade: Trade, *, funding: Decimal = ZERO) -> Decimal | None:
    """Return what a trade made in units of what it risked itself at the planned stop [R]; None where that is nothing.

    risked: the distance from its own entry to the stop, with its own fees.
    """
    risked = terms.side * (trade.entry - terms.stop) * trade.size + trade.fees
    return (trade.gross - trade.fees - funding) / risked if trade.is_closed and risked > 0 else None


def _entry_fee(terms: Terms) -> Decimal:
    return terms.costs.entry_fee if terms.kind is Kind.LIMIT else terms.costs.exit_fee
