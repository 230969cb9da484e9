"""Predictions out of sample: each block of weeks is predicted by a fit that did not see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from heatmaps.core.grid import Floats, Ints

Masks = tuple["npt.NDArray[np.bool_]", "npt.NDArray[np.bool_]"]
FOLDS: Final = ("weeks", "past")
_WEEK: Final = 7
# Weeks that are only learnt from where a fit may only look back.
_LEARNING_WEEKS: Final = 2
_RIDGE: Final = 2.0
_TOLERANCE: Final = 1e-9
_FARTHEST: Final = 30.0
_SMALL: Final = 1e-3


def folds(days: Ints, kind: str) -> Sequence[Masks]:
    """(train, test) for each week: "weeks" learns from all other weeks, "past" from earlier ones alone.

    days: int64[n] from 0. Under "past" the first two weeks are in no test.
    """
    week = days // _WEEK
    tests = [week == one for one in np.unique(week)]
    if kind == "weeks":
        return [(~test, test) for test in tests]
    return [(week < one, week == one) for one in np.unique(week) if one >= _LEARNING_WEEKS]


def linear(features: Floats, target: Floats, parts: Sequence[Masks]) -> Floats:
    """Least squares with an intercept: float64[n], NaN where no fold predicts."""
    design = np.column_stack([np.ones(len(target)), features])
    predicted = np.full(len(target), np.nan)
    for train, test in parts:
        weights = np.linalg.lstsq(design[train], target[train], rcond=None)[0]
        predicted[test] = design[test] @ weights
    return predicted


def poisson(features: Callable[[npt.NDArray[np.bool_]], Floats], target: Floats, parts: Sequence[Masks]) -> Floats:
    """Log-linear means by ridge Poisson regression: float64[n] > 0, NaN where no fold predicts.

    ``features`` is asked anew for each fold, with the rows that it may learn from. A feature outside of what was seen
    in training counts as the nearest that was.
    """
    predicted = np.full(len(target), np.nan)
    for train, test in parts:
        found = features(train)
        low, high = found[train].min(axis=0), found[train].max(axis=0)
        mean, spread = found[train].mean(axis=0), found[train].std(axis=0) + 1e-12
        size = target[train].mean()
        design = np.column_stack([np.ones(len(found)), (np.clip(found, low, high) - mean) / spread])
        weights = _newton(design[train], target[train] / size)
        predicted[test] = size * np.exp(np.clip(design[test] @ weights, -_FARTHEST, _FARTHEST))
    return predicted


def _newton(design: Floats, target: Floats) -> Floats:
    """Minimise the Poisson loss with a ridge on all but the intercept."""
    weights = np.zeros(design.shape[1])
    ridge = np.full(design.shape[1], _RIDGE)
    ridge[0] = 0.0

    def loss(at: Floats) -> float:
        eta = design @ at
        return float((np.exp(np.clip(eta, -_FARTHEST, _FARTHEST)) - target * eta).sum() + 0.5 * (ridge * at * at).sum())

    value = loss(weights)
    for _ in range(200):
        rate = np.exp(np.clip(design @ weights, -_FARTHEST, _FARTHEST))
        slope = design.T @ (rate - target) + ridge * weights
        bend = (design * rate[:, None]).T @ design + np.diag(ridge) + 1e-9 * np.eye(len(weights))
        step, size = np.linalg.solve(bend, slope), 1.0
        while size > 1e-6 and loss(weights - size * step) > value - 1e-4 * size * (slope @ step):  # noqa: PLR2004 -- Armijo's rule
            size /= 2.0
        weights = weights - size * step
        before, value = value, loss(weights)
        if before - value < _TOLERANCE * abs(before) + 1e-12:
            break
    return weights


def mixture(masses: Floats, target: Floats, prior: Floats, train: npt.NDArray[np.bool_]) -> Floats:
    """Weights of a map's parts that make their sum proportional to the target, and the log of that sum: float64[n].

    masses: float64[n, part], each part as if it were the whole; prior: float64[part]. Richardson-Lucy from the prior.
    """
    seen, came = masses[train], target[train]
    # A part whose mass was never swept in training keeps a weight of nearly nothing.
    floor = _SMALL * came.mean()
    weights = came.sum() / max(float(seen.sum()), 1e-9) * prior / prior.mean()
    exposure = seen.sum(axis=0) + _SMALL * seen.sum(axis=0).mean() + 1e-300
    for _ in range(200 if masses.shape[1] > 1 else 1):
        weights = weights * (seen.T @ (came / (seen @ weights + floor)) + 1e-9) / exposure
    return np.asarray(np.log(masses @ weights + floor))


def deviance(target: Floats, mean: Floats) -> Floats:
    """Poisson deviance of each value from its stated mean: float64[n]."""
    stated = np.maximum(mean, 1e-6 * target.mean())
    log = np.log(np.maximum(target, 1e-9) / stated)
    return np.asarray(2.0 * (np.where(target > 0.0, target * log, 0.0) - (target - stated)))
