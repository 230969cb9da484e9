"""How well a map tells where positions are, and which of the bins that price then swept held liquidations.

Shape asks where all positions within REACH_BINS lie, whatever price does; a uniform map does well at it. The swept
scores ask only about bins that price went through in the hour after: on those, geometry is given and the map must tell
more from less. Views are those of ``views``: float[slice, side, bin], nearest bin first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from market.series import DAY_MS

from .grid import BIN_BPS
from .score.chances import DRAWS, Interval
from .score.resampling import ranks

if TYPE_CHECKING:
    import numpy.typing as npt

    from .grid import Floats, Ints
    from .views import Slices

    Bools = npt.NDArray[np.bool_]

# Scored within 10 % of price, in bins of 20 basis points; the five largest are what a reader looks at.
REACH_BINS: Final = 200
COARSE: Final = 4
TOP: Final = 5
# A map that says "nothing" where something was would score minus infinity; this share of every forecast is uniform.
_SHAPE_FLOOR: Final = 0.02
_SWEPT_FLOOR: Final = 0.05


@dataclass(frozen=True, slots=True)
class Shape:
    """Means over slices and sides: distance [bp], total variation, Spearman, precision, log score over uniform [nats].

    ``distance_bp`` is Wasserstein-1 of the two distributions over distance from price; ``precision`` the share of a
    map's five largest bins that lie within one bin of the truth's five largest.
    """

    distance_bp: float
    variation: float
    rank: float
    precision: float
    log_score: float


@dataclass(frozen=True, slots=True)
class Swept:
    """Scores on swept bins: Spearman over all of them, top-decile lift, log score over uniform [nats], and counts.

    ``log_skill`` weighs each swept segment by the contracts that were liquidated in it.
    """

    rank: float
    lift: float
    log_skill: float
    segments: int
    bins: int


def coarse(views: Floats) -> Floats:
    """Views within REACH_BINS in bins of 20 basis points: float[slice, side, REACH_BINS / COARSE]."""
    near = views[..., :REACH_BINS]
    return np.asarray(near.reshape(*near.shape[:-1], REACH_BINS // COARSE, COARSE).sum(axis=-1))


def shape(views: Floats, held: Floats) -> Shape:
    """Compare maps with true positions, slice by slice."""
    shown, true = coarse(views), coarse(held)
    shown = np.where(shown.sum(axis=-1, keepdims=True) > 0.0, shown, 1.0)
    shown, true = shown.reshape(-1, shown.shape[-1]), true.reshape(-1, true.shape[-1])
    said, is_so = shown / shown.sum(axis=1, keepdims=True), true / true.sum(axis=1, keepdims=True)
    away = np.abs(np.cumsum(said - is_so, axis=1)).sum(axis=1) * COARSE * BIN_BPS
    count = shown.shape[1]
    mixed = (1.0 - _SHAPE_FLOOR) * said * count + _SHAPE_FLOOR
    return Shape(
        distance_bp=float(away.mean()),
        variation=float(np.abs(said - is_so).sum(axis=1).mean() / 2.0),
        rank=float(np.mean([spearman(one, other) for one, other in zip(shown, true, strict=True)])),
        precision=_precision(shown, true),
        log_score=float((is_so * np.log(mixed)).sum(axis=1).mean()),
    )


def swept(views: Floats, at: Slices) -> Swept:
    """Compare maps with the liquidations of the hour after, in swept bins only.

    Raises:
        ValueError: in none of the slices a liquidation was in reach.
    """
    shown, came, inside, _ = _segments(views, at)
    pooled, outcome = shown[inside], came[inside]
    best = np.argsort(pooled, kind="stable")[-max(1, len(pooled) // 10) :]
    gain, weight = gains(shown, came, inside)
    return Swept(
        rank=spearman(pooled, outcome),
        lift=float(outcome[best].sum() / outcome.sum() * len(pooled) / len(best)),
        log_skill=float(gain.sum() / weight.sum()),
        segments=len(shown),
        bins=len(pooled),
    )


def advantage(views: Floats, baseline: Floats, at: Slices, *, seed: int = 1) -> Interval:
    """Log-skill of a map less that of another [nats], with an interval from DRAWS resamples of whole days."""
    shown, came, inside, day = _segments(views, at)
    gain, weight = gains(shown, came, inside)
    other, _ = gains(_segments(baseline, at)[0], came, inside)
    place = np.unique(day, return_inverse=True)[1]
    sums = np.stack([np.bincount(place, weights=values) for values in (gain - other, weight)])
    count = sums.shape[1]
    drawn = sums[:, np.random.default_rng(seed).integers(count, size=(DRAWS, count))].sum(axis=2)
    low, high = np.quantile(drawn[0] / drawn[1], [0.025, 0.975])
    return Interval(float(sums[0].sum() / sums[1].sum()), float(low), float(high))


def swept_bins(at: Slices) -> Ints:
    """How many whole 20 bp bins the price went through, int64[slice, side]."""
    return np.minimum(at.swept, REACH_BINS) // COARSE


def gains(shown: Floats, came: Floats, inside: Bools) -> tuple[Floats, Floats]:
    """Sum of ln(forecast / uniform) over what was liquidated, and its contracts: each [segment].

    All arguments are [segment, bin]; ``inside`` marks swept bins, and forecasts are shares of a segment.
    """
    shown, came = shown * inside, came * inside
    total, size = shown.sum(axis=1, keepdims=True), inside.sum(axis=1, keepdims=True)
    uniform = inside / size
    said = np.divide(shown, total, out=uniform.copy(), where=total > 0.0)
    mixed = ((1.0 - _SWEPT_FLOOR) * said + _SWEPT_FLOOR * uniform) * size
    return (came * np.log(np.where(inside, mixed, 1.0))).sum(axis=1), came.sum(axis=1)


def spearman(one: Floats, other: Floats) -> float:
    """Rank correlation of float64[n] with float64[n]; 0 where one of them is constant."""
    a, b = ranks(one), ranks(other)
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / norm if norm > 0.0 else 0.0


def _segments(views: Floats, at: Slices) -> tuple[Floats, Floats, Bools, Ints]:
    """Swept sides of slices in which something was liquidated: shown, came, inside [segment, bin], day [segment]."""
    shown, came, count = coarse(views), coarse(at.printed), swept_bins(at)
    inside = np.arange(shown.shape[-1]) < count[..., None]
    is_used = (count > 1) & ((came * inside).sum(axis=-1) > 0.0)
    if not is_used.any():
        raise ValueError("nothing was liquidated in the bins that price went through; give more days")
    day = np.broadcast_to((at.end_ms // DAY_MS)[:, None], is_used.shape)
    return shown[is_used], came[is_used], inside[is_used], day[is_used]


def _precision(shown: Floats, true: Floats) -> float:
    mine, theirs = (np.argsort(values, axis=1, kind="stable")[:, -TOP:] for values in (shown, true))
    near = np.abs(mine[:, :, None] - theirs[:, None, :]).min(axis=2) <= 1
    return float(near.mean())
