"""What the price path made of a plan, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from journal.pages.words import signed

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable
    from decimal import Decimal

    from journal.models import Judgement, PlanEvent

_KINDS: Final = {
    "early": "Entry touched before the confirmation",
    "confirmed": "Confirmed",
    "touched": "Entry touched, not traded through",
    "triggered": "Entered",
    "target": "Target reached",
    "stopped": "Invalidation reached: out",
    "liquidated": "Liquidated",
    "timed_out": "Time is over: out",
    "missed": "Missed",
    "invalidated": "Invalidated before an entry",
    "expired": "Expired without an entry",
    "void": "Not judged",
    "forked": "The order inside this bar is unknown: each is followed",
    "drilled": "The order inside this bar was looked up",
    "judged": "Verdict",
    "revised": "Bars were corrected; judged again",
}
PHASES: Final = {
    "armed": "waiting",
    "open": "open",
    "closed": "closed",
    "missed": "missed",
    "invalidated": "invalidated",
    "expired": "expired",
    "void": "void",
}
_ENTRIES: Final = {
    "limit": "Resting order at the entry",
    "stop": "Breakout at the entry",
    "confirmed": "At the market once confirmed",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened."""

    at: dt.datetime
    text: str
    price: str
    result: str
    branch: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where a plan stands on the price path. result: of the worst course; best: where it differs, of the best."""

    phase: str
    is_done: bool
    entry: str
    through_at: dt.datetime | None
    result: str
    best: str
    has_gap: bool
    lines: tuple[Line, ...] = ()


def describe_verdict(judgement: Judgement, events: list[PlanEvent], write_price: Callable[[Decimal], str]) -> Verdict:
    """Say where a judgement stands and what happened."""
    low, high = judgement.result_low, judgement.result_high
    return Verdict(
        phase=PHASES[judgement.phase],
        is_done=judgement.is_done,
        entry=_ENTRIES[judgement.terms["kind"]],
        through_at=judgement.through_at,
        result="" if low is None else write_result(low),
        best=write_result(high) if high is not None and high != low else "",
        has_gap=judgement.state["has_gap"],
        lines=tuple(_line(event, write_price) for event in events),
    )


def _line(event: PlanEvent, write_price: Callable[[Decimal], str]) -> Line:
    text = _KINDS[event.kind] + (f": {event.note}" if event.note else "")
    price = "" if event.price is None else write_price(event.price)
    return Line(event.at, text, price, "" if event.result is None else write_result(event.result), event.branch)


def write_result(result: Decimal) -> str:
    """Write a result in R with its sign and a true minus."""
    return f"{signed(result)} R"
