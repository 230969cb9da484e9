"""Every way in which a bar may have gone.

Of a bar only four prices are known. Between them the price moved from level to level in steps that nobody saw: it began
at the open, was at the high and at the low, and ended at the close. All such ways are walked, level by level; courses
that end up the same are one. So an order of events that is certain comes out as one course, and an uncertain one as
several: nothing is assumed about which came first.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .branch import Branch, Touch, levels, react
from .terms import Event, Terms

if TYPE_CHECKING:
    from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar with turned prices; times in epoch milliseconds."""

    open_ms: int
    end_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal


Course = tuple[Branch, tuple[Event, ...]]


def walk(branch: Branch, terms: Terms, bar: Bar) -> list[Course]:
    """Return all courses that a branch may take through a bar, in a fixed order, each with its events."""
    places = sorted(
        {bar.open, bar.high, bar.low, bar.close} | {x for x in levels(branch, terms) if bar.low < x < bar.high}
    )
    last = len(places) - 1
    start = bisect_left(places, bar.open)
    goal = bisect_left(places, bar.close)
    first = react(branch, terms, Touch(bar.open, is_open=True, at_ms=bar.end_ms))
    queue = deque([(start, start == 0, start == last, *first)])
    seen = {queue[0][:4]}
    found: dict[Branch, tuple[Event, ...]] = {}
    while queue:
        place, has_low, has_high, course, events = queue.popleft()
        if course.phase.is_end or (place == goal and has_low and has_high):
            found.setdefault(course, events)
        if course.phase.is_end:  # whatever the rest of the bar did
            continue
        for beside in (place - 1, place + 1):
            if 0 <= beside <= last:
                after, more = react(course, terms, Touch(places[beside], is_open=False, at_ms=bar.end_ms))
                key = (beside, has_low or beside == 0, has_high or beside == last, after)
                if key not in seen:
                    seen.add(key)
                    queue.append((*key, events + more))
    return list(found.items())
