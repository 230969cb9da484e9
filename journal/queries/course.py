"""The course of own results: plan by plan, and day by day."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from journal import statistics
from journal.queries.results import Outcome, outcomes

if TYPE_CHECKING:
    from collections.abc import Sequence

_ALIVE: Final = frozenset({"armed", "open"})


@dataclass(frozen=True, slots=True)
class Course:
    """Closed plans in the order in which they ended, with running sums of worst and best courses [R].

    shape: None below ten plans, like streaks; fan: None below thirty.
    """

    closed: tuple[Outcome, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    gate: statistics.Gate
    shape: statistics.Shape | None
    streaks: statistics.Streaks | None
    fan: statistics.Fan | None


@dataclass(slots=True)
class Day:
    """What ended on a day (UTC): every plan, and the sums of those that closed with a result [R]."""

    date: dt.date
    ended: list[Outcome] = field(default_factory=list)

    @property
    def closed(self) -> list[Outcome]:
        """Plans with a result."""
        return [one for one in self.ended if one.low is not None]

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Worst and best sum; None where nothing closed."""
        found = self.closed
        return (_sum(found, "low"), _sum(found, "high")) if found else None


def course(*, owner_id: int) -> Course:
    """Return the course of the owner's closed plans."""
    closed = tuple(one for one in outcomes(owner_id=owner_id) if one.low is not None)
    row = [one.low or 0.0 for one in closed]
    return Course(
        closed=closed,
        low=_running(row),
        high=_running([one.high or 0.0 for one in closed]),
        gate=statistics.gate(len(closed)),
        shape=statistics.shape(row) if len(row) >= statistics.LEAST else None,
        streaks=statistics.streaks(row),
        fan=statistics.fan(row),
    )


def ended_by_day(*, owner_id: int, since: dt.date, until: dt.date) -> dict[dt.date, Day]:
    """Return the days in [since, until) on which a plan of the owner ended; a day without one is absent."""
    days: dict[dt.date, Day] = {}
    for one in outcomes(owner_id=owner_id):
        date = dt.date.fromordinal(one.day)
        if one.phase not in _ALIVE and since <= date < until:
            days.setdefault(date, Day(date)).ended.append(one)
    return days


def _running(row: Sequence[float]) -> tuple[float, ...]:
    sums, total = [], 0.0
    for one in row:
        total += one
        sums.append(total)
    return tuple(sums)


def _sum(found: Sequence[Outcome], name: str) -> float:
    return float(sum(getattr(one, name) for one in found))
