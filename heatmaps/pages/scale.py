"""The range of the colour scale: fixed for a heatmap, never for a view, so that a colour keeps its meaning."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from django.core.cache import cache

from heatmaps.core.tile import GAP, LEVELS, TILE, usd_from_code
from heatmaps.pages import tiles
from market import queries as market

if TYPE_CHECKING:
    import numpy.typing as npt

    from heatmaps.models import Heatmap

    Codes = npt.NDArray[np.uint8]

# One-hour columns of the newest month, within this share of each column's close: what a reader looks at.
_LEVEL: Final = 1
_SPAN: Final = dt.timedelta(days=30)
_NEAR: Final = 0.10
# A quarter of those cells is too faint to show, one in two hundred is at the top of the ramp.
_PERCENTILES: Final = (25.0, 99.5)
_LEAST_RATIO: Final = 4.0
_UNKNOWN_RATIO: Final = 16.0
# Until the scale is frozen with the heatmap, a measured one serves this long.
_KEEP_SECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class Scale:
    """Display range [USD per 0.1 % of price]."""

    floor_usd: float
    ceiling_usd: float


def display_scale(*, heatmap: Heatmap) -> Scale:
    """Return the colour range frozen with a heatmap, or a measured one while the map is younger than a week."""
    if heatmap.display_floor_usd is not None and heatmap.display_ceiling_usd is not None:
        return Scale(heatmap.display_floor_usd, heatmap.display_ceiling_usd)
    key = f"heatmaps:scale:{heatmap.pk}"
    kept: Scale | None = cache.get(key)
    if kept is None:
        kept = measure(heatmap=heatmap)
        cache.set(key, kept, _KEEP_SECONDS)
    return kept


def of_codes(codes: Codes, code_floor_usd: float) -> Scale:
    """Return the range that suits a sample of cells; cells that hold nothing do not count."""
    held = codes[(codes > 0) & (codes < GAP)]
    if held.size == 0:
        ceiling = nice(code_floor_usd * 2**8)
        return Scale(ceiling / _UNKNOWN_RATIO, ceiling)
    low, high = np.percentile(held, _PERCENTILES).round().astype(np.uint8)
    floor = nice(float(usd_from_code(low, code_floor_usd)))
    return Scale(floor, max(nice(float(usd_from_code(high, code_floor_usd))), _LEAST_RATIO * floor))


def nice(value: float) -> float:
    """Round to 1, 1.6, 2.5, 4 or 6.3 times a power of ten: five steps to a decade."""
    step = round(float(np.log10(value)) * 5)
    return float(f"{10 ** (step / 5):.2g}")


def measure(*, heatmap: Heatmap) -> Scale:
    """Measure the range from what is stored, near the price of the newest month."""
    until = heatmap.built_through
    if until is None or heatmap.bin_lo is None or heatmap.bin_hi is None:
        return of_codes(np.zeros(0, np.uint8), heatmap.code_floor_usd)
    level = LEVELS[_LEVEL]
    bars = market.load_bars(
        instrument_id=heatmap.instrument_id, since=until - _SPAN, until=until, timeframe=level.step_ms // 1000
    )
    return of_codes(_near_price(heatmap, bars["open_time"] // level.step_ms, bars["close"]), heatmap.code_floor_usd)


def _near_price(heatmap: Heatmap, columns: npt.NDArray[np.int64], closes: npt.NDArray[np.float64]) -> Codes:
    """Return the codes of the columns within ``_NEAR`` of their closes, as one flat array."""
    if columns.size == 0:
        return np.zeros(0, np.uint8)
    width = heatmap.bin_bps * 1e-4 * LEVELS[_LEVEL].factor
    centre, reach = np.log(closes) / width, _NEAR / width
    rows = (int(np.floor(centre.min() - reach)) // TILE, int(np.ceil(centre.max() + reach)) // TILE)
    cols = (int(columns[0]) // TILE, int(columns[-1]) // TILE)
    codes = tiles.read_codes(heatmap=heatmap, level=_LEVEL, rows=rows, cols=cols)
    picked = codes[:, columns - cols[0] * TILE]
    bins = np.arange(picked.shape[0])[:, None] + rows[0] * TILE + 0.5
    near: Codes = picked[np.abs(bins - centre[None, :]) < reach]
    return near
