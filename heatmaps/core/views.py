"""Maps, true positions and liquidations on one footing: bins by distance from the price, nearest first.

All views are float[slice, side, REACH]; side 0 longs (below the bin of the close), 1 shorts (above it); bins are
those of the absolute grid of width ``bin_width(BIN_BPS)``, and the bin of the close itself belongs to neither side.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from market.series import HOUR_MS, MINUTE_MS, Window

from .estimators.base import BLOCK_MS
from .grid import BIN_BPS, Floats, Ints, bin_coordinate, bin_width
from .worlds.market import START_MS, START_PRICE

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from .estimators.base import Estimator, Map
    from .worlds.market import Tape

    Bools = npt.NDArray[np.bool_]

REACH: Final = 600
_WIDTH: Final = bin_width(BIN_BPS)
_START: Final = float(np.log(START_PRICE)) / _WIDTH
# What is estimated at a time; a day's columns fit into a few megabytes.
_PART_MS: Final = 4 * BLOCK_MS


@dataclass(frozen=True, slots=True)
class Slices:
    """The moments at which a map is judged, and what came after.

    end_ms, close_bin: int64[slice]; price, open_interest: float64[slice]; held: contracts of the true positions;
    printed: contracts liquidated within the hour after; swept: int64[slice, side], how many bins the price went through
    in that hour.
    """

    end_ms: Ints
    price: Floats
    close_bin: Ints
    held: Floats
    printed: Floats
    swept: Ints

    def __len__(self) -> int:
        return len(self.end_ms)

    def where(self, kept: Bools) -> Slices:
        """Those that are marked: bool[slice]."""
        return replace(self, **{name: getattr(self, name)[kept] for name in self.__slots__})


def slices(tape: Tape, *, minutes: int = 60) -> Slices:
    """Cut a simulated run at its holdings (the last one has no hour after it and is left out)."""
    bars, count = tape.window.bars, len(tape.window.bars)
    at = [holding for holding in tape.holdings if holding.minute + 1 + minutes <= count]
    minute = np.array([holding.minute for holding in at], np.int64)
    close = np.floor(bin_coordinate(bars["close"][minute], _WIDTH)).astype(np.int64)
    low = np.array([bars["low"][m + 1 : m + 1 + minutes].min() for m in minute.tolist()])
    high = np.array([bars["high"][m + 1 : m + 1 + minutes].max() for m in minute.tolist()])
    down = close - np.floor(bin_coordinate(low, _WIDTH)).astype(np.int64)
    up = np.floor(bin_coordinate(high, _WIDTH)).astype(np.int64) - close
    held, printed = np.zeros((2, len(at), 2, REACH))
    for index, holding in enumerate(at):
        for side in (0, 1):
            held[index, side] = _spread(holding.level[side], holding.quantity[side], int(close[index]), side)
        first, last = np.searchsorted(tape.prints["minute"], [holding.minute + 1, holding.minute + 1 + minutes])
        rows = tape.prints[first:last]
        for side in (0, 1):
            mine = rows[rows["side"] == side]
            printed[index, side] = _spread(mine["level"], mine["quantity"], int(close[index]), side)
    return Slices(
        end_ms=START_MS + (minute + 1) * MINUTE_MS,
        price=bars["close"][minute],
        close_bin=close,
        held=held,
        printed=printed,
        swept=np.clip(np.stack([down, up], axis=1), 0, REACH),
    )


def hold(tape: Tape, at: Slices) -> Floats:
    """True positions at the ends of slices, by distance from the slices' own closes: float64[slice, side, REACH].

    Nothing where the tape kept no positions at that minute.
    """
    kept = {START_MS + (holding.minute + 1) * MINUTE_MS: holding for holding in tape.holdings}
    found = np.zeros((len(at), 2, REACH))
    for index, end_ms in enumerate(at.end_ms.tolist()):
        if holding := kept.get(end_ms):
            for side in (0, 1):
                level, quantity = holding.level[side], holding.quantity[side]
                found[index, side] = _spread(level, quantity, int(at.close_bin[index]), side)
    return found


def sweep_out(window: Window, at: Slices, hours: int) -> Floats:
    """0 for bins that price went through in so many hours after each slice, else 1: float64[slice, side, REACH]."""
    found, ends = np.ones((len(at), 2, REACH)), window.bars["open_time"] + window.bar_ms
    for index, end_ms in enumerate(at.end_ms.tolist()):
        first, last = np.searchsorted(ends, [end_ms, end_ms + hours * HOUR_MS], side="right")
        extremes = np.array([window.bars["low"][first:last].min(), window.bars["high"][first:last].max()])
        low, high = np.floor(bin_coordinate(extremes, _WIDTH)).astype(np.int64).tolist()
        close = int(at.close_bin[index])
        found[index, 0, : max(close - low, 0)] = 0.0
        found[index, 1, : max(high - close, 0)] = 0.0
    return found


def view(column: npt.NDArray[Any], anchor: int, close_bin: int) -> Floats:
    """One column of a map (contracts per bin from ``anchor`` on) as float64[side, REACH]; off the grid is nothing."""
    bins = close_bin - anchor + np.arange(1, REACH + 1) * np.array([[-1], [1]])
    inside = (bins >= 0) & (bins < len(column))
    return np.asarray(np.where(inside, column[np.clip(bins, 0, len(column) - 1)], 0.0))


def view_estimator(estimator: Estimator, window: Window, at: Slices) -> Floats:
    """What an estimator showed at each slice, from nothing on: float64[slice, side, REACH] contracts.

    That is its newest column by then, however old; nothing before the first one.
    """
    found, done = np.zeros((len(at), 2, REACH)), 0
    newest: tuple[npt.NDArray[Any], int] = np.zeros(1), 0
    for estimate in _parts(estimator, window):
        ends = estimate.steps.end_ms
        while done < len(at) and len(ends) and at.end_ms[done] <= ends[-1]:
            index = int(np.searchsorted(ends, at.end_ms[done], side="right")) - 1
            column, anchor = newest if index < 0 else (estimate.columns[index], int(estimate.anchor[index]))
            found[done] = view(column, anchor, int(at.close_bin[done]))
            done += 1
        if len(ends):
            newest = estimate.columns[-1], int(estimate.anchor[-1])
    for late in range(done, len(at)):
        found[late] = view(newest[0], newest[1], int(at.close_bin[late]))
    return found


def _parts(estimator: Estimator, window: Window) -> Iterator[Map]:
    """Estimate a window a part at a time, so that not all of its columns lie in memory at once.

    A part begins where the state stands: while open interest is missing, bars wait for the step that will hold them.
    """
    ends, state = window.bars["open_time"] + window.bar_ms, None
    mark_ends, first_ms = window.mark_bars["open_time"] + window.mark_ms, int(window.bars["open_time"][0])
    for until_ms in range(first_ms + _PART_MS, int(ends[-1]) + _PART_MS, _PART_MS):
        since_ms = first_ms if state is None else state.through_ms
        bars, samples, marks = (
            slice(*np.searchsorted(times, [since_ms, until_ms], side="right"))
            for times in (ends, window.open_interest["time"], mark_ends)
        )
        part = Window(
            window.bars[bars],
            window.bar_ms[bars],
            window.open_interest[samples],
            mark_bars=window.mark_bars[marks],
            mark_ms=window.mark_ms[marks],
        )
        estimate = estimator.estimate(part, state)
        state = estimate.state
        yield estimate


def _spread(level: Floats, quantity: Floats, close_bin: int, side: int) -> Floats:
    """Contracts by distance from the bin of the close; level [ln price, 0 at the first price]."""
    place = np.floor(_START + level / _WIDTH).astype(np.int64) - close_bin
    place = (-place if side == 0 else place) - 1
    near = (place >= 0) & (place < REACH)
    return np.bincount(place[near], quantity[near], REACH).astype(np.float64)
