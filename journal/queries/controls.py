"""Closed plans beside the same plans at random moments: the difference, and what the null would give."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from journal import statistics
from journal.models import Judgement
from journal.statistics import Gate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journal.queries.results import Outcome

# Moments are drawn from so long before and after the arming; until then a plan waits.
AROUND: Final = dt.timedelta(days=14)
# A replayed mean of fewer entered replays than this says too little of one plan.
LEAST_ENTERED: Final = 20


@dataclass(frozen=True, slots=True)
class Controls:
    """What random entry would have given.

    count: plans that are compared; waiting: whose weeks are not over, or that are not drawn yet; without: that can not
    be compared; found: None below ten.
    """

    count: int
    waiting: int
    without: int
    gate: Gate
    found: statistics.Control | None


def control_due(*, instrument_ids: Sequence[int], now: dt.datetime) -> set[int]:
    """Return the instruments of which a closed plan waits for its control."""
    judged = Judgement.objects.judged(instrument_ids)
    return {pk for pk in judged if Judgement.objects.uncontrolled(pk, now - AROUND).exists()}


def read_control(judgement: Judgement) -> tuple[float, float] | None:
    """Return mean and standard deviation [R] of a plan's replays; None where they are too few, or not drawn."""
    drawn = judgement.control or {}
    if drawn.get("entered", 0) < LEAST_ENTERED:
        return None
    return drawn["mean"], drawn["spread"]


def compare_with_chance(closed: Sequence[Outcome]) -> Controls:
    """Return closed plans, each on its worst course, beside their replays, which are judged in the same way."""
    pairs = [(one, one.control) for one in closed if one.control is not None]
    waiting = sum(not one.is_drawn for one in closed)
    passed = statistics.gate(len(pairs))
    found = None
    if passed is not Gate.COUNTS:
        own = [one.low or 0.0 for one, _ in pairs]
        found = statistics.control(own, [drawn for _, drawn in pairs], days=[one.day for one, _ in pairs])
    return Controls(len(pairs), waiting, len(closed) - len(pairs) - waiting, passed, found)
