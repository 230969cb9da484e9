"""What happened to one contract, in whole ticks and lots: the same for every venue that lists it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from tests.double.units import Unit

if TYPE_CHECKING:
    from collections.abc import Callable

MINUTE: Final = 60_000
FIVE_MINUTES: Final = 5 * MINUTE
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
DAYS_KEPT: Final = 3

Records: TypeAlias = npt.NDArray[np.void]
# Prices in ticks (marks in hundredths of a tick), volumes in lots, value in ticks times lots.
BARS: Final = np.dtype([
    (name, np.int64) for name in ("time", "open", "high", "low", "close", "volume", "taker", "value")
])  # fmt: skip
INTEREST: Final = np.dtype([("time", np.int64), ("amount", np.int64), ("usd", np.int64)])
# side is the side of the position that was closed: +1 long, -1 short.
PRINTS: Final = np.dtype([("time", np.int64), ("side", np.int64), ("price", np.int64), ("size", np.int64)])
MARK_PARTS: Final = 100
CENT: Final = Unit.of("0.00000001")  # step of values in USD and of rates


@dataclass(frozen=True, slots=True)
class Terms:
    """A contract's names and steps; ``amount`` is the step of open interest [base]."""

    base: str
    tick: Unit
    lot: Unit
    amount: Unit
    funding_hours: int = 8

    @property
    def mark_tick(self) -> Unit:
        """Step of mark prices."""
        return Unit.of(self.tick.step / MARK_PARTS)


@dataclass(frozen=True, slots=True)
class Day:
    """One UTC day of a tape."""

    bars: Records
    interest: Records
    prints: Records


class Tape:
    """Days made on demand by ``make`` and kept for a while; ``first_ms`` <= time < ``end_ms``."""

    def __init__(self, *, terms: Terms, first_ms: int, end_ms: int, make: Callable[[int], Day]) -> None:
        self.terms, self.first_ms, self.end_ms = terms, first_ms, end_ms
        self._make = make
        self._days: OrderedDict[int, Day] = OrderedDict()
        self._lock = threading.Lock()  # the venues answer in their own thread

    def day(self, index: int) -> Day:
        """Return the day ``index`` days after the epoch."""
        with self._lock:
            if index not in self._days:
                self._days[index] = self._make(index)
                while len(self._days) > DAYS_KEPT:
                    self._days.popitem(last=False)
            return self._days[index]

    def rows(self, series: str, since: int, until: int) -> Records:
        """Return one series (marks, or a field of Day), ``since <= time < until``."""
        if series == "marks":
            return marks_of(self.rows("bars", since, until))
        since, until = max(since, self.first_ms), min(until, self.end_ms)
        days = range(since // DAY, -(-until // DAY)) if since < until else range(0)
        found = [between(getattr(self.day(index), series), since, until) for index in days]
        kind = {"interest": INTEREST, "prints": PRINTS}.get(series, BARS)
        return np.concatenate(found) if found else np.empty(0, kind)

    def rate(self, time: int) -> tuple[int, int]:
        """Return when the funding due at ``time`` was stamped [ms], and its rate in 1e-8 per interval."""
        return time, int(noise(len(self.terms.base) * 31 + time // HOUR) * 4e4) - 10_000


def between(rows: Records, since: int, until: int) -> Records:
    """Return the rows with ``since <= time < until`` of rows that ascend in time."""
    low, high = np.searchsorted(rows["time"], [since, until])
    return rows[low:high]


def noise(number: int) -> float:
    """Return a fixed number in [0, 1) for each integer."""
    mixed = (number * 0x9E3779B97F4A7C15 + 0x7F4A7C15) & 0xFFFFFFFFFFFFFFFF
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return float((mixed ^ (mixed >> 31)) >> 11) / float(1 << 53)


def values(bars: Records) -> npt.NDArray[np.int64]:
    """Return quote volumes: each bar's volume at the mean of its four prices, rounded down to a tick."""
    mean = (bars["open"] + bars["high"] + bars["low"] + bars["close"]) // 4
    return np.asarray(mean * bars["volume"], np.int64)


def aggregate(bars: Records, minutes: int) -> Records:
    """Join one-minute bars that ascend into longer ones, aligned to the epoch; the last may be unfinished."""
    if minutes == 1 or not len(bars):
        return bars
    slots = bars["time"] // (minutes * MINUTE)
    starts = np.flatnonzero(np.concatenate(([True], np.diff(slots) != 0)))
    ends = np.concatenate((starts[1:], [len(bars)])) - 1
    joined = np.empty(len(starts), BARS)
    joined["time"] = slots[starts] * minutes * MINUTE
    joined["open"], joined["close"] = bars["open"][starts], bars["close"][ends]
    joined["high"] = np.maximum.reduceat(bars["high"], starts)
    joined["low"] = np.minimum.reduceat(bars["low"], starts)
    for name in ("volume", "taker", "value"):
        joined[name] = np.add.reduceat(bars[name], starts)
    return joined


def unfinished(bar: Records, part: float) -> Records:
    """Return the bar (one row) as it stands when ``part`` of its minute has gone by."""
    row = bar.copy()
    opened = bar["open"]
    row["close"] = opened + ((bar["close"] - opened) * part).astype(np.int64)
    row["high"] = np.maximum(
        np.maximum(opened, row["close"]), opened + ((bar["high"] - opened) * part).astype(np.int64)
    )
    row["low"] = np.minimum(np.minimum(opened, row["close"]), opened - ((opened - bar["low"]) * part).astype(np.int64))
    for name in ("volume", "taker"):
        row[name] = (bar[name] * part).astype(np.int64)
    row["value"] = values(row)
    return row


def marks_of(bars: Records) -> Records:
    """Return mark bars that keep within a tick and a half of the last prices."""
    marks = np.zeros(len(bars), BARS)
    marks["time"] = bars["time"]
    shift = (bars["time"] // MINUTE * 7919) % 301 - 150
    for name in ("open", "high", "low", "close"):
        marks[name] = bars[name] * MARK_PARTS + shift
    return marks
