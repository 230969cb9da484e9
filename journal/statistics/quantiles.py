"""Quantiles of a sample with intervals that assume no distribution."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .intervals import LEAST, TAIL, Interval

if TYPE_CHECKING:
    from collections.abc import Sequence


def quantile_interval(values: Sequence[float], share: float) -> Interval | None:
    """Return a quantile with its interval by ranks (David, Nagaraja 2003, section 7.1); None below 10 values.

    How many values lie below the true quantile is binomial; a bound that no rank can give is infinite. Raises
    ValueError unless ``share`` lies between 0 and 1.
    """
    if not 0 < share < 1:
        raise ValueError(f"A quantile lies between 0 and 1; {share} does not.")
    row = np.sort(np.asarray(values, dtype=np.float64))
    count = row.size
    if count < LEAST:
        return None
    at_most = np.cumsum([math.comb(count, k) * share**k * (1 - share) ** (count - k) for k in range(count + 1)])
    below = int((at_most <= TAIL).sum())  # so many values lie surely below the quantile
    above = int((at_most < 1 - TAIL).sum()) + 1  # the value of this rank surely does not
    low = float(row[below - 1]) if below else -math.inf
    high = float(row[above - 1]) if above <= count else math.inf
    return Interval(float(np.quantile(row, share)), low, high, "ranks", count)
