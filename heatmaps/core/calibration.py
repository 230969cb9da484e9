"""Factors of the intervals from worlds whose true positions are known: one table that holds enough in every world.

Conformal in spirit: what counts is only how truth / estimate was spread on runs whose truth is known. One table has to
do for all worlds, because nobody knows in which one a real market lives, and worlds are off in opposite directions at
one distance. Each bucket of side and distance takes the pair of factors whose coverage is nearest to the level in all
worlds (least squares, ties to the narrower), under prices that rise for worlds of which too little is inside and fall
for those of which too much is (dual ascent), until every world has its level over all of its pairs. Single buckets may
hold more or less.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from .bands import EDGES_PCT, Factors, buckets
from .views import REACH

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from .grid import Floats, Ints

    Bools = npt.NDArray[np.bool_]

# Truth and estimate are compared in slices of 20 bins, 1 % of price.
BINS: Final = 20
_GRID: Final = 50
_TAIL: Final = (0.005, 0.35)
_ROUNDS: Final = 2000
_STEP: Final = 1.0
_NARROW: Final = 1e-3
_LEAST: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Pairs:
    """What was true for what was said, all [n]: log_ratio = ln(truth / estimate), bucket = 8 * side + distance.

    place: the number of the slice that a pair is of.
    """

    log_ratio: Floats
    bucket: Ints
    place: Ints


@dataclass(frozen=True, slots=True)
class _Choices:
    """One bucket's candidates: lows and highs [ln], cost [low, high], share of all pairs inside [world, low, high]."""

    low: Floats
    high: Floats
    cost: Floats
    coverage: Floats


def compare(views: Floats, held: Floats) -> Pairs:
    """Pairs of every 1 % slice in which a map shows something; arrays float[slice, side, REACH]."""
    shown, true = (values.reshape(-1, 2, REACH // BINS, BINS).sum(axis=-1) for values in (views, held))
    distance = buckets(np.arange(REACH // BINS, dtype=np.float64) + 0.5)
    bucket = np.broadcast_to(distance + len(EDGES_PCT) * np.array([[0], [1]]), shown.shape)
    place = np.broadcast_to(np.arange(len(shown))[:, None, None], shown.shape)
    used = shown > 0.0
    return Pairs(np.log(np.maximum(true[used], _LEAST) / shown[used]), bucket[used], place[used])


def join(parts: Sequence[Pairs]) -> Pairs:
    """All pairs of several runs; their slices are numbered through."""
    log_ratio, bucket = (np.concatenate([getattr(part, name) for part in parts]) for name in ("log_ratio", "bucket"))
    sizes = [int(part.place.max(initial=-1)) + 1 for part in parts]
    starts = np.cumsum([0, *sizes[:-1]])
    return Pairs(
        log_ratio, bucket, np.concatenate([part.place + start for part, start in zip(parts, starts, strict=True)])
    )


def is_inside(pairs: Pairs, factors: Factors) -> Bools:
    """Which pairs lie inside their interval: bool[n]."""
    ratio = np.exp(pairs.log_ratio)
    low, high = factors.low.reshape(-1)[pairs.bucket], factors.high.reshape(-1)[pairs.bucket]
    return np.asarray((ratio >= low) & (ratio <= high))


def held(pairs: Pairs, factors: Factors, day: Ints) -> Ints:
    """How many pairs lie inside their interval, of how many: int64[day, bucket, 2]; ``day``: that of each slice."""
    number = np.unique(day, return_inverse=True)[1]
    cell = number[pairs.place] * 2 * len(EDGES_PCT) + pairs.bucket
    size = (int(number.max()) + 1) * 2 * len(EDGES_PCT)
    counts = [np.bincount(cell, weights, size) for weights in (is_inside(pairs, factors), None)]
    return np.stack(counts, axis=-1).astype(np.int64).reshape(-1, 2 * len(EDGES_PCT), 2)


def calibrate(worlds: Sequence[Pairs], level: float) -> Factors:
    """One table that holds ``level`` of the pairs of each world; an estimate is always inside its interval.

    Raises:
        ValueError: a bucket without a pair, so that nothing is known of it.
    """
    choices = [_choices(worlds, bucket, level) for bucket in range(2 * len(EDGES_PCT))]
    price, best, nearest = np.zeros(len(worlds)), [(0, 0)] * len(choices), np.inf
    for round_ in range(_ROUNDS):
        picks = [divmod(int(np.argmin(one.cost - np.tensordot(price, one.coverage, 1))), _GRID) for one in choices]
        covered = np.sum([one.coverage[:, low, high] for one, (low, high) in zip(choices, picks, strict=True)], axis=0)
        off = float(np.abs(covered - level).max())
        if off < nearest:
            nearest, best = off, picks
        price += _STEP / (1.0 + round_ / 20.0) * (level - covered)
    low = np.exp([one.low[pick[0]] for one, pick in zip(choices, best, strict=True)]).reshape(2, -1)
    high = np.exp([one.high[pick[1]] for one, pick in zip(choices, best, strict=True)]).reshape(2, -1)
    return Factors(np.minimum(low, 1.0).round(3), np.maximum(high, 1.0).round(3))


def _choices(worlds: Sequence[Pairs], bucket: int, level: float) -> _Choices:
    """Pairs of tails of the pooled ratios, with what each would hold in each world."""
    ratios = [np.sort(one.log_ratio[one.bucket == bucket]) for one in worlds]
    if min(map(len, ratios)) == 0:
        raise ValueError("a world has no pair in a bucket; calibrate on more days")
    pooled, tails = np.concatenate(ratios), np.linspace(*_TAIL, _GRID)
    low, high = np.quantile(pooled, tails), np.quantile(pooled, 1.0 - tails[::-1])
    inside = np.stack(
        [np.searchsorted(mine, high, side="right") - np.searchsorted(mine, low)[:, None] for mine in ratios]
    )
    count, whole = (np.array(sizes)[:, None, None] for sizes in ([*map(len, ratios)], [len(w.bucket) for w in worlds]))
    off = (count / whole * (inside / count - level) ** 2).sum(axis=0)
    return _Choices(low, high, off + _NARROW * (high - low[:, None]), inside / whole)
