"""The range of the colour scale that suits a sample of cells, in round numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from .tile import GAP, usd_from_code

if TYPE_CHECKING:
    from .tile import Codes

# A quarter of the cells is too faint to show, one in two hundred is at the top of the ramp.
_PERCENTILES: Final = (25.0, 99.5)
_LEAST_RATIO: Final = 4.0
_UNKNOWN_RATIO: Final = 16.0


@dataclass(frozen=True, slots=True)
class DisplayScale:
    """Display range [USD per 0.1 % of price]."""

    floor_usd: float
    ceiling_usd: float


def of_codes(codes: Codes, code_floor_usd: float) -> DisplayScale:
    """The range that suits a sample of cells, any shape; cells that hold nothing do not count.

    code_floor_usd: the density of code 1 [USD per 0.1 % of price].
    """
    held = codes[(codes > 0) & (codes < GAP)]
    if held.size == 0:
        ceiling = nice(code_floor_usd * 2**8)
        return DisplayScale(ceiling / _UNKNOWN_RATIO, ceiling)
    low, high = np.percentile(held, _PERCENTILES).round().astype(np.uint8)
    floor = nice(float(usd_from_code(low, code_floor_usd)))
    return DisplayScale(floor, max(nice(float(usd_from_code(high, code_floor_usd))), _LEAST_RATIO * floor))


def nice(value: float) -> float:
    """Round to 1, 1.6, 2.5, 4 or 6.3 times a power of ten: five steps to a decade."""
    step = round(float(np.log10(value)) * 5)
    return float(f"{10 ** (step / 5):.2g}")
