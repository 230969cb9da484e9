"""What the known rules have in common: a map made step by step from rows of their own, without an inventory.

They are baselines. Each says in a few lines what others publish or sell as a heatmap, keeps the same contract as ours
and is scored beside it. Their sums need not be open interest, so they keep no ledger of flows.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from heatmaps.core.grid import BIN_BPS, GRID_BINS, Floats, anchor_for, bin_coordinate, bin_width
from heatmaps.core.steps import cut_steps, sampled_ends

from .base import BLOCK_MS, START_DIGEST, Drawn, Kept

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heatmaps.core.steps import Steps
    from market.series import Window
    from market.terms import Terms

# The leverages of public heatmaps, in equal shares; they divide by leverage and know no maintenance margin.
LEVERAGES: Final = (5.0, 10.0, 25.0, 50.0, 100.0)
# Bins kept free around the price: wide enough for the farthest level (5x) and for +-10 %.
_MARGIN: Final = 1024
_HEAD: Final = struct.Struct("<4sqqqd32sii")
_MAGIC: Final = b"BHR1"


class Step(NamedTuple):
    """One step as rules read it. Bins are relative to the grid; contracts in base units.

    low, high: first long bin and last short bin that price traded through; below, above: longs lie in bins < below,
    shorts in bins > above; entry: bin of the close; change: of open interest; masses: entry histogram from ``first``.
    """

    low: int
    high: int
    below: int
    above: int
    entry: int
    close: float
    low_price: float
    high_price: float
    volume: float
    open_interest: float
    change: float
    first: int
    masses: Floats


@dataclass(slots=True)
class RuleState:
    """Where a rule stands: rows float64[row, GRID_BINS] from bin ``anchor`` up, and a few numbers of its own."""

    rows: Floats
    memory: Floats
    anchor: int
    through_ms: int
    first_ms: int
    open_interest: float
    digest: bytes = field(default=START_DIGEST)

    def copy(self) -> RuleState:
        """An independent copy that may run ahead."""
        held = self.anchor, self.through_ms, self.first_ms, self.open_interest, self.digest
        return RuleState(self.rows.copy(), self.memory.copy(), *held)

    def move(self, anchor: int) -> None:
        """Shift the grid; what falls off is forgotten."""
        shift, moved = self.anchor - anchor, np.zeros_like(self.rows)
        if abs(shift) < GRID_BINS:
            source = slice(max(-shift, 0), GRID_BINS - max(shift, 0))
            moved[:, max(shift, 0) : GRID_BINS - max(-shift, 0)] = self.rows[:, source]
        self.rows, self.anchor = moved, anchor


class RuleEstimator:
    """A rule; a subclass says how a step changes the rows and what they show."""

    slug: str
    version: str
    parameters: Mapping[str, object]
    row_count = 2
    memory_count = 0
    bin_bps = BIN_BPS

    def __init__(self, *, terms: Terms) -> None:  # noqa: ARG002 -- the rules know one formula for all venues
        self.width = bin_width(self.bin_bps)
        self.levels = ladder(self.width)

    def advance(self, state: RuleState, step: Step) -> Floats | None:
        """Change the rows by one step; a rule that keeps parts apart returns what was swept of each."""
        raise NotImplementedError

    def column(self, state: RuleState, step: Step) -> Floats:
        """Contracts per bin after the step: longs below its close, shorts above."""
        return both_sides(state.rows[0], state.rows[1], step)

    def estimate(self, window: Window, state: RuleState | None) -> Drawn:
        """Go on from ``state`` (None: from nothing) through every complete step; ``state`` is used up."""
        through = None if state is None else state.through_ms
        digest = START_DIGEST if state is None else state.digest
        steps = cut_steps(window, sampled_ends(window), width=self.width, through_ms=through, digest=digest)
        columns, anchor = np.empty((len(steps), GRID_BINS), np.float32), np.empty(len(steps), np.int64)
        if len(steps) == 0:
            return Drawn(self.slug, self.version, steps, anchor, columns, (), state)
        if state is None:
            state = self._start(steps)
        kept, swept = [], []
        for index, end_ms in enumerate(steps.end_ms.tolist()):
            step = self._step(steps, index, state)
            swept.append(self.advance(state, step))
            columns[index], anchor[index] = self.column(state, step), state.anchor
            state.through_ms, state.digest = end_ms, steps.digests[index]
            state.open_interest = step.open_interest
            if end_ms % BLOCK_MS == 0:
                kept.append(Kept(end_ms, pack(state), state.digest))
        return Drawn(self.slug, self.version, steps, anchor, columns, tuple(kept), state, swept)

    def resume(self, body: bytes) -> RuleState:
        """Rebuild a state from bytes that this rule kept; ValueError if they are not."""
        state = unpack(body)
        if (len(state.rows), len(state.memory)) != (self.row_count, self.memory_count):
            raise ValueError("the snapshot is of another rule")
        return state

    def _start(self, steps: Steps) -> RuleState:
        first_ms = int(steps.end_ms[0])
        entry = int(np.floor(bin_coordinate(steps.close[0], self.width)))
        rows, memory = np.zeros((self.row_count, GRID_BINS)), np.full(self.memory_count, np.nan)
        return RuleState(rows, memory, anchor_for(entry), first_ms - 1, first_ms, float(steps.open_interest[0]))

    def _step(self, steps: Steps, index: int, state: RuleState) -> Step:
        prices = np.array([steps.low[index], steps.high[index], steps.close[index]])
        low, high, close = (bin_coordinate(prices, self.width)).tolist()
        entry = int(np.floor(close))
        if not _MARGIN <= entry - state.anchor < GRID_BINS - _MARGIN:
            state.move(anchor_for(entry))
        anchor, interest = state.anchor, float(steps.open_interest[index])
        return Step(
            low=min(max(int(np.ceil(low - 0.5)) - anchor, 0), GRID_BINS),
            high=min(max(int(np.floor(high - 0.5)) - anchor, -1), GRID_BINS - 1),
            below=int(np.ceil(close - 0.5)) - anchor,
            above=int(np.floor(close - 0.5)) - anchor,
            entry=entry - anchor,
            close=float(prices[2]),
            low_price=float(prices[0]),
            high_price=float(prices[1]),
            volume=float(steps.volume[index]),
            open_interest=interest,
            change=interest - state.open_interest,
            first=int(steps.first_bin[index]) - anchor,
            masses=steps.masses[steps.pointer[index] : steps.pointer[index + 1]],
        )


def ladder(width: float) -> tuple[list[int], list[int]]:
    """Whole bins from entry to the levels of LEVERAGES, of longs and of shorts: ln(1 -+ 1 / leverage)."""
    leverage = np.array(LEVERAGES)
    long, short = (np.rint(np.log(1.0 + sign / leverage) / width).astype(int).tolist() for sign in (-1.0, 1.0))
    return long, short


def deposit(row: Floats, entry: int, offsets: list[int], contracts: float) -> None:
    """Share ``contracts`` out over the levels of one entry; levels off the grid are left out."""
    for offset in offsets:
        if 0 <= entry + offset < GRID_BINS:
            row[entry + offset] += contracts / len(offsets)


def sweep(state: RuleState, step: Step) -> None:
    """Empty what price traded through."""
    state.rows[0, step.low :] = 0.0
    state.rows[1, : step.high + 1] = 0.0


def both_sides(longs: Floats, shorts: Floats, step: Step) -> Floats:
    """One column of longs below the close and shorts above it."""
    shown = np.zeros(GRID_BINS)
    shown[: step.below] = longs[: step.below]
    shown[step.above + 1 :] = shorts[step.above + 1 :]
    return shown


def pack(state: RuleState) -> bytes:
    """A state as bytes: a head, then numbers and rows as they are."""
    counts = len(state.rows), len(state.memory)
    times = state.anchor, state.through_ms, state.first_ms
    head = _HEAD.pack(_MAGIC, *times, state.open_interest, state.digest, *counts)
    return head + state.memory.astype("<f8").tobytes() + state.rows.astype("<f8").tobytes()


def unpack(body: bytes) -> RuleState:
    """Undo ``pack``; ValueError for bytes of another kind or length."""
    if len(body) < _HEAD.size:
        raise ValueError("the snapshot is cut short")
    magic, anchor, through, first, interest, digest, rows, memory = _HEAD.unpack_from(body)
    if magic != _MAGIC or len(body) != _HEAD.size + 8 * (memory + rows * GRID_BINS):
        raise ValueError("not a snapshot of a rule")
    numbers = np.frombuffer(body, "<f8", offset=_HEAD.size).astype(np.float64)
    return RuleState(
        numbers[memory:].reshape(rows, GRID_BINS).copy(),
        numbers[:memory].copy(),
        anchor,
        through,
        first,
        interest,
        digest,
    )
