"""The loop that estimators of the inventory family share; they differ in the flows they believe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from heatmaps.core.grid import GRID_BINS, Floats, bin_coordinate
from heatmaps.core.inventory import Inventory, Move

from .base import BLOCK_MS, Estimate, Kept, State, pack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from heatmaps.core.inventory import Deposits
    from heatmaps.core.steps import Steps

# Share of volume beyond the change in open interest that leaves positions behind, per five-minute step (fit from
# liquidation prints on simulated markets; the identity of flows gives 0 as lower and 1 as upper bound).
TURNOVER: Final = 0.1


@dataclass(frozen=True, slots=True)
class Flows:
    """Per step [contracts]: open interest at its end, opened at least on each side, opened at most on both together."""

    open_interest: Floats
    opened: Floats
    room: Floats


def flows(open_interest: Floats, volume: Floats, before: float, turnover: float = TURNOVER) -> Flows:
    """Bounds on positions opened per side, from O_long + O_short = V + change in open interest.

    Every trade is (buyer opens or closes) x (seller opens or closes); the upper bound is all opens that volume
    allows, the lower one the rise of open interest plus ``turnover`` of the volume that is left.
    """
    change = np.diff(open_interest, prepend=before)
    churn = np.maximum(volume - np.abs(change), 0.0) / 2.0
    opened = np.minimum(np.maximum(change, 0.0) + turnover * churn, open_interest)
    return Flows(open_interest, opened, np.maximum(volume + change, 2.0 * opened))


@dataclass(frozen=True, slots=True)
class _Plan:
    """The steps as plain lists: indexing an array in a tight loop costs more than the arithmetic."""

    first: list[int]
    pointer: list[int]
    swept: list[tuple[int, int]]
    close: list[tuple[int, int]]
    flow: list[tuple[float, float, float]]


def start_state(steps: Steps, deposits: Deposits, digest: bytes) -> State:
    """Nothing is known before the first step: its open interest is the reference and all of it unallocated."""
    first = float(steps.open_interest[0])
    return State(Inventory(deposits), int(steps.end_ms[0]) - 1, int(steps.end_ms[0]), first, first, digest)


def moves(steps: Steps, flow: Flows, width: float) -> Iterator[Move]:
    """What each step does to an inventory; width of a bin in ln(price)."""
    plan = _plan(steps, flow, width)
    return (_move(plan, steps.masses, index) for index in range(len(steps)))


def run(name: tuple[str, str], steps: Steps, flow: Flows, state: State, width: float) -> Estimate:
    """Advance ``state`` (in place) through all steps and collect the columns; float errors raise."""
    count = len(steps)
    columns = np.empty((count, GRID_BINS), np.float32)
    anchor, total, ledger = np.empty(count, np.int64), np.empty(count), np.empty((count, 2, 4))
    ends, kept = steps.end_ms.tolist(), []
    inventory = state.inventory
    with np.errstate(all="raise", under="ignore"):
        for index, move in enumerate(moves(steps, flow, width)):
            if (ends[index] - 1) // BLOCK_MS != (state.through_ms - 1) // BLOCK_MS:
                inventory.canonicalise()
            ledger[index] = inventory.step(move)
            columns[index] = inventory.column()
            anchor[index], total[index] = inventory.grid_start, inventory.total[0]
            state.through_ms, state.digest = ends[index], steps.digests[index]
            state.last_open_interest = move.open_interest
            if ends[index] % BLOCK_MS == 0:
                inventory.canonicalise()
                kept.append(Kept(ends[index], pack(state), state.digest))
    return Estimate(*name, steps, anchor, columns, ledger, total, tuple(kept), state)


def nothing(name: tuple[str, str], steps: Steps, state: State | None) -> Estimate:
    """The estimate over a window without a complete step."""
    none, columns = np.empty(0), np.empty((0, GRID_BINS), np.float32)
    return Estimate(*name, steps, np.empty(0, np.int64), columns, np.empty((0, 2, 4)), none, (), state)


def _move(plan: _Plan, masses: Floats, index: int) -> Move:
    histogram = masses[plan.pointer[index] : plan.pointer[index + 1]]
    return Move(plan.first[index], histogram, *plan.flow[index], plan.swept[index], plan.close[index])


def _plan(steps: Steps, flows_: Flows, width: float) -> _Plan:
    low, high, close = (bin_coordinate(price, width) - 0.5 for price in (steps.low, steps.high, steps.close))

    def pair(below: Floats, above: Floats) -> list[tuple[int, int]]:
        return list(zip(np.ceil(below).astype(int).tolist(), np.floor(above).astype(int).tolist(), strict=True))

    flow = (flows_.open_interest.tolist(), flows_.opened.tolist(), flows_.room.tolist())
    return _Plan(
        first=steps.first_bin.tolist(),
        pointer=steps.pointer.tolist(),
        swept=pair(low, high),
        close=pair(close, close),
        flow=list(zip(*flow, strict=True)),
    )
