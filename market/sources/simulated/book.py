"""The book of all positions: preallocated arrays, four rows (long hasty, long patient, short hasty, short patient).

A closed position leaves a hole that ``compact`` removes later, so that a slot names the same position until then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from .world import liquidation_ticks

if TYPE_CHECKING:
    import numpy.typing as npt

BOOKS: Final = 4
NEVER: Final = np.array([0, 0, 2**62, 2**62], np.int64)  # liquidation price of the hedged and of holes, per row
HEDGED: Final = -1
FIELDS: Final = 5


def _empty(capacity: int) -> npt.NDArray[np.int64]:
    cells = np.zeros((FIELDS, BOOKS, capacity), np.int64)
    cells[1] = 1  # an entry is something that a price can be divided by
    cells[3] = NEVER[:, None]
    return cells


def veil(row: int, columns: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Take the liquidation price from hedged positions and holes; columns [FIELDS, n] of one row."""
    columns[3, (columns[0] == 0) | (columns[4] == HEDGED)] = NEVER[row]
    return columns


class Book:
    """Positions in whole lots and ticks.

    ``cells`` [FIELDS, BOOKS, capacity] of int64, each field also by its name: quantity [lots] (0 = hole), entry and
    liquidation [ticks], centi (effective leverage in hundredths), spare (margin calls that the trader will still
    answer, or HEDGED).
    """

    def __init__(self, capacity: int = 2048) -> None:
        self.count = [0] * BOOKS
        self.total = [0, 0]  # lots open, long and short
        self.edge = [0, int(NEVER[-1])]  # no long is liquidated above, no short below
        self._hold(_empty(capacity))

    def _hold(self, cells: npt.NDArray[np.int64]) -> None:
        self.cells = cells
        self.capacity = cells.shape[2]
        self.quantity, self.entry, self.centi, self.liquidation, self.spare = cells

    def append(self, row: int, columns: npt.NDArray[np.int64]) -> None:
        """Open positions in one row, columns [FIELDS, n]."""
        start = self.count[row]
        stop = start + columns.shape[1]
        if stop > self.capacity:
            grown = _empty(2 * stop)
            grown[:, :, : self.capacity] = self.cells
            self._hold(grown)
        self.cells[:, row, start:stop] = columns
        self.count[row] = stop
        self.total[row // 2] += sum(columns[0].tolist())
        if row < BOOKS // 2:
            self.edge[0] = max(self.edge[0], *columns[3].tolist())
        else:
            self.edge[1] = min(self.edge[1], *columns[3].tolist())

    def close(self, flat: list[int]) -> list[int]:
        """Remove positions by flat index (holes are allowed); return the lots closed per side."""
        closed = [0, 0]
        quantity = self.quantity.reshape(-1)
        for slot in flat:
            closed[slot // self.capacity // 2] += int(quantity[slot])
        quantity[flat] = 0
        self.liquidation.reshape(-1)[flat] = NEVER[[slot // self.capacity for slot in flat]]
        for side in (0, 1):
            self.total[side] -= closed[side]
        return closed

    def liquidate(self, side: int, price: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Close by force what the price reached; traders with spare margin move away instead.

        Returns (liquidation prices [ticks], quantities [lots]), in the order in which the price met them.
        """
        rows = slice(2 * side, 2 * side + 2)
        width = max(self.count[rows])
        levels = self.liquidation[rows, :width]
        reached = levels >= price if side == 0 else levels <= price
        self._answer_margin_calls(side, price, reached)
        row, slot = np.nonzero(reached)
        prices, lots = levels[row, slot], self.quantity[rows][row, slot]
        order = np.argsort(-prices if side == 0 else prices, kind="stable")
        self.close(((row + 2 * side) * self.capacity + slot).tolist())
        self.edge[side] = int(levels.max(initial=0) if side == 0 else levels.min(initial=int(NEVER[-1])))
        return prices[order], lots[order]

    def _answer_margin_calls(self, side: int, price: int, reached: npt.NDArray[np.bool_]) -> None:
        """Double the margin of reached positions that can; clear ``reached`` where that saved them."""
        rows = slice(2 * side, 2 * side + 2)
        width = reached.shape[1]
        levels, spare = self.liquidation[rows, :width], self.spare[rows, :width]
        centi, entry = self.centi[rows, :width], self.entry[rows, :width]
        while (calls := reached & (spare > 0)).any():
            spare[calls] -= 1
            centi[calls] = np.maximum(centi[calls] // 2, 1)
            levels[calls] = liquidation_ticks(entry=entry[calls], centi=centi[calls], side=1 - 2 * side)
            reached[calls] = levels[calls] >= price if side == 0 else levels[calls] <= price

    def reduce(self, flat: list[int], lots: int) -> int:
        """Close positions of one side by flat index until ``lots`` are closed, the last in part; return how many."""
        quantity, left = self.quantity.reshape(-1), lots
        whole = []
        for slot in dict.fromkeys(flat):
            size = int(quantity[slot])
            if size > left:
                quantity[slot] -= left
                self.total[slot // self.capacity // 2] -= left
                left = 0
                break
            whole.append(slot)
            left -= size
        self.close(whole)
        return lots - left

    def compact(self) -> None:
        """Close the holes, keeping the order."""
        for row in range(BOOKS):
            count = self.count[row]
            keep = np.flatnonzero(self.quantity[row, :count])
            self.cells[:, row, : len(keep)] = self.cells[:, row, keep]
            self.quantity[row, len(keep) : count] = 0
            self.liquidation[row, len(keep) : count] = NEVER[row]
            self.count[row] = len(keep)
