"""The loop that estimators of the inventory family share; they differ in the flows they believe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from heatmaps.core.flags import Flag
from heatmaps.core.grid import GRID_BINS, Floats, bin_coordinate
from heatmaps.core.inventory import Inventory, Move

from .base import BLOCK_MS, Estimate, Kept, State, pack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import numpy.typing as npt

    from heatmaps.core.inventory import Deposits
    from heatmaps.core.steps import Steps

    Bits = npt.NDArray[np.uint16]

# Share of volume beyond the change in open interest that leaves positions behind, per five-minute step (fit from
# liquidation prints on simulated markets; the identity of flows gives 0 as lower and 1 as upper bound).
TURNOVER: Final = 0.1
# A column whose map holds less than this share of open interest says so.
MOSTLY: Final = 0.9


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
    touched: list[tuple[int, int] | None]
    tilt: list[float]
    flow: list[tuple[float, float, float]]
    wick: float


def start_state(steps: Steps, deposits: Deposits, digest: bytes) -> State:
    """Nothing is known before the first step: its open interest is the reference and all of it unallocated."""
    first = float(steps.open_interest[0])
    return State(Inventory(deposits), int(steps.end_ms[0]) - 1, int(steps.end_ms[0]), first, first, digest)


def moves(steps: Steps, flow: Flows, width: float, wick: float = 1.0) -> Iterator[Move]:
    """What each step does to an inventory; width of a bin in ln(price); wick: the share swept where one touched."""
    plan = _plan(steps, flow, width, wick)
    return (_move(plan, steps.masses, index) for index in range(len(steps)))


@dataclass(frozen=True, slots=True)
class Run:
    """What a run needs beside its steps: its name (slug, version), width of a bin, share of a wick, and deposits.

    deposits: those of each table of brackets by its index, -1 where none is known; table: which counts at a time [ms].
    """

    name: tuple[str, str]
    width: float
    wick: float
    deposits: Mapping[int, Deposits]
    table: Callable[[int], int]

    def through(self, steps: Steps, flow: Flows, state: State) -> Estimate:
        """Advance ``state`` (in place) through all steps and collect the columns; float errors raise."""
        count = len(steps)
        columns = np.empty((count, GRID_BINS), np.float32)
        anchor, total, ledger = np.empty(count, np.int64), np.empty(count), np.empty((count, 2, 4))
        ends, kept = steps.end_ms.tolist(), []
        tables = [self.table(end) for end in ends]
        flags = steps.flags | _flow_flags(steps, state.last_open_interest)
        inventory = state.inventory
        with np.errstate(all="raise", under="ignore"):
            for index, move in enumerate(moves(steps, flow, self.width, self.wick)):
                if (ends[index] - 1) // BLOCK_MS != (state.through_ms - 1) // BLOCK_MS:
                    inventory.canonicalise()
                inventory.deposits = self.deposits[tables[index]]
                ledger[index] = inventory.step(move)
                columns[index] = inventory.column()
                anchor[index], total[index] = inventory.grid_start, inventory.total[0]
                state.through_ms, state.digest = ends[index], steps.digests[index]
                state.last_open_interest = move.open_interest
                if ends[index] % BLOCK_MS == 0:
                    inventory.canonicalise()
                    kept.append(Kept(ends[index], pack(state), state.digest))
        flags |= np.where(np.array(tables) < 0, Flag.DEFAULT_BRACKETS, 0).astype(np.uint16)
        flags |= np.where(total < MOSTLY * steps.open_interest, Flag.UNPLACED, 0).astype(np.uint16)
        return Estimate(*self.name, steps, anchor, columns, ledger, total, tuple(kept), state, flags)


def _flow_flags(steps: Steps, before: float) -> Bits:
    """Where open interest changed by more than was traded, and where it doubled or halved."""
    former = np.append(before, steps.open_interest[:-1])
    is_untraded = np.abs(steps.open_interest - former) > steps.volume
    ratio = steps.open_interest / former
    is_jump = (ratio >= 2.0) | (ratio <= 0.5)  # noqa: PLR2004 -- as its name says
    return np.asarray(np.where(is_untraded, Flag.UNTRADED, 0) | np.where(is_jump, Flag.JUMP, 0), np.uint16)


def nothing(name: tuple[str, str], steps: Steps, state: State | None) -> Estimate:
    """The estimate over a window without a complete step."""
    none, columns = np.empty(0), np.empty((0, GRID_BINS), np.float32)
    return Estimate(*name, steps, np.empty(0, np.int64), columns, np.empty((0, 2, 4)), none, (), state, steps.flags)


def _move(plan: _Plan, masses: Floats, index: int) -> Move:
    histogram = masses[plan.pointer[index] : plan.pointer[index + 1]]
    sides = plan.swept[index], plan.close[index], plan.touched[index]
    return Move(plan.first[index], histogram, *plan.flow[index], *sides, plan.wick, plan.tilt[index])


def _plan(steps: Steps, flows_: Flows, width: float, wick: float) -> _Plan:
    def pair(below: Floats, above: Floats) -> list[tuple[int, int]]:
        low, high = bin_coordinate(below, width) - 0.5, bin_coordinate(above, width) - 0.5
        return list(zip(np.ceil(low).astype(int).tolist(), np.floor(high).astype(int).tolist(), strict=True))

    sweeps, close = steps.sweeps, steps.close
    # Sides are told apart by the close, so whatever the mark price did, nothing stays on the wrong side of it.
    swept = pair(np.minimum(sweeps.low, close), np.maximum(sweeps.high, close))
    touched = pair(sweeps.touch_low, sweeps.touch_high)
    flow = (flows_.open_interest.tolist(), flows_.opened.tolist(), flows_.room.tolist())
    return _Plan(
        first=steps.first_bin.tolist(),
        pointer=steps.pointer.tolist(),
        swept=swept,
        close=pair(close, close),
        touched=[t if t[0] < s[0] or t[1] > s[1] else None for s, t in zip(swept, touched, strict=True)],
        tilt=steps.tilt.tolist(),
        flow=list(zip(*flow, strict=True)),
        wick=wick,
    )
