"""Intervals at 95 %: Wilson for proportions, BCa and t for means, resampled differences.

Results are in R. ``days`` groups results whose plans lived at the same time: they are drawn together, so that ten
plans of one afternoon do not count as ten looks at the market.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

Floats = npt.NDArray[np.float64]

NORMAL = NormalDist()
LEVEL = 0.95
TAIL = (1 - LEVEL) / 2
DRAWS = 10_000
LEAST, LEAST_DRAWN = 10, 20  # groups below which a mean has no interval, and a rough one


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % interval. method: wilson, bca, rough or expanded; count: independent groups behind it."""

    value: float
    low: float
    high: float
    method: str
    count: int


def wilson(hits: int, count: int) -> Interval | None:
    """Return a proportion with Wilson's interval (Wilson 1927); None without a case."""
    if not 0 <= hits <= count:
        raise ValueError(f"{hits} of {count} is no proportion.")
    if not count:
        return None
    z = NORMAL.inv_cdf(1 - TAIL)
    share, weight = hits / count, z * z / count
    middle = (share + weight / 2) / (1 + weight)
    reach = z / (1 + weight) * math.sqrt(share * (1 - share) / count + weight / count / 4)
    return Interval(share, max(0.0, middle - reach), min(1.0, middle + reach), "wilson", count)


def mean_interval(results: Sequence[float], *, days: Sequence[int] | None = None, seed: int = 1) -> Interval | None:
    """Return the mean with its interval; None below 10 groups.

    From 20 groups on the bias-corrected accelerated bootstrap of 10,000 seeded draws (Efron 1987), widened for the
    narrowness of small samples (Hesterberg 2015, section 3.3); from 10 to 19 Student's t, named rough.
    """
    sums, counts = _grouped(results, days)
    groups = len(sums)
    if groups < LEAST:
        return None
    value = float(sums.sum() / counts.sum())
    if groups < LEAST_DRAWN:
        reach = student(1 - TAIL, groups - 1) * _standard_error(sums, counts)
        return Interval(value, value - reach, value + reach, "rough", groups)
    low, high = np.quantile(_drawn_means(sums, counts, seed), _accelerated(sums, counts, seed))
    return Interval(value, float(low), float(high), "bca", groups)


def difference_interval(first: Sequence[float], second: Sequence[float], *, seed: int = 1) -> Interval | None:
    """Return mean(first) - mean(second) of results that are not paired; None below 10 of either.

    Paired results have less noise: give their differences to ``mean_interval``.
    """
    count = min(len(first), len(second))
    if count < LEAST:
        return None
    drawn = [_drawn_means(*_grouped(part, None), seed + place) for place, part in enumerate((first, second))]
    low, high = np.quantile(drawn[0] - drawn[1], expanded(count))
    return Interval(float(np.mean(first) - np.mean(second)), float(low), float(high), "expanded", count)


def expanded(count: int) -> tuple[float, float]:
    """Return the quantiles of a bootstrap that make 95 % of ``count`` results (Hesterberg 2015, section 3.3)."""
    tail = NORMAL.cdf(-math.sqrt(count / (count - 1)) * student(1 - TAIL, count - 1))
    return tail, 1 - tail


def student(share: float, freedom: int) -> float:
    """Return Student's quantile by the expansion in 1/freedom (Abramowitz and Stegun 26.7.5); 1e-3 from 5 on."""
    x = NORMAL.inv_cdf(share)
    terms: tuple[float, ...] = (
        (x**3 + x) / 4,
        (5 * x**5 + 16 * x**3 + 3 * x) / 96,
        (3 * x**7 + 19 * x**5 + 17 * x**3 - 15 * x) / 384,
        (79 * x**9 + 776 * x**7 + 1482 * x**5 - 1920 * x**3 - 945 * x) / 92160,
    )
    return x + math.fsum(term / freedom**power for power, term in enumerate(terms, start=1))


def _grouped(results: Sequence[float], days: Sequence[int] | None) -> tuple[Floats, Floats]:
    """Return sum and count of each group."""
    values = np.asarray(results, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError("A result is not a number: leave out plans that have no result.")
    if days is None:
        return values, np.ones_like(values)
    if len(days) != len(values):
        raise ValueError(f"{len(values)} results need as many days, not {len(days)}.")
    _, place = np.unique(np.asarray(days), return_inverse=True)
    sums = np.bincount(place, weights=values).astype(np.float64)
    return sums, np.bincount(place).astype(np.float64)


def _standard_error(sums: Floats, counts: Floats) -> float:
    away = sums - counts * (sums.sum() / counts.sum())
    return math.sqrt(len(sums) / (len(sums) - 1) * float((away**2).sum())) / float(counts.sum())


def _drawn_means(sums: Floats, counts: Floats, seed: int) -> Floats:
    drawn = np.random.default_rng(seed).integers(len(sums), size=(DRAWS, len(sums)))
    means: Floats = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    return means


def _accelerated(sums: Floats, counts: Floats, seed: int) -> list[float]:
    """Return the two quantiles of the bootstrap that BCa takes."""
    value = sums.sum() / counts.sum()
    drawn = _drawn_means(sums, counts, seed)
    # Half of the ties: results of few values put many draws right on the mean.
    below = ((drawn < value).sum() + (drawn == value).sum() / 2) / len(drawn)
    without = (sums.sum() - sums) / (counts.sum() - counts)
    away = without.mean() - without
    spread = float((away**2).sum())
    acceleration = float((away**3).sum()) / (6 * spread**1.5) if spread else 0.0
    bias = NORMAL.inv_cdf(min(max(float(below), 1 / len(drawn)), 1 - 1 / len(drawn)))
    return [_bent(bias, acceleration, NORMAL.inv_cdf(share)) for share in expanded(len(sums))]


def _bent(bias: float, acceleration: float, z: float) -> float:
    return NORMAL.cdf(bias + (bias + z) / (1 - acceleration * (bias + z)))
