"""Made-up slices of a map: level ground with hills."""

from __future__ import annotations

import numpy as np

from heatmaps.core.clusters import Column

WIDTH = 5e-4
CLOSE = 22_000.0
FIRST = 21_500
STEP_MS = 300_000


def bump(*peaks: tuple[int, float], base: float = 1.0) -> np.ndarray:
    """A level ground with Gaussian hills of 6 bins around the given bins."""
    bins = FIRST + np.arange(1000)
    ground = np.full(1000, base)
    for peak, height in peaks:
        ground += height * np.exp(-0.5 * ((bins - peak) / 6.0) ** 2)
    return ground


def column(usd: np.ndarray, *, at: int, low: float = CLOSE, high: float = CLOSE, close: float = CLOSE) -> Column:
    return Column(at, FIRST, usd, low, high, close)
