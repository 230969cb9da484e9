"""What a row of results looks like: the usual figures, and what reordering does to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .intervals import DRAWS, LEAST, Floats, Interval, expanded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BLOCK = 5  # neighbours are drawn together: plans overlap in time


@dataclass(frozen=True, slots=True)
class Shape:
    """Figures of results in the order in which they ended [R]; None where a side is missing.

    factor: sum won over sum lost; payoff: mean won over mean lost; drawdown: deepest fall of the running sum;
    losing_streak: longest row of losses.
    """

    count: int
    total: float
    median: float
    best: float
    worst: float
    factor: float | None
    payoff: float | None
    drawdown: float
    losing_streak: int


def shape(results: Sequence[float]) -> Shape | None:
    """Return the figures of results, in the order in which they ended; None without a result."""
    values = np.asarray(results, dtype=np.float64)
    if not values.size:
        return None
    won, lost = values[values > 0], values[values < 0]
    both = bool(won.size and lost.size)
    return Shape(
        count=values.size,
        total=float(values.sum()),
        median=float(np.median(values)),
        best=float(values.max()),
        worst=float(values.min()),
        factor=float(won.sum() / -lost.sum()) if both else None,
        payoff=float(won.mean() / -lost.mean()) if both else None,
        drawdown=float(drawdowns(values[None])[0]),
        losing_streak=_longest(values < 0),
    )


def resampled(results: Sequence[float], figure: Callable[[Floats], Floats], *, seed: int = 1) -> Interval | None:
    """Return a figure with the interval of a circular block bootstrap of 10,000 draws; None below 10 results.

    figure: from rows of results (draws x results) to one number a row, as ``medians``, ``factors``, ``drawdowns``.
    Blocks of five (Politis and Romano 1992), as many independent parts as there are blocks.
    """
    values = np.asarray(results, dtype=np.float64)
    if values.size < LEAST:
        return None
    blocks = -(-values.size // BLOCK)
    starts = np.random.default_rng(seed).integers(values.size, size=(DRAWS, blocks, 1))
    places = (starts + np.arange(BLOCK)).reshape(DRAWS, -1)[:, : values.size] % values.size
    # A draw's own value, not one between two: a ratio to no loss is infinite, and between two of those is nothing.
    low, high = np.nanquantile(figure(values[places]), expanded(max(blocks, 3)), method="inverted_cdf")
    return Interval(float(figure(values[None])[0]), float(low), float(high), "blocks", values.size)


def medians(rows: Floats) -> Floats:
    """Return the median of each row."""
    middle: Floats = np.median(rows, axis=1)
    return middle


def factors(rows: Floats) -> Floats:
    """Return sum won over sum lost of each row; infinite where nothing is lost."""
    won, lost = np.maximum(rows, 0).sum(axis=1), np.maximum(-rows, 0).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: Floats = won / lost
    return ratio


def drawdowns(rows: Floats) -> Floats:
    """Return the deepest fall of each row's running sum, which starts at 0."""
    walk = np.concatenate([np.zeros((len(rows), 1)), np.cumsum(rows, axis=1)], axis=1)
    deepest: Floats = (np.maximum.accumulate(walk, axis=1) - walk).max(axis=1)
    return deepest


def _longest(lost: npt.NDArray[np.bool_]) -> int:
    longest = here = 0
    for one in lost:
        here = here + 1 if one else 0
        longest = max(longest, here)
    return longest
