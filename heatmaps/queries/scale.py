"""Measure the range of a map's colour scale on what is stored near the price."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

import numpy as np

from heatmaps.core.scale import DisplayScale, of_codes
from heatmaps.core.tile import LEVELS, TILE
from market import queries as market

from .tiles import read_codes

if TYPE_CHECKING:
    from heatmaps.core.grid import Floats, Ints
    from heatmaps.core.tile import Codes
    from heatmaps.models import Heatmap

# One-hour columns of the newest month, within this share of each column's close: what a reader looks at.
_LEVEL: Final = 1
_SPAN: Final = dt.timedelta(days=30)
_NEAR: Final = 0.10


def measure_scale(*, heatmap: Heatmap) -> DisplayScale:
    """Measure the range from what is stored, near the price of the newest month."""
    until = heatmap.built_through
    if until is None or heatmap.bin_lo is None or heatmap.bin_hi is None:
        return of_codes(np.zeros(0, np.uint8), heatmap.code_floor_usd)
    level = LEVELS[_LEVEL]
    bars = market.load_bars(
        instrument_id=heatmap.instrument_id, since=until - _SPAN, until=until, timeframe=level.step_ms // 1000
    )
    return of_codes(_near_price(heatmap, bars["open_time"] // level.step_ms, bars["close"]), heatmap.code_floor_usd)


def _near_price(heatmap: Heatmap, columns: Ints, closes: Floats) -> Codes:
    """Return the codes of the columns within ``_NEAR`` of their closes, as one flat array."""
    if columns.size == 0:
        return np.zeros(0, np.uint8)
    width = heatmap.bin_bps * 1e-4 * LEVELS[_LEVEL].factor
    centre, reach = np.log(closes) / width, _NEAR / width
    rows = (int(np.floor(centre.min() - reach)) // TILE, int(np.ceil(centre.max() + reach)) // TILE)
    cols = (int(columns[0]) // TILE, int(columns[-1]) // TILE)
    codes = read_codes(heatmap=heatmap, level=_LEVEL, rows=rows, cols=cols)
    picked = codes[:, columns - cols[0] * TILE]
    bins = np.arange(picked.shape[0])[:, None] + rows[0] * TILE + 0.5
    near: Codes = picked[np.abs(bins - centre[None, :]) < reach]
    return near
