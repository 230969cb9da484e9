"""The recurrence once more, in plain Python and tier by tier: slow, obvious, and what the kernel must agree with.

Nothing is shared with the kernel but the form of its input: bins are scanned one by one, closes are applied to every
bin at once, all 24 tiers have rows of their own (twice, with a fast population), and the reachable total is found by
bisection.
"""

from __future__ import annotations

from math import exp, log
from typing import TYPE_CHECKING

from .closing import PROPORTIONAL
from .grid import GRID_BINS
from .leverage import offsets

if TYPE_CHECKING:
    from collections.abc import Callable

    from .closing import Closing
    from .inventory import Move
    from .leverage import Tiers

_HALVINGS = 80


class PlainInventory:
    """Contracts per side, place and bin: rows[side][place][bin - anchor]; ``never``: per side, out of reach.

    A place is a tier; with a fast population the tiers come twice, the slow ones first.
    """

    def __init__(self, tiers: Tiers, width: float, anchor: int, closing: Closing = PROPORTIONAL) -> None:
        fast = closing.fast_share
        parts = [1.0 - fast, fast] if closing.populations > 1 else [1.0]
        self.slow = len(tiers.leverage)
        self.weight: list[list[float]] = [[w * part for part in parts for w in side] for side in tiers.weight.tolist()]
        self.offset: list[list[int]] = [side * len(parts) for side in offsets(tiers, width).tolist()]
        self.leverage: list[float] = tiers.leverage.tolist() * len(parts)
        self.anchor, self.width, self.closing = anchor, width, closing
        self.rows = [[[0.0] * GRID_BINS for _ in self.leverage] for _ in range(2)]
        self.never = [0.0, 0.0]
        self.total = [0.0, 0.0]

    def step(self, move: Move) -> None:
        """Advance by one step: sweep, close, open."""
        for side in (0, 1):
            self.total[side] -= self._sweep(side, move)
        placed = [self._places(side, move) for side in (0, 1)]
        keep = [1.0 - lost for _, lost in placed]
        goal = self._goal(move, keep)
        for side in (0, 1):
            self._close_and_open(side, goal, keep[side], placed[side][0], move)

    def column(self) -> list[float]:
        """Contracts per bin, both sides."""
        return [sum(row[j] for rows in self.rows for row in rows) for j in range(GRID_BINS)]

    def _sweep(self, side: int, move: Move) -> float:
        gone = 0.0
        for row in self.rows[side]:
            for j in range(GRID_BINS):
                share = self._swept_share(side, self.anchor + j, move)
                gone += row[j] * share
                row[j] -= row[j] * share
        return gone

    @staticmethod
    def _swept_share(side: int, bin_: int, move: Move) -> float:
        if bin_ >= move.swept[0] if side == 0 else bin_ <= move.swept[1]:
            return 1.0
        if move.touched is None:
            return 0.0
        return move.wick if (bin_ >= move.touched[0] if side == 0 else bin_ <= move.touched[1]) else 0.0

    def _weights(self, side: int, tilt: float) -> list[float]:
        """Shares of new positions by place, leaning by ``tilt`` to high leverage (longs) or away from it (shorts)."""
        weight = self.weight[side]
        mean = sum(w * log(x) for w, x in zip(weight, self.leverage, strict=True)) / sum(weight)
        sign = tilt if side == 0 else -tilt
        leaning = [w * exp(sign * (log(x) - mean)) for w, x in zip(weight, self.leverage, strict=True)]
        return [w * sum(weight) / sum(leaning) for w in leaning]

    def _places(self, side: int, move: Move) -> tuple[list[tuple[int, int, float]], float]:
        """Where one contract opened in this step lies, (place, bin, share), and the share already beyond the close."""
        places, lost = [], 0.0
        for place, weight in enumerate(self._weights(side, move.tilt)):
            for i, mass in enumerate(move.masses.tolist()):
                bin_ = move.first_bin + i + self.offset[side][place]
                is_alive = bin_ < move.close[0] if side == 0 else bin_ > move.close[1]
                if is_alive:
                    places.append((place, bin_, weight * mass))
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
        self._close(side, self.total[side] - (goal - opened * keep), move.close[side])
        for place, bin_, share in places:
            self.rows[side][place][bin_ - self.anchor] += opened * share
        self.never[side] += opened * (keep - sum(share for _, _, share in places))
        self.total[side] = goal

    def _close(self, side: int, closes: float, close: int) -> None:
        """Close so many contracts of the survivors: who closes sooner first, then all in proportion."""
        option, alive = self.closing, self.total[side]
        for ratio, concerns in (
            (option.fast_ratio, lambda place, _bin: float(place >= self.slow)),
            (option.loss_ratio, lambda _place, bin_: exp(-abs(bin_ + 0.5 - close) * self.width / option.loss_reach)),
        ):
            if ratio > 1.0 and closes > 0.0:
                extra = self._take(side, ratio, concerns, closes, alive)
                closes, alive = closes - extra, alive - extra
        stay = 1.0 - closes / alive if alive > 0.0 else 1.0
        for row in self.rows[side]:
            for j in range(GRID_BINS):
                row[j] *= stay
        self.never[side] *= stay

    def _take(
        self, side: int, ratio: float, concerns: Callable[[int, int], float], closes: float, alive: float
    ) -> float:
        """Take the extra closes of an option, whose k is ``concerns(place, bin)``; return them."""
        rows = self.rows[side]
        held = [
            [row[j] * concerns(place, self.anchor + j) if row[j] else 0.0 for j in range(GRID_BINS)]
            for place, row in enumerate(rows)
        ]
        mass = sum(map(sum, held))
        extra = min(closes * (ratio - 1.0) * mass / (alive + (ratio - 1.0) * mass), mass)
        for row, part in zip(rows, held, strict=True):
            for j in range(GRID_BINS):
                row[j] -= part[j] * (extra / mass) if mass > 0.0 else 0.0
        return extra
