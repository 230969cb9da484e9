"""The absolute log-price grid: bin j covers [j, j + 1) * width in ln(price), for every instrument and every time.

Nothing is anchored to a first price, so a bin means the same price for ever and zooming is a shift.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]

BIN_BPS: Final = 5.0
GRID_BINS: Final = 4096
# The grid in memory starts at a multiple of this, so that it lines up with tile rows and with every coarser level.
ANCHOR_MULTIPLE: Final = 256


def bin_width(bin_bps: float) -> float:
    """Width of a bin in ln(price) from its width in basis points."""
    return bin_bps * 1e-4


def bin_coordinate(price: Floats, width: float) -> Floats:
    """ln(price) in bin units [bins]; price > 0 [quote per base], any shape."""
    return np.asarray(np.log(price) / width)


def bin_price(bins: Ints, width: float) -> Floats:
    """The price at the centre of each bin [quote per base]."""
    return np.asarray(np.exp((bins + 0.5) * width))


def bin_edge(index: int, width: float) -> float:
    """The price at the lower edge of a bin [quote per base]."""
    return float(np.exp(index * width))


def lies_below(bins: Ints, close: float, width: float) -> npt.NDArray[np.bool_]:
    """Which bins lie below a close by their centre, as the kernel counts: the map holds longs there, shorts above."""
    return np.asarray(bins < np.log(close) / width - 0.5)


def anchor_for(entry_bin: int) -> int:
    """The first bin of a grid that has ``entry_bin`` near its middle."""
    return (entry_bin - GRID_BINS // 2) // ANCHOR_MULTIPLE * ANCHOR_MULTIPLE
