"""The recurrence once more, in plain Python and tier by tier: slow, obvious, and what the kernel must agree with.

Nothing is shared with the kernel but the form of its input: bins are scanned one by one, closes are applied to every
bin at once, all 24 tiers have rows of their own, and the reachable total is found by bisection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .grid import GRID_BINS
from .leverage import offsets

if TYPE_CHECKING:
    from .inventory import Move
    from .leverage import Tiers

_HALVINGS = 80


class PlainInventory:
    """Contracts per side, tier and bin: rows[side][tier][bin - anchor]; ``never``: per side, out of reach."""

    def __init__(self, tiers: Tiers, width: float, anchor: int) -> None:
        self.weight: list[float] = tiers.weight.tolist()
        self.offset: list[list[int]] = offsets(tiers, width).tolist()
        self.anchor = anchor
        self.rows = [[[0.0] * GRID_BINS for _ in self.weight] for _ in range(2)]
        self.never = [0.0, 0.0]
        self.total = [0.0, 0.0]

    def step(self, move: Move) -> None:
        """Advance by one step: sweep, close, open."""
        for side in (0, 1):
            self.total[side] -= self._sweep(side, move.swept[side])
        placed = [self._places(side, move) for side in (0, 1)]
        keep = [1.0 - lost for _, lost in placed]
        goal = self._goal(move, keep)
        for side in (0, 1):
            self._close_and_open(side, goal, keep[side], placed[side][0], move)

    def column(self) -> list[float]:
        """Contracts per bin, both sides."""
        return [sum(row[j] for rows in self.rows for row in rows) for j in range(GRID_BINS)]

    def _sweep(self, side: int, cut: int) -> float:
        gone = 0.0
        for row in self.rows[side]:
            for j in range(GRID_BINS):
                is_traded = self.anchor + j >= cut if side == 0 else self.anchor + j <= cut
                if is_traded and row[j]:
                    gone += row[j]
                    row[j] = 0.0
        return gone

    def _places(self, side: int, move: Move) -> tuple[list[tuple[int, int, float]], float]:
        """Where one contract opened in this step lies, (tier, bin, share), and the share already beyond the close."""
        places, lost = [], 0.0
        for tier, weight in enumerate(self.weight):
            for i, mass in enumerate(move.masses.tolist()):
                bin_ = move.first_bin + i + self.offset[side][tier]
                is_alive = bin_ < move.close[0] if side == 0 else bin_ > move.close[1]
                if is_alive:
                    places.append((tier, bin_, weight * mass))
                else:
                    lost += weight * mass
        return places, lost

    def _goal(self, move: Move, keep: list[float]) -> float:
        def opens(total: float) -> float:
            return sum(max(move.opened, (total - self.total[s]) / keep[s]) for s in (0, 1))

        low, high = 0.0, move.open_interest
        if opens(high) <= move.room:
            return high
        for _ in range(_HALVINGS):
            middle = (low + high) / 2.0
            low, high = (middle, high) if opens(middle) <= move.room else (low, middle)
        return low

    def _close_and_open(
        self, side: int, goal: float, keep: float, places: list[tuple[int, int, float]], move: Move
    ) -> None:
        opened = max(move.opened, (goal - self.total[side]) / keep)
        opened = min(opened, goal / keep)
        stay = (goal - opened * keep) / self.total[side] if self.total[side] > 0.0 else 1.0
        for row in self.rows[side]:
            for j in range(GRID_BINS):
                row[j] *= stay
        for tier, bin_, share in places:
            self.rows[side][tier][bin_ - self.anchor] += opened * share
        self.never[side] = self.never[side] * stay + opened * (keep - sum(share for _, _, share in places))
        self.total[side] = goal
