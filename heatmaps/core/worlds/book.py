"""All positions of a simulated market: arrays by row (long hasty, long patient, short hasty, short patient)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from heatmaps.core.grid import Floats, Ints

ROWS: Final = 4
# quantity [contracts], entry and liquidation [ln price], born [minute], kind (sum of the flags below).
FIELDS: Final = 5
WALLET, PARTIAL = 1, 2
# Positions that an hour may add to a row.
ROOM: Final = 512
# Where a position is liquidated that never is.
NEVER: Final = np.array([-99.0, -99.0, 99.0, 99.0])


class Book:
    """Positions in ``cells`` float64[FIELDS, ROWS, capacity]; a closed one leaves a hole until ``compact``."""

    def __init__(self, capacity: int = 8192) -> None:
        self._hold(capacity)
        self.count = [0] * ROWS
        self.total = [0.0, 0.0]
        # No long is liquidated above edge[0], no short below edge[1] [ln price].
        self.edge = [-99.0, 99.0]

    def _hold(self, capacity: int) -> None:
        self.capacity = capacity
        self.cells = np.zeros((FIELDS, ROWS, capacity))
        self.cells[2] = NEVER[:, None]
        self.quantity, self.entry, self.level, self.born, self.kind = self.cells
        self.flat = self.cells.reshape(FIELDS, -1)

    def add(self, rows: list[int], columns: Floats) -> None:
        """Open positions; rows: the row of each, columns float64[FIELDS, n]."""
        slots = []
        for row in rows:
            slots.append(row * self.capacity + self.count[row])
            self.count[row] += 1
        self.flat[:, slots] = columns
        for row, quantity, level in zip(rows, columns[0].tolist(), columns[2].tolist(), strict=True):
            side = row // 2
            self.total[side] += quantity
            self.edge[side] = max(self.edge[0], level) if side == 0 else min(self.edge[1], level)

    def close(self, flat: Ints) -> list[float]:
        """Close positions by flat index (repeats and holes are allowed); return the contracts closed per side."""
        flat = np.unique(flat)
        gone = self.flat[0, flat]
        short = flat >= 2 * self.capacity
        shorts = float(gone[short].sum())
        closed = [float(gone.sum()) - shorts, shorts]
        self.flat[0, flat] = 0.0
        self.flat[2, flat] = np.where(short, 99.0, -99.0)
        self.total = [self.total[0] - closed[0], self.total[1] - closed[1]]
        return closed

    def reached(self, side: int, price: float) -> Ints:
        """Flat indices of the positions of a side that are liquidated at a price [ln]."""
        start, width = 2 * side * self.capacity, max(self.count[2 * side : 2 * side + 2])
        levels = self.level[2 * side : 2 * side + 2, :width]
        row, slot = np.nonzero(levels >= price if side == 0 else levels <= price)
        return np.asarray(start + row * self.capacity + slot)

    def settle_edge(self, side: int) -> None:
        """Find out again how near the nearest liquidation of a side is."""
        width = max(self.count[2 * side : 2 * side + 2])
        levels = self.level[2 * side : 2 * side + 2, :width]
        self.edge[side] = float(levels.max() if side == 0 else levels.min())

    def compact(self) -> None:
        """Close the holes, keeping the order, sum anew, and grow where another hour might not fit."""
        for row in range(ROWS):
            count = self.count[row]
            keep = np.flatnonzero(self.quantity[row, :count])
            self.cells[:, row, : len(keep)] = self.cells[:, row, keep]
            self.quantity[row, len(keep) : count] = 0.0
            self.level[row, len(keep) : count] = NEVER[row]
            self.count[row] = len(keep)
        if max(self.count) + ROOM > self.capacity:
            old = self.cells
            self._hold(2 * self.capacity)
            self.cells[:, :, : old.shape[2]] = old
        sums = self.quantity.sum(axis=1).tolist()
        self.total = [sums[0] + sums[1], sums[2] + sums[3]]
