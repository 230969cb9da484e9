"""How good stated chances were: Brier with Murphy's parts, reliability by ten bins, skill over a base rate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from heatmaps.core.grid import Floats, Ints

BINS: Final = 10
DRAWS: Final = 1000
_Z95: Final = 1.959964


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Bin:
    """Chances between two tenths: how many, what they said on average, and how often it came true."""

    count: int
    stated: float
    observed: Interval


@dataclass(frozen=True, slots=True)
class Murphy:
    """Brier = reliability - resolution + uncertainty + the spread within bins (Murphy 1973; the rest by difference)."""

    brier: float
    reliability: float
    resolution: float
    uncertainty: float

    @property
    def within(self) -> float:
        """What the grouping into bins leaves over."""
        return self.brier - (self.reliability - self.resolution + self.uncertainty)


def brier(chances: Floats, outcomes: Floats) -> float:
    """Mean squared distance of float64[n] chances from outcomes 0 or 1."""
    return float(np.mean((chances - outcomes) ** 2))


def wilson(hits: float, count: int) -> Interval:
    """Wilson's (1927) 95 % interval of a share of independent trials; the whole range where there are none."""
    if count == 0:
        return Interval(math.nan, 0.0, 1.0)
    share, slack = hits / count, _Z95**2 / count
    middle = (share + slack / 2.0) / (1.0 + slack)
    reach = _Z95 * math.sqrt(share * (1.0 - share) / count + slack / (4.0 * count)) / (1.0 + slack)
    return Interval(share, max(0.0, middle - reach), min(1.0, middle + reach))


def _binned(chances: Floats, outcomes: Floats) -> tuple[Ints, Floats, Floats]:
    """(count, sum of chances, sum of outcomes) by bin."""
    place = np.minimum((chances * BINS).astype(np.int64), BINS - 1)
    stated, hits = (np.bincount(place, values, BINS).astype(np.float64) for values in (chances, outcomes))
    return np.bincount(place, minlength=BINS).astype(np.int64), stated, hits


def reliability(chances: Floats, outcomes: Floats) -> list[Bin]:
    """Ten bins, with Wilson intervals: too narrow where outcomes overlap, which the caller knows."""
    counts, stated, hits = _binned(chances, outcomes)
    return [
        Bin(count, float(total / count) if count else math.nan, wilson(float(hit), count))
        for count, total, hit in zip(counts.tolist(), stated, hits, strict=True)
    ]


def calibration_error(chances: Floats, outcomes: Floats) -> float:
    """ECE: the mean distance of what was stated from what came, weighted by the counts of ten bins."""
    _, stated, hits = _binned(chances, outcomes)
    return float(np.abs(stated - hits).sum() / len(chances))


def murphy(chances: Floats, outcomes: Floats) -> Murphy:
    """The parts of the Brier score by ten bins."""
    counts, stated, hits = _binned(chances, outcomes)
    used = counts > 0
    weight, base = counts[used] / len(chances), float(outcomes.mean())
    said, came = stated[used] / counts[used], hits[used] / counts[used]
    return Murphy(
        brier=brier(chances, outcomes),
        reliability=float(weight @ (said - came) ** 2),
        resolution=float(weight @ (came - base) ** 2),
        uncertainty=base * (1.0 - base),
    )


def skill(chances: Floats, base: Floats, outcomes: Floats, *, days: Ints, seed: int = 1) -> Interval:
    """Brier skill over a base rate, 1 - B / B(base), with an interval from DRAWS resamples of whole days."""
    mine, others = (chances - outcomes) ** 2, (base - outcomes) ** 2
    place = np.unique(days, return_inverse=True)[1]
    sums = np.stack([np.bincount(place, weights=values) for values in (mine, others)])
    count = sums.shape[1]
    picked = np.random.default_rng(seed).integers(count, size=(DRAWS, count))
    mine_drawn, others_drawn = sums[:, picked].sum(axis=2)
    low, high = np.quantile(1.0 - mine_drawn / others_drawn, [0.025, 0.975])
    return Interval(1.0 - float(mine.sum() / others.sum()), float(low), float(high))
