"""Clusters: what stands out of one slice of the map."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .grid import Floats

# Smoothing [bins], how far a peak must stand above its higher saddle, and how far from the price to look [ln].
SIGMA: Final = 3.0
CONTRAST: Final = 1.15
REACH: Final = 0.15
# A peak below this share of its side's highest is not worth a name.
LEAST_PEAK: Final = 0.25
# What was found once is recognised by less, so that it does not come and go around a limit.
WEAK_CONTRAST: Final = 1.02
WEAK_REACH: Final = 0.2
WEAK_LEAST_PEAK: Final = 0.05
OVERLAP: Final = 0.2
# No zone forms while less than this share of open interest is on the map.
ALLOCATED: Final = 0.9

PARAMETERS: Final = {
    "sigma_bins": SIGMA,
    "contrast": CONTRAST,
    "reach": REACH,
    "least_peak": LEAST_PEAK,
    "weak": [WEAK_CONTRAST, WEAK_REACH, WEAK_LEAST_PEAK],
    "overlap": OVERLAP,
    "allocated": ALLOCATED,
}

_RADIUS: Final = int(4 * SIGMA + 1)
_KERNEL: Final = np.exp(-0.5 * (np.arange(-_RADIUS, _RADIUS + 1) / SIGMA) ** 2)


class Cluster(NamedTuple):
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
    nothing ends for being small; members: a bit for each member of a pair that is in; kept: the share of positions
    beyond the step's prices that stayed open, (longs, shorts); swept: how far all was swept, as bin coordinates, the
    step's prices unless given; wick: the share swept of what lies beyond that up to the step's prices.
    """

    end_ms: int
    first_bin: int
    usd: Floats
    low: float
    high: float
    close: float
    allocated: float = 1.0
    is_partial: bool = False
    members: int = 0
    kept: tuple[float, float] = (1.0, 1.0)
    swept: tuple[float, float] | None = None
    wick: float = 0.0
    # What lies below each bin: empty bins around it change no sum, so that it does not matter where a column begins.
    _below: Floats = field(init=False, repr=False, compare=False)
    # Swept whole were longs from this bin up and shorts below that one; prices touched them as far as the other two.
    longs_from: int = field(init=False, repr=False, compare=False)
    longs_touched: int = field(init=False, repr=False, compare=False)
    shorts_to: int = field(init=False, repr=False, compare=False)
    shorts_touched: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        low, high = self.swept or (self.low, self.high)
        known = {
            "_below": np.concatenate(([0.0], np.cumsum(self.usd))),
            "longs_from": math.ceil(low - 0.5),
            "longs_touched": math.ceil(self.low - 0.5),
            "shorts_to": math.floor(high - 0.5) + 1,
            "shorts_touched": math.floor(self.high - 0.5) + 1,
        }
        for name, value in known.items():
            object.__setattr__(self, name, value)

    def reaches(self, side: int, low: int, high: int) -> bool:
        """Whether the step swept or touched any of a side's bins [low, high)."""
        if side == 1:
            return self.longs_touched < high or self.longs_from < high
        return self.shorts_touched > low or self.shorts_to > low

    def between(self, low: int, high: int) -> float:
        """What lies in bins [low, high) [USD]."""
        low, high, below = low - self.first_bin, high - self.first_bin, self._below
        if low < 0 or high >= len(below):
            last = len(below) - 1
            low, high = min(max(low, 0), last), min(max(high, 0), last)
        return below.item(high) - below.item(low)


@dataclass(frozen=True, slots=True)
class Limits:
    """From when on something stands out: peak over saddle, distance from the price [ln], share of the highest peak."""

    contrast: float
    reach: float
    least_peak: float


STRONG: Final = Limits(CONTRAST, REACH, LEAST_PEAK)
WEAK: Final = Limits(WEAK_CONTRAST, WEAK_REACH, WEAK_LEAST_PEAK)


def find_clusters(column: Column, width: float) -> tuple[tuple[Cluster, ...], tuple[Cluster, ...]]:
    """Clusters on both sides, ascending by price: those that stand out by the STRONG limits, and by the WEAK ones.

    Smooth, cut into basins at the minima, merge the least prominent basin across its higher saddle until every peak
    stands out of it (0-dimensional persistence); the core is where density is above half-way to the peak.
    """
    reach = int(WEAK.reach / width)
    split = int(np.ceil(column.close - 0.5))
    longs = _side(column, 1, (split - reach, split), width)
    shorts = _side(column, -1, (int(np.floor(column.close - 0.5)) + 1, split + reach), width)
    return (*longs[0], *shorts[0]), (*longs[1], *shorts[1])


