"""Zones: clusters that stand out of a slice of the map, and the same cluster recognised from slice to slice.

Everything here depends on columns up to now alone and on no counter that a restart would lose.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .grid import Floats

SLICE_MS: Final = 3_600_000
# Smoothing [bins], how far a peak must stand above its higher saddle, and how far from the price to look [ln].
SIGMA: Final = 3.0
CONTRAST: Final = 1.15
REACH: Final = 0.15
# A peak below this share of its side's highest is not worth a name.
LEAST_PEAK: Final = 0.25
OVERLAP: Final = 0.2
# No zone forms while less than this share of open interest is on the map.
ALLOCATED: Final = 0.9
MISSING_LIMIT: Final = 6
FADE: Final = 0.5

# As they are frozen with an estimator's parameters: another value makes other zones.
PARAMETERS: Final = {
    "slice_ms": SLICE_MS,
    "sigma_bins": SIGMA,
    "contrast": CONTRAST,
    "reach": REACH,
    "least_peak": LEAST_PEAK,
    "overlap": OVERLAP,
    "allocated": ALLOCATED,
    "missing_limit": MISSING_LIMIT,
    "fade": FADE,
}


class Ending(Enum):
    """Why a zone is no longer there."""

    SWEPT = "swept"
    FADED = "faded"


@dataclass(frozen=True, slots=True)
class Cluster:
    """Bins [low, high) around ``peak`` on one side (+1 longs, -1 shorts) and what they hold [USD]."""

    side: int
    low: int
    high: int
    peak: int
    usd: float


@dataclass(frozen=True, slots=True)
class Column:
    """One column: usd float64[n] per bin from ``first_bin`` up [USD]; the step's prices as bin coordinates [bins].

    allocated: share of open interest that is on the map; is_partial: part of what should be on it is missing, so that
    nothing ends for being small.
    """

    end_ms: int
    first_bin: int
    usd: Floats
    low: float
    high: float
    close: float
    allocated: float = 1.0
    is_partial: bool = False

    def between(self, low: int, high: int) -> float:
        """What lies in bins [low, high) [USD]."""
        start, stop = max(low - self.first_bin, 0), max(high - self.first_bin, 0)
        return float(self.usd[start:stop].sum())


@dataclass(slots=True)
class Tracked:
    """A zone as it is followed: its band as last seen, what the band holds now and held at most [USD]; times in ms.

    ``key`` is the caller's name for it.
    """

    cluster: Cluster
    usd: float
    born_ms: int
    seen_ms: int
    usd_peak: float
    tested_ms: int | None = None
    missing: int = 0
    ending: Ending | None = None
    ended_ms: int | None = None
    key: int | None = None


@dataclass(slots=True)
class Tracker:
    """The zones alive, and the slice an hour before, whose clusters confirm new ones."""

    width: float
    alive: list[Tracked] = field(default_factory=list)
    before: tuple[Cluster, ...] = ()
    before_ms: int = 0

    def step(self, column: Column) -> tuple[list[Tracked], list[Tracked]]:
        """Take in the next column; return (born, ended)."""
        for zone in self.alive:
            _refresh(zone, column)
        born = self._look(column) if column.end_ms % SLICE_MS == 0 else []
        ended = [zone for zone in self.alive if zone.ending]
        self.alive = [zone for zone in self.alive if not zone.ending] + born
        return born, ended

    def _look(self, column: Column) -> list[Tracked]:
        found = find_clusters(column, self.width)
        free = set(range(len(found)))
        living = [zone for zone in self.alive if not zone.ending]
        for zone, index in _matches(living, found):
            free.discard(index)
            _see(zone, found[index], column.end_ms)
        for zone in living if not column.is_partial else ():
            if zone.seen_ms != column.end_ms:
                _miss(zone, column.end_ms)
        known = self.before if self.before_ms == column.end_ms - SLICE_MS else ()
        born = [found[index] for index in sorted(free) if _meets(found[index], known)]
        if column.allocated < ALLOCATED:
            born = []
        held = [zone.cluster for zone in living if not zone.ending]
        born = [cluster for cluster in born if not _meets(cluster, held)]
        self.before, self.before_ms = found, column.end_ms
        return [Tracked(cluster, cluster.usd, column.end_ms, column.end_ms, cluster.usd) for cluster in born]


def find_clusters(column: Column, width: float) -> tuple[Cluster, ...]:
    """Clusters on both sides within REACH of the close, ascending by price.

    Smooth, cut into basins at the minima, merge the least prominent basin across its higher saddle until every peak
    stands CONTRAST above it (0-dimensional persistence); the core is where density is above half-way to the peak.
    """
    reach = int(REACH / width)
    split = int(np.ceil(column.close - 0.5))
    longs = _side(column, 1, split - reach, split)
    shorts = _side(column, -1, int(np.floor(column.close - 0.5)) + 1, split + reach)
    return (*longs, *shorts)


def smooth(values: Floats) -> Floats:
    """Gaussian of SIGMA bins; level ground stays level up to the ends."""
    radius = int(4 * SIGMA + 1)
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / SIGMA) ** 2)
    if len(values) < len(kernel):
        return values
    level: Floats = np.convolve(values, kernel, "same") / np.convolve(np.ones_like(values), kernel, "same")
    return level


def _side(column: Column, side: int, low: int, high: int) -> list[Cluster]:
    start = max(low - column.first_bin, 0)
    values = column.usd[start : max(high - column.first_bin, 0)]
    if len(values) == 0:
        return []
    level = smooth(values)
    first = column.first_bin + start
    return [
        Cluster(side, first + low, first + high, first + peak, float(values[low:high].sum()))
        for low, high, peak in _cores(level)
        if level[peak] >= LEAST_PEAK * level.max()
    ]


def _cores(level: Floats) -> list[tuple[int, int, int]]:
    slope = np.sign(np.diff(level))
    peaks: list[int] = (np.flatnonzero((slope[:-1] > 0) & (slope[1:] <= 0)) + 1).tolist()
    if not peaks:
        return []
    between = [start + int(np.argmin(level[start : stop + 1])) for start, stop in itertools.pairwise(peaks)]
    valleys = [0, *between, len(level) - 1]
    _merge(level.tolist(), peaks, valleys)
    # The ends are no saddles to merge over, but a slope that goes on beyond them is no cluster either.
    ground = [max(level[left], level[right]) for left, right in itertools.pairwise(valleys)]
    return [
        _core(level, valleys[i], peak, valleys[i + 1])
        for i, peak in enumerate(peaks)
        if level[peak] >= CONTRAST * ground[i]
    ]


def _merge(level: list[float], peaks: list[int], valleys: list[int]) -> None:
    """Drop in place the peak that stands out least, with its higher inner saddle, until all stand out."""
    while len(peaks) > 1:
        saddles = [max(_inner(level, valleys, i, len(peaks))) for i in range(len(peaks))]
        weakest = min(range(len(peaks)), key=lambda i: level[peaks[i]] / max(saddles[i], 1e-300))
        if level[peaks[weakest]] >= CONTRAST * saddles[weakest]:
            return
        left, right = _inner(level, valleys, weakest, len(peaks))
        saddle = weakest if left >= right else weakest + 1
        # Of the two peaks at that saddle the lower one goes.
        lower = min((saddle - 1, saddle), key=lambda i: level[peaks[i]])
        del peaks[lower], valleys[saddle]


def _inner(level: list[float], valleys: list[int], index: int, count: int) -> tuple[float, float]:
    """Heights of the saddles on both sides of a peak; the ends of the range are no saddles."""
    left = level[valleys[index]] if index else 0.0
    right = level[valleys[index + 1]] if index < count - 1 else 0.0
    return left, right


def _core(level: Floats, left: int, peak: int, right: int) -> tuple[int, int, int]:
    saddle = max(float(level[left]), float(level[right]))
    half = saddle + 0.5 * (float(level[peak]) - saddle)
    low = high = peak
    while low > left and level[low - 1] >= half:
        low -= 1
    while high < right and level[high + 1] >= half:
        high += 1
    return low, high + 1, peak


def _meets(one: Cluster, others: Sequence[Cluster]) -> bool:
    return any(_overlap(one, other) > OVERLAP for other in others)


def _overlap(one: Cluster, other: Cluster) -> float:
    """Shared bins as a share of the narrower; 0 for different sides."""
    shared = min(one.high, other.high) - max(one.low, other.low)
    if one.side != other.side or shared <= 0:
        return 0.0
    return shared / min(one.high - one.low, other.high - other.low)


def _matches(zones: Sequence[Tracked], found: Sequence[Cluster]) -> list[tuple[Tracked, int]]:
    """Pair zones with clusters, best overlap first, then the larger zone, then the older: no tie is left to chance."""
    pairs = [
        (-_overlap(zone.cluster, cluster), -zone.usd, zone.born_ms, zone.cluster.low, place, index)
        for place, zone in enumerate(zones)
        for index, cluster in enumerate(found)
        if _overlap(zone.cluster, cluster) > OVERLAP
    ]
    taken_zones: set[int] = set()
    taken: set[int] = set()
    matched = []
    for *_, place, index in sorted(pairs):
        if place not in taken_zones and index not in taken:
            taken_zones.add(place)
            taken.add(index)
            matched.append((zones[place], index))
    return matched


def _see(zone: Tracked, cluster: Cluster, at_ms: int) -> None:
    zone.seen_ms, zone.missing = at_ms, 0
    # Once price is in the band it eats the cluster from one side; following what is left would hide the sweep.
    if zone.tested_ms is None:
        zone.cluster, zone.usd = cluster, cluster.usd
        zone.usd_peak = max(zone.usd_peak, zone.usd)


def _miss(zone: Tracked, at_ms: int) -> None:
    zone.missing += 1
    if zone.missing >= MISSING_LIMIT:
        zone.ending, zone.ended_ms = Ending.FADED, at_ms


def _refresh(zone: Tracked, column: Column) -> None:
    """Follow what the band holds; it ends when price has traded through it or too little is left."""
    held = zone.cluster
    if held.side == 1:
        is_touched, is_through = column.low <= held.high - 0.5, column.low <= held.low + 0.5
    else:
        is_touched, is_through = column.high >= held.low + 0.5, column.high >= held.high - 0.5
    zone.usd = column.between(held.low, held.high)
    zone.usd_peak = max(zone.usd_peak, zone.usd)
    if is_touched and zone.tested_ms is None:
        zone.tested_ms = column.end_ms
    is_small = zone.usd < FADE * zone.usd_peak and not column.is_partial
    if is_through or is_small:
        # What vanished while price traded inside the band was swept; what vanished without it was closed.
        zone.ending = Ending.SWEPT if is_touched else Ending.FADED
        zone.ended_ms = column.end_ms
