"""Many cells at once: what survives looking at all of them, and what a small cell may borrow from the whole."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .intervals import DRAWS, LEAST, Floats

if TYPE_CHECKING:
    from collections.abc import Sequence

SHARE = 0.10


def discoveries(chances: Sequence[float], share: float = SHARE) -> list[bool]:
    """Tell which of several tests hold when ``share`` of those that hold may be false (Benjamini, Hochberg 1995)."""
    values = np.asarray(chances, dtype=np.float64)
    if not values.size:
        return []
    order = np.argsort(values, kind="stable")
    passing = np.flatnonzero(values[order] <= share * np.arange(1, values.size + 1) / values.size)
    held = np.zeros(values.size, dtype=bool)
    if passing.size:
        held[order[: passing[-1] + 1]] = True
    return [bool(one) for one in held]


def zero_chance(results: Sequence[float], *, seed: int = 1) -> float | None:
    """Return how often a mean this far from 0 comes where the true mean is 0; None below 10 results.

    A bootstrap of the studentised mean of the centred results (Efron, Tibshirani 1993, section 16.4), two-sided.
    """
    values = np.asarray(results, dtype=np.float64)
    count = values.size
    if count < LEAST:
        return None
    spread = values.std(ddof=1)
    if not spread:
        return 0.0 if values[0] else 1.0
    seen = abs(values.mean()) / spread
    rows = (values - values.mean())[np.random.default_rng(seed).integers(count, size=(DRAWS, count))]
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = np.abs(rows.mean(axis=1)) / rows.std(axis=1, ddof=1)
    return float(((np.nan_to_num(drawn, nan=0.0) >= seen).sum() + 1) / (DRAWS + 1))


def shrink(groups: Sequence[Sequence[float]]) -> list[float | None]:
    """Return each group's mean, pulled to the mean of all as far as its own noise asks for; None of an empty group.

    Empirical Bayes with one spread within all groups (Efron, Morris 1975; between-group variance by moments, as in
    DerSimonian, Laird 1986): no spread between groups leaves the common mean.
    """
    filled = [np.asarray(group, dtype=np.float64) for group in groups if len(group)]
    everything = np.concatenate(filled) if filled else np.empty(0)
    freedom = everything.size - len(filled)
    if freedom < 1:
        return [float(np.mean(group)) if len(group) else None for group in groups]
    within = sum(float(((group - group.mean()) ** 2).sum()) for group in filled) / freedom
    common = float(everything.mean())
    between = _between(filled, within, common)
    return [_pulled(group, within, between, common) if len(group) else None for group in groups]


def _between(groups: list[Floats], within: float, common: float) -> float:
    counts = np.array([group.size for group in groups], dtype=np.float64)
    scatter = float(sum(group.size * (group.mean() - common) ** 2 for group in groups))
    size = counts.sum() - (counts**2).sum() / counts.sum()
    return max(0.0, (scatter - (len(groups) - 1) * within) / size) if size > 0 else 0.0


def _pulled(group: Sequence[float], within: float, between: float, common: float) -> float:
    noise = within / len(group)
    own = 1.0 if math.isclose(noise + between, 0) else between / (noise + between)
    return common + own * (float(np.mean(group)) - common)