def smooth(values: Floats) -> Floats:
    """Gaussian of SIGMA bins; level ground stays level up to the ends."""
    if len(values) < len(_KERNEL):
        return values
    # Away from the ends the weights add up to all of the kernel.
    weight = np.full(len(values), _KERNEL.sum())
    inside = np.cumsum(_KERNEL)[len(_KERNEL) // 2 : -1]
    weight[: len(inside)] = inside
    weight[-len(inside) :] = inside[::-1]
    return np.asarray(np.convolve(values, _KERNEL, "same") / weight)


def _side(column: Column, side: int, span: tuple[int, int], width: float) -> tuple[list[Cluster], list[Cluster]]:
    start = max(span[0] - column.first_bin, 0)
    values = column.usd[start : max(span[1] - column.first_bin, 0)]
    if len(values) == 0:
        return [], []
    smoothed = smooth(values)
    basins, first = _Basins.of(smoothed), column.first_bin + start
    level, top = basins.level, max(basins.level)
    found: list[list[Cluster]] = []
    for limits in (WEAK, STRONG):
        basins.merge(limits.contrast)
        near = limits.reach / width
        found.append(
            [
                Cluster(side, first + low, first + high, first + peak, column.between(first + low, first + high))
                for low, high, peak in basins.cores(limits.contrast)
                if level[peak] >= limits.least_peak * top and abs(first + peak - column.close) <= near
            ]
        )
    return found[1], found[0]


@dataclass(slots=True)
class _Basins:
    """Peaks of level[n], ascending, each between two valleys; the outermost valleys are no saddles to merge over."""

    level: list[float]
    peaks: list[int]
    valleys: list[int]
    out: list[float]

    @classmethod
    def of(cls, level: Floats) -> _Basins:
        rises = level[1:] > level[:-1]
        peaks: list[int] = (np.flatnonzero(rises[:-1] & ~rises[1:]) + 1).tolist()
        basins = cls(level.tolist(), peaks, [], [])
        for start, stop in itertools.pairwise([0, *peaks, len(level) - 1]):
            between = basins.level[start : stop + 1]
            basins.valleys.append(start + between.index(min(between)))
        basins.out = [basins._stands_out(i) for i in range(len(peaks))]
        return basins

    def merge(self, contrast: float) -> None:
        """Drop the peak that stands out least, with its higher saddle, until all stand out."""
        while len(self.peaks) > 1:
            least = min(self.out)
            if least >= contrast:
                return
            weakest = self.out.index(least)
            left, right = self._saddles(weakest)
            saddle = weakest if left >= right else weakest + 1
            # Of the two peaks at that saddle the lower one goes.
            lower = min((saddle - 1, saddle), key=lambda i: self.level[self.peaks[i]])
            del self.peaks[lower], self.out[lower], self.valleys[saddle]
            self.out[saddle - 1] = self._stands_out(saddle - 1)

    def cores(self, contrast: float) -> list[tuple[int, int, int]]:
        """Bins [low, high) and the peak of what stands out: a slope that goes on beyond the range is no cluster."""
        spans = zip(self.peaks, itertools.pairwise(self.valleys), strict=True)
        ground = [(peak, span, max(self.level[span[0]], self.level[span[1]])) for peak, span in spans]
        return [
            _core(self.level, peak, span, saddle)
            for peak, span, saddle in ground
            if self.level[peak] >= contrast * saddle
        ]

    def _stands_out(self, index: int) -> float:
        return self.level[self.peaks[index]] / max(*self._saddles(index), 1e-300)

    def _saddles(self, index: int) -> tuple[float, float]:
        left = self.level[self.valleys[index]] if index else 0.0
        right = self.level[self.valleys[index + 1]] if index < len(self.peaks) - 1 else 0.0
        return left, right


def _core(level: Sequence[float], peak: int, span: tuple[int, int], saddle: float) -> tuple[int, int, int]:
    half = saddle + 0.5 * (level[peak] - saddle)
    low = high = peak
    while low > span[0] and level[low - 1] >= half:
        low -= 1
    while high < span[1] and level[high + 1] >= half:
        high += 1
    return low, high + 1, peak


def meets(one: Cluster, others: Sequence[Cluster]) -> bool:
    """Whether it lies over one of others."""
    low, high = one.low, one.high
    return any(other.low < high and low < other.high and overlap(one, other) > OVERLAP for other in others)


def overlap(one: Cluster, other: Cluster) -> float:
    """Shared bins as a share of the narrower; 0 for different sides."""
    if one.side != other.side or one.high <= other.low or other.high <= one.low:
        return 0.0
    shared = min(one.high, other.high) - max(one.low, other.low)
    return shared / min(one.high - one.low, other.high - other.low)
