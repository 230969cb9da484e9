"""How an entry kept to the plan in time and price."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from journal.verdict import Kind
from risk.formulas import exact

if TYPE_CHECKING:
    from journal.verdict import Terms

    from .trades import Trade

# A price that is met inside a bar is known by the bar's end only: a fill in that minute may be the trigger itself.
MINUTE_MS = 60_000
ON_PLAN, LATE = Decimal("0.1"), Decimal("0.25")  # of the planned distance to the stop


@dataclass(frozen=True, slots=True)
class Lateness:
    """How late an entry came, and what was left of the idea by then.

    delay_ms: after the trigger, None without one; chase: paid beyond the entry [planned R before costs]; move_used:
    share of the way to the first target that was gone; reward: distance to the first target over that to the stop,
    from the own entry, None beyond the stop; label: early, on plan, late or chased.
    """

    delay_ms: int | None
    chase: Decimal
    move_used: Decimal
    reward: Decimal | None
    label: str


@exact
def lateness(terms: Terms, trade: Trade, *, triggered_ms: int | None, least_reward: Decimal | None = None) -> Lateness:
    """Return how a trade's first entry lies to its plan's. least_reward: what the trader's own rule asks for."""
    first, s = trade.opens[0], terms.side
    away = s * (first.price - terms.entry)
    target = s * (terms.targets[0].price - terms.entry)
    room = s * (first.price - terms.stop)
    reward = (target - away) / room if room > 0 else None
    chase = away / abs(terms.entry - terms.stop)
    delay = None if triggered_ms is None else first.at_ms - triggered_ms
    poor = least_reward is not None and (reward is None or reward < least_reward)
    doubt = 0 if terms.kind is Kind.CONFIRMED else MINUTE_MS
    is_early = delay is None or delay + doubt < 0
    return Lateness(delay, chase, away / target, reward, "early" if is_early else _label(chase, poor=poor))


def _label(chase: Decimal, *, poor: bool) -> str:
    if poor or chase > LATE:
        return "chased"
    return "on plan" if abs(chase) <= ON_PLAN else "late"
