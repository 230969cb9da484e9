"""Two estimators over the same bars, put on one footing: which of them holds more of its map where.

Rules count in different units, and some hold more than there is. So each column is taken as shares of what its own map
holds within NEAR of the price; the difference of two shares is in the same unit whatever the rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from market.series import DAY_MS

from .grid import BIN_BPS, Floats, Ints, bin_coordinate, bin_width
from .score.walk import parts_of

if TYPE_CHECKING:
    from market.series import Window

    from .estimators.base import Estimator

# Bins of the grid in one row, and how far from the price a map is compared.
ROW_BINS: Final = 4
NEAR: Final = 0.10
# Distances of the table [%].
EDGES_PCT: Final = (0.0, 1.0, 2.0, 3.0, 5.0, 10.0)
_WIDTH: Final = bin_width(BIN_BPS)
ROW_WIDTH: Final = _WIDTH * ROW_BINS


@dataclass(frozen=True, slots=True)
class Pair:
    """Shares of two maps: float64[map, row, column], NaN in a column that one of them lacks.

    row_lo: the first row, of width ROW_WIDTH in ln(price); close: float64[column] [quote per base].
    """

    row_lo: int
    shares: Floats
    close: Floats

    @property
    def difference(self) -> Floats:
        """What the first map holds more of than the second: float64[row, column]."""
        return np.asarray(self.shares[0] - self.shares[1])

    def apart(self) -> float:
        """Which part of one map would have to move to make it the other: the mean over columns, NaN without any."""
        known = self.difference[:, np.isfinite(self.difference[0])]
        return float(np.abs(known).sum(axis=0).mean() / 2.0) if known.shape[1] else float("nan")

    def table(self) -> Floats | None:
        """Shares of the newest column by distance: float64[map, side, distance]; None where there is no column."""
        known = np.flatnonzero(np.isfinite(self.difference[0]))
        if len(known) == 0:
            return None
        rows, close = self.row_lo + np.arange(self.shares.shape[1]), float(self.close[known[-1]])
        away = (np.exp((rows + 0.5) * ROW_WIDTH) / close - 1.0) * 100.0
        bucket = np.digitize(np.abs(away), EDGES_PCT[1:-1])
        found = np.zeros((2, 2, len(EDGES_PCT) - 1))
        for one in (0, 1):
            for side, mine in enumerate((away < 0.0, away >= 0.0)):
                np.add.at(found[one, side], bucket[mine], self.shares[one, mine, known[-1]])
        return found


def compare(one: Estimator, other: Estimator, window: Window, end_ms: Ints, close: Floats) -> Pair:
    """Run both over the window and compare their columns at ``end_ms`` (ascending), where price was ``close``."""
    low, high = float(np.nanmin(close)) / (1.0 + NEAR), float(np.nanmax(close)) * (1.0 + NEAR)
    row_lo, row_hi = (int(np.floor(bin_coordinate(np.array(price), ROW_WIDTH))) for price in (low, high))
    held = np.stack([_columns(estimator, window, end_ms, row_lo, row_hi + 1) for estimator in (one, other)])
    rows = row_lo + np.arange(held.shape[1])
    near = np.abs((rows[:, None] + 0.5) * ROW_WIDTH - np.log(close)[None, :]) <= np.log1p(NEAR)
    held = np.where(near, held, np.where(np.isnan(held), np.nan, 0.0))
    total = held.sum(axis=1, keepdims=True)
    shares = np.divide(held, total, out=np.full(held.shape, np.nan), where=total > 0.0)
    shares[:, :, np.isnan(shares).any(axis=(0, 1))] = np.nan
    return Pair(row_lo, shares, close)


def _columns(estimator: Estimator, window: Window, end_ms: Ints, row_lo: int, row_hi: int) -> Floats:
    """Contracts by row at the ends asked for, NaN where no step ends: float64[row, column]."""
    found = np.full((row_hi - row_lo, len(end_ms)), np.nan)
    state: Any = None
    for part in parts_of(window, DAY_MS):
        estimate = estimator.estimate(part, state)
        state, ends = estimate.state, estimate.steps.end_ms
        for index in np.flatnonzero(np.isin(ends, end_ms)).tolist():
            first, column = int(estimate.anchor[index]) // ROW_BINS, estimate.columns[index]
            rows = column.astype(np.float64).reshape(-1, ROW_BINS).sum(axis=1)
            place = np.clip(np.arange(row_lo, row_hi) - first, 0, len(rows) - 1)
            inside = (np.arange(row_lo, row_hi) >= first) & (np.arange(row_lo, row_hi) < first + len(rows))
            found[:, np.searchsorted(end_ms, ends[index])] = np.where(inside, rows[place], 0.0)
    return found
