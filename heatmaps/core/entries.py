"""Where inside a bar positions were opened: triangular densities on log price and their exact bin masses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .grid import Floats, Ints

# A triangle narrower than this [bins] is a point: all of its mass lies in one bin.
_POINT = 1e-9


def bar_masses(low: Floats, high: Floats, mean: Floats) -> tuple[Ints, Ints, Floats]:
    """Exact bin masses of a triangle on [low, high] whose mean is ``mean`` (all [bar], in bins of ln(price)).

    The mode is 3 * mean - low - high, cut to the range. Returns the first bin [bar], the number of bins [bar] and the
    masses of all bars behind one another; those of each bar sum to 1.
    """
    mode = np.clip(3.0 * mean - low - high, low, high)
    first = np.floor(low).astype(np.int64)
    count = np.floor(high).astype(np.int64) - first + 1
    bar = np.repeat(np.arange(len(low)), count)
    place = np.arange(len(bar)) - np.repeat(np.cumsum(count) - count, count)
    edge = (first[bar] + place + 1).astype(np.float64)
    above = _triangle_cdf(edge, low[bar], mode[bar], high[bar])
    above[place == count[bar] - 1] = 1.0
    below = np.empty_like(above)
    below[1:] = above[:-1]
    below[place == 0] = 0.0
    return first, count, above - below


def step_masses(first: Ints, count: Ints, masses: Floats, weight: Floats, step: Ints) -> tuple[Ints, Ints, Floats]:
    """Join the bars of each step into one histogram, weighted by volume.

    first, count, weight, step: [bar], ``step`` ascending from 0 without a hole; masses as from ``bar_masses``.
    Weights of a step that are all zero count as equal. Returns first bin [step], number of bins [step], masses behind
    one another; those of each step sum to 1.
    """
    starts = np.flatnonzero(np.diff(step, prepend=-1))
    total = np.add.reduceat(weight, starts)
    used = np.where(total[step] > 0.0, weight, 1.0)
    share = used / np.add.reduceat(used, starts)[step]
    low = np.minimum.reduceat(first, starts)
    size = np.maximum.reduceat(first + count, starts) - low
    origin = np.cumsum(size) - size
    bar = np.repeat(np.arange(len(first)), count)
    place = np.arange(len(bar)) - np.repeat(np.cumsum(count) - count, count)
    index = origin[step[bar]] + first[bar] + place - low[step[bar]]
    joined = np.bincount(index, masses * share[bar], int(size.sum())).astype(np.float64, copy=False)
    return low, size.astype(np.int64), joined


def _triangle_cdf(x: Floats, low: Floats, mode: Floats, high: Floats) -> Floats:
    x = np.clip(x, low, high)
    width = np.maximum(high - low, _POINT)
    rising, falling = width * (mode - low), width * (high - mode)
    # A side that is a vertical step has no area; leaving it out of the division keeps the arithmetic finite.
    floor = 1e-12 * width * width
    left = np.divide((x - low) ** 2, rising, out=np.zeros_like(x), where=rising > floor)
    right = np.divide((high - x) ** 2, falling, out=np.zeros_like(x), where=falling > floor)
    return np.where(x < mode, left, 1.0 - right)
