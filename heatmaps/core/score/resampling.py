"""Intervals by resampling whole days: liquidations of one day belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from .chances import Interval

if TYPE_CHECKING:
    from heatmaps.core.grid import Floats, Ints

DRAWS: Final = 2000
RANK_DRAWS: Final = 1000
SEED: Final = 0
_ENDS: Final = (0.025, 0.975)


def ranks(values: Floats) -> Floats:
    """Ranks from 0 along the last axis; equal values share their mean rank."""
    order = np.argsort(values, axis=-1, kind="stable")
    ordered, count = np.take_along_axis(values, order, -1), values.shape[-1]
    place = np.broadcast_to(np.arange(count), values.shape)
    is_new = np.ones(values.shape, np.bool_)
    is_new[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    is_last = np.roll(is_new, -1, axis=-1)
    first = np.maximum.accumulate(np.where(is_new, place, 0), axis=-1)
    last = np.minimum.accumulate(np.where(is_last, place, count)[..., ::-1], axis=-1)[..., ::-1]
    found = np.empty(values.shape)
    np.put_along_axis(found, order, (first + last) / 2.0, -1)
    return found


def correlations(predictors: Floats, target: Floats, given: Floats | None = None) -> Floats:
    """Spearman's rank correlation of each row of float64[k, n] with float64[n]; NaN for a constant.

    given: float64[j, n]; the partial correlation is then that of what least squares on its ranks leaves of both.
    """
    mine, its = ranks(predictors), ranks(target)
    mine, its = mine - mine.mean(axis=1, keepdims=True), its - its.mean()
    if given is not None:
        known = ranks(given)
        base = np.linalg.qr((known - known.mean(axis=1, keepdims=True)).T)[0]
        mine, its = mine - (mine @ base) @ base.T, its - base @ (base.T @ its)
    size = np.sqrt((mine**2).sum(axis=1) * (its**2).sum())
    return np.asarray(np.divide(mine @ its, size, out=np.full(len(mine), np.nan), where=size > 0.0))


def gain(per_hour: Floats, scale: float, days: Ints, *, draws: int = DRAWS, seed: int = SEED) -> Interval:
    """The sum of a paired difference over ``scale``, with an interval from resampled days.

    per_hour: float64[n], what one predictor loses more than the other; scale: what the loss without any is.
    """
    place = np.unique(days, return_inverse=True)[1]
    sums = np.bincount(place, per_hour)
    picked = np.random.default_rng(seed).integers(0, len(sums), size=(draws, len(sums)))
    low, high = np.quantile(sums[picked].sum(axis=1) / scale, _ENDS)
    return Interval(float(sums.sum() / scale), float(low), float(high))


def share(part: Floats, whole: Floats, *, draws: int = DRAWS, seed: int = SEED) -> Interval:
    """The sum of part[n] over the sum of whole[n], of blocks such as days, with an interval from resampled blocks."""
    picked = np.random.default_rng(seed).integers(0, len(part), size=(draws, len(part)))
    below = whole[picked].sum(axis=1)
    drawn = np.divide(part[picked].sum(axis=1), below, out=np.full(draws, np.nan), where=below > 0.0)
    low, high = np.nanquantile(drawn, _ENDS)
    return Interval(float(part.sum() / whole.sum()), float(low), float(high))


def rank_draws(  # noqa: PLR0913 -- what a correlation is of, and how often
    predictors: Floats,
    target: Floats,
    days: Ints,
    *,
    given: Floats | None = None,
    draws: int = RANK_DRAWS,
    seed: int = SEED,
) -> tuple[Floats, Floats]:
    """Rank correlations of float64[k, n] with float64[n]: float64[k], and as resampled by days, float64[draws, k]."""
    groups = [np.flatnonzero(days == day) for day in np.unique(days)]
    draw = np.random.default_rng(seed)
    found = np.empty((draws, len(predictors)))
    for index in range(draws):
        rows = np.concatenate([groups[one] for one in draw.integers(0, len(groups), len(groups))])
        found[index] = correlations(predictors[:, rows], target[rows], None if given is None else given[:, rows])
    return correlations(predictors, target, given), found


def interval_of(value: float, drawn: Floats) -> Interval:
    """A value and the middle 95 % of its resamples."""
    low, high = np.quantile(drawn, _ENDS)
    return Interval(value, float(low), float(high))
