"""The range of the colour scale: fixed for a heatmap, never for a view, so that a colour keeps its meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from django.core.cache import cache

from heatmaps.core.tile import GAP, LEVELS, TILE, usd_from_code
from heatmaps.pages import tiles

if TYPE_CHECKING:
    import numpy.typing as npt

    from heatmaps.models import Heatmap

# One-hour columns of the newest 90 days; a colour at the ceiling is reached by 2 % of the cells that hold anything.
_LEVEL: Final = 1
_DAYS: Final = 90
_PERCENTILE: Final = 98
_KEEP_SECONDS: Final = 6 * 3600
# The ramp spans 16 : 1, as in the legend's three ticks.
_RATIO: Final = 16.0


@dataclass(frozen=True, slots=True)
class Scale:
    """Display range [USD per 0.1 % of price]."""

    floor_usd: float
    ceiling_usd: float


def display_scale(*, heatmap: Heatmap) -> Scale:
    """Return the colour range of a heatmap, measured rarely and rounded so that it hardly ever moves."""
    key = f"heatmaps:scale:{heatmap.pk}"
    ceiling: float | None = cache.get(key)
    if ceiling is None:
        ceiling = _measure(heatmap)
        cache.set(key, ceiling, _KEEP_SECONDS)
    return Scale(floor_usd=ceiling / _RATIO, ceiling_usd=ceiling)


def _measure(heatmap: Heatmap) -> float:
    codes = _codes(heatmap)
    held = codes[(codes > 0) & (codes < GAP)]
    if held.size == 0:
        return heatmap.code_floor_usd * 2**8
    code = np.percentile(held, _PERCENTILE).round().astype(np.uint8)
    return nice(float(usd_from_code(code, heatmap.code_floor_usd)))


def nice(value: float) -> float:
    """Round to 1, 1.6, 2.5, 4 or 6.3 times a power of ten: five steps to a decade."""
    step = round(float(np.log10(value)) * 5)
    return float(f"{10 ** (step / 5):.2g}")


def _codes(heatmap: Heatmap) -> npt.NDArray[np.uint8]:
    level = LEVELS[_LEVEL]
    if heatmap.built_through is None or heatmap.bin_lo is None or heatmap.bin_hi is None:
        return np.zeros((0, 0), np.uint8)
    last = int(heatmap.built_through.timestamp() * 1000) // level.step_ms
    return tiles.read_codes(
        heatmap=heatmap,
        level=_LEVEL,
        rows=(heatmap.bin_lo // level.factor // TILE, (heatmap.bin_hi - 1) // level.factor // TILE),
        cols=((last - _DAYS * 24) // TILE, last // TILE),
    )
