"""Estimated open positions by liquidation price: the recurrence, its state, and the state as bytes.

Per step and side, with T the contracts held, U what is not allocated, and keep = the share of new positions whose
liquidation price lies beyond the close (the rest is liquidated inside the same step):

    X    = what lies in bins that price traded through; those bins become empty
    S    = T - X
    goal = the largest total <= open interest that both sides can reach (``_reach``)
    S + opened * keep >= goal:  O = opened,  d = (goal - O * keep) / S    (others closed, in proportion)
    otherwise:                  d = 1,       O = (goal - S) / keep        (sweeps exceed closes: more was opened)
    T    = goal;  U = open interest - goal

Long equals short at every step, as it must. What is opened on both sides together is bounded by volume:
O_long + O_short = V + change in open interest, where each side opens at least ``opened``.

Tiers need not be stored: a sweep clears a bin whatever its leverage and d is common to a side, so the rows are the
six groups that the map attributes to. Scaling is lazy: the rows hold contracts / scale.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from .closing import PROPORTIONAL, Closing, loss_share, take_sooner
from .grid import ANCHOR_MULTIPLE, GRID_BINS, anchor_for
from .leverage import GROUP_LABELS, Tiers, offsets

if TYPE_CHECKING:
    from .grid import Floats, Ints

GROUPS: Final = len(GROUP_LABELS)
# Contracts below this share of a side's total are dropped when the state is made canonical.
_DUST: Final = 1e-9
# A side that closed down to this share starts anew; dividing by such a scale would lose all digits.
_EMPTY: Final = 1e-12


class Move(NamedTuple):
    """One step's input: bins are absolute, contracts in base units.

    first_bin, masses: entry histogram; opened: at least, per side; room: at most, both sides together;
    swept, close: (long, short) bins, swept inclusive; longs must lie below close[0] and shorts above close[1].
    touched: (long, short) bins to which only a share ``wick`` is swept, where they lie beyond ``swept``.
    tilt: how much the new longs lean to high leverage, and the new shorts away from it.
    """

    first_bin: int
    masses: Floats
    open_interest: float
    opened: float
    room: float
    swept: tuple[int, int]
    close: tuple[int, int]
    touched: tuple[int, int] | None = None
    wick: float = 0.0
    tilt: float = 0.0


class SideEntry(NamedTuple):
    """One side of a step in the ledger [contracts]; ``kept`` is d, the share of survivors that stayed open."""

    swept: float
    kept: float
    opened: float
    lost: float


class Deposits:
    """Where new positions are liquidated: made once per table of brackets and shared by all inventories under it.

    offset: [side, place] bins from entry; weight: [side, place, 1]; a place is a tier, with a fast population twice.
    """

    def __init__(self, tiers: Tiers, width: float, closing: Closing = PROPORTIONAL) -> None:
        self.closing, self.width = closing, width
        self.populations = closing.populations
        self.offset: Ints = np.tile(offsets(tiers, width), self.populations)
        group = np.concatenate([tiers.group + GROUPS * number for number in range(self.populations)])
        row = np.arange(2)[:, None] * GROUPS * self.populations + group[None, :]
        self.base: Ints = (self.offset + row * GRID_BINS)[:, :, None]
        parts = (1.0,) if self.populations == 1 else (1.0 - closing.fast_share, closing.fast_share)
        self.weight: Floats = np.concatenate([tiers.weight * part for part in parts], axis=1)[:, :, None]
        self.log_leverage: Floats = np.tile(np.log(tiers.leverage), self.populations)[:, None]
        self.nearest = (int(self.offset[0].max()), int(self.offset[1].min()))
        reach = max(-int(self.offset[0].min()), int(self.offset[1].max()))
        # Bins kept free between new entries and the ends of the grid.
        self.margin = reach + 1
        if self.weight.sum(axis=1).max() >= 1.0:
            raise ValueError("some positions must be out of reach of liquidation")
        if 2 * self.margin + ANCHOR_MULTIPLE > GRID_BINS:
            raise ValueError("the lowest tier reaches beyond the grid")

    def tilted(self, tilt: float) -> Floats:
        """The weights with longs leaning to high leverage by ``tilt`` and shorts by its negative; sums are kept."""
        if tilt == 0.0:
            return self.weight
        mean = (self.weight * self.log_leverage).sum(axis=1) / self.weight.sum(axis=1)
        sign = np.array([1.0, -1.0])[:, None, None]
        leaning = self.weight * np.exp(sign * tilt * (self.log_leverage - mean[:, None]))
        return np.asarray(leaning * (self.weight.sum(axis=1) / leaning.sum(axis=1))[:, None])


@dataclass(slots=True)
class Inventory:
    """Contracts open by liquidation price: rows[side, group, bin - anchor] * scale[side] (side 0 long, 1 short).

    total: contracts per side, of which ``hidden`` lie on no bin (never liquidated, off the grid, or dust).
    edge: longs live below edge[0], shorts at or above edge[1] (bins relative to the anchor).
    """

    deposits: Deposits
    anchor: int | None = None
    rows: Floats = field(init=False)
    scale: list[float] = field(default_factory=lambda: [1.0, 1.0])
    total: list[float] = field(default_factory=lambda: [0.0, 0.0])
    hidden: list[float] = field(default_factory=lambda: [0.0, 0.0])
    edge: list[int] = field(default_factory=lambda: [0, GRID_BINS])

    def __post_init__(self) -> None:
        self.rows = np.zeros((2, GROUPS * self.deposits.populations, GRID_BINS))

    def step(self, move: Move) -> tuple[SideEntry, SideEntry]:
        """Advance by one step and return its ledger, (long, short)."""
        anchor, first, masses = self._hold(move.first_bin, move.masses)
        swept = self._sweep(move, anchor)
        values = np.empty((2, self.deposits.weight.shape[1], len(masses)))
        np.multiply(self.deposits.tilted(move.tilt), masses, out=values)
        lost = self._kill(values, first, move.close[0] - anchor, move.close[1] - anchor)
        alive = (self.total[0] - swept[0], self.total[1] - swept[1])
        keep = (1.0 - lost[0], 1.0 - lost[1])
        goal = min(move.open_interest, _reach(alive, keep, move))
        entries = []
        for side in (0, 1):
            kept, opened = _close(alive[side], goal, keep[side], move.opened)
            self._shrink(side, kept, alive[side], move.close[side])
            placed = float(values[side].sum())
            self.hidden[side] += opened * max(keep[side] - placed, 0.0)
            values[side] *= opened / self.scale[side]
            self.total[side] = goal
            entries.append(SideEntry(swept[side], kept, opened, opened * lost[side]))
        index = self.deposits.base + np.arange(first, first + len(masses))
        np.add.at(self.rows.reshape(-1), index.reshape(-1), values.reshape(-1))
        return entries[0], entries[1]

    @property
    def grid_start(self) -> int:
        """The absolute bin of the first place in ``rows``."""
        return self.anchor or 0

    def column(self) -> Floats:
        """Contracts per bin of the grid, both sides: float64[GRID_BINS]; they do not overlap."""
        out = np.zeros(GRID_BINS)
        long, short = self.edge
        np.sum(self.rows[0, :, :long], axis=0, out=out[:long])
        out[:long] *= self.scale[0]
        if short < long:
            out[short:] += self.scale[1] * self.rows[1, :, short:].sum(axis=0)
        else:
            np.sum(self.rows[1, :, short:], axis=0, out=out[short:])
            out[short:] *= self.scale[1]
        return out

    def canonicalise(self) -> None:
        """Round the state to what ``pack`` keeps; every run does this at the same boundaries, restarted or not."""
        for side in (0, 1):
            rows = (self.rows[side] * self.scale[side]).astype(np.float32)
            rows[rows < _DUST * self.total[side]] = 0.0
            self.rows[side] = rows
            self.scale[side] = 1.0
            self.hidden[side] = self.total[side] - float(self.rows[side].sum())

    def copy(self) -> Inventory:
        """An independent inventory in the same state."""
        twin = copy.copy(self)
        twin.rows = self.rows.copy()
        twin.scale, twin.total = list(self.scale), list(self.total)
        twin.hidden, twin.edge = list(self.hidden), list(self.edge)
        return twin

    def _hold(self, first_bin: int, masses: Floats) -> tuple[int, int, Floats]:
        """Keep new entries inside the grid: move it if need be, trim a step that spans more than it can hold.

        Depends on the past alone: the grid moves at the step that needs it, whoever runs it. What falls off stays in
        ``total`` as hidden.
        """
        margin, count = self.deposits.margin, len(masses)
        if self.anchor is None:
            self.anchor = anchor_for(first_bin + count // 2)
        first = first_bin - self.anchor
        if first < margin or first + count > GRID_BINS - margin:
            self._move_grid(anchor_for(first_bin + count // 2))
            first = first_bin - self.anchor
            low, high = max(first, margin), min(first + count, GRID_BINS - margin)
            masses, first = masses[low - first : high - first], low
        return self.anchor, first, masses

    def _move_grid(self, anchor: int) -> None:
        shift = (self.anchor or 0) - anchor
        moved = np.zeros_like(self.rows)
        if abs(shift) < GRID_BINS:
            source = slice(max(-shift, 0), GRID_BINS - max(shift, 0))
            target = slice(max(shift, 0), GRID_BINS - max(-shift, 0))
            moved[:, :, target] = self.rows[:, :, source]
        for side in (0, 1):
            off = float(self.rows[side].sum()) - float(moved[side].sum())
            self.hidden[side] += max(off, 0.0) * self.scale[side]
            self.edge[side] = min(max(self.edge[side] + shift, 0), GRID_BINS)
        self.rows, self.anchor = moved, anchor

    def _sweep(self, move: Move, anchor: int) -> tuple[float, float]:
        """Empty the longs from ``swept`` up and the shorts down from it, thin what was touched; return contracts."""
        low, high = min(max(move.swept[0] - anchor, 0), GRID_BINS), min(max(move.swept[1] - anchor + 1, 0), GRID_BINS)
        longs = shorts = 0.0
        if low < self.edge[0]:
            longs, self.edge[0] = self._clear(0, low, self.edge[0]), low
        if high > self.edge[1]:
            shorts, self.edge[1] = self._clear(1, self.edge[1], high), high
        if move.touched is not None:
            longs += self._thin(0, move.touched[0] - anchor, self.edge[0], move.wick)
            shorts += self._thin(1, self.edge[1], move.touched[1] - anchor + 1, move.wick)
        return min(longs, self.total[0]), min(shorts, self.total[1])

    def _clear(self, side: int, start: int, stop: int) -> float:
        lain = self.rows[side, :, start:stop]
        contracts = float(lain.sum()) * self.scale[side]
        lain[:] = 0.0
        return contracts

    def _thin(self, side: int, start: int, stop: int, share: float) -> float:
        lain = self.rows[side, :, max(start, 0) : max(stop, 0)]
        contracts = share * float(lain.sum()) * self.scale[side]
        lain *= 1.0 - share
        return contracts

    def _kill(self, values: Floats, first: int, close_long: int, close_short: int) -> tuple[float, float]:
        """Take out new positions already beyond the close; return their share per side."""
        count, near, lost = values.shape[2], self.deposits.nearest, [0.0, 0.0]
        if first + count - 1 + near[0] >= close_long:
            lost[0] = self._kill_side(values[0], 0, close_long - first)
        if first + near[1] <= close_short:
            lost[1] = self._kill_side(values[1], 1, close_short - first)
        self.edge[0] = max(self.edge[0], min(first + count + near[0], close_long))
        self.edge[1] = min(self.edge[1], max(first + near[1], close_short + 1))
        return lost[0], lost[1]

    def _kill_side(self, values: Floats, side: int, close: int) -> float:
        bins = self.deposits.offset[side][:, None] + np.arange(values.shape[1])
        dead = bins >= close if side == 0 else bins <= close
        lost = float(values[dead].sum())
        values[dead] = 0.0
        return lost

    def _shrink(self, side: int, kept: float, alive: float, close: int) -> None:
        """Close all but ``kept`` of the survivors: first who closes sooner, the rest in proportion."""
        if kept < 1.0 and not self.deposits.closing.is_proportional:
            kept = self._close_sooner(side, (1.0 - kept) * alive, alive, close)
        self.scale[side] *= kept
        self.hidden[side] *= kept
        if self.scale[side] < _EMPTY:
            self.rows[side] = 0.0
            self.scale[side] = 1.0
            self.hidden[side] = 0.0

    def _close_sooner(self, side: int, closes: float, alive: float, close: int) -> float:
        """Take the extra closes of the options; return the share of what is left that stays open."""
        option, rows = self.deposits.closing, self.rows[side]
        rows *= self.scale[side]
        self.scale[side] = 1.0
        extra = take_sooner(rows[GROUPS:], 1.0, option.fast_ratio, closes=closes, alive=alive)
        closes, alive = closes - extra, alive - extra
        away = loss_share(
            np.arange(GRID_BINS, dtype=np.float64) + self.grid_start, close, self.deposits.width, option.loss_reach
        )
        extra = take_sooner(rows, away, option.loss_ratio, closes=closes, alive=alive)
        closes, alive = closes - extra, alive - extra
        return min(max(1.0 - closes / alive, 0.0), 1.0) if alive > 0.0 else 1.0


def _reach(alive: tuple[float, float], keep: tuple[float, float], move: Move) -> float:
    """The largest total that both sides can have when together they open no more than ``room``.

    Side s opens max(opened, (total - alive_s) / keep_s); the sum of two such maxima stays within ``room`` exactly
    while these three bounds hold. ``keep`` is never 0: some new positions are never liquidated.
    """
    spare = move.room - move.opened
    both = (move.room + alive[0] / keep[0] + alive[1] / keep[1]) / (1.0 / keep[0] + 1.0 / keep[1])
    return min(both, alive[0] + spare * keep[0], alive[1] + spare * keep[1])


def _close(alive: float, goal: float, keep: float, opened: float) -> tuple[float, float]:
    """Return (share of survivors that stay, contracts opened) so that survivors and opens meet the goal."""
    if alive + opened * keep < goal:
        return 1.0, (goal - alive) / keep
    opened = min(opened, goal / keep)
    return (min(max(goal - opened * keep, 0.0) / alive, 1.0) if alive > 0.0 else 1.0), opened
