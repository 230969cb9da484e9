"""Ladders of fixed leverages: under the newest price, and under pivots and bars of unusual volume."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from heatmaps.core.grid import GRID_BINS, bin_coordinate

from .rule import LEVERAGES, RuleEstimator, both_sides, deposit, sweep

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heatmaps.core.grid import Floats

    from .rule import RuleState, Step

# A pivot is the extreme of so many steps before it and after it; known that much later.
PIVOT_STEPS: Final = 12
# Volume over this multiple of the mean of the steps before it is a spike.
SPIKE: Final = 2.0
_SPAN: Final = 2 * PIVOT_STEPS + 1
_COMMON: Final = {"bin_bps": RuleEstimator.bin_bps, "leverages": list(LEVERAGES)}


class StaticLadder(RuleEstimator):
    """All of open interest entered at the newest close, in equal shares of LEVERAGES."""

    slug = "ladder"
    version = "1"
    row_count = 0
    parameters: Mapping[str, object] = MappingProxyType({"rule": "ladder", **_COMMON})

    def advance(self, state: RuleState, step: Step) -> None:
        """Remember nothing: the ladder moves along with the price."""

    def column(self, state: RuleState, step: Step) -> Floats:  # noqa: ARG002 -- it has no state
        """The ladder of the close."""
        rows = np.zeros((2, GRID_BINS))
        for side in (0, 1):
            deposit(rows[side], step.entry, self.levels[side], step.open_interest)
        return both_sides(rows[0], rows[1], step)


class PivotLadder(RuleEstimator):
    """Longs enter at swing lows, shorts at swing highs, both at volume spikes; levels go when price touches them.

    ``memory`` holds the lows, highs and volumes of the last steps, newest last, NaN before there were any.
    """

    slug = "pivots"
    version = "1"
    memory_count = 3 * _SPAN
    parameters: Mapping[str, object] = MappingProxyType(
        {"rule": "pivots", **_COMMON, "pivot_steps": PIVOT_STEPS, "spike": SPIKE}
    )

    def advance(self, state: RuleState, step: Step) -> None:
        """Sweep, then add the ladders of what this step shows to be a pivot or a spike."""
        sweep(state, step)
        lows, highs, volumes = past = state.memory.reshape(3, _SPAN)
        if step.volume > SPIKE * float(np.mean(volumes)):
            for side in (0, 1):
                deposit(state.rows[side], step.entry, self.levels[side], step.volume)
        past[:, :-1] = past[:, 1:]
        past[:, -1] = step.low_price, step.high_price, step.volume
        # A NaN among them makes both comparisons false: no pivot before the span is full.
        if lows[PIVOT_STEPS] <= np.min(lows):
            self._enter(state, 0, float(lows[PIVOT_STEPS]), float(volumes[PIVOT_STEPS]))
        if highs[PIVOT_STEPS] >= np.max(highs):
            self._enter(state, 1, float(highs[PIVOT_STEPS]), float(volumes[PIVOT_STEPS]))

    def _enter(self, state: RuleState, side: int, price: float, contracts: float) -> None:
        entry = int(np.floor(bin_coordinate(np.array(price), self.width))) - state.anchor
        deposit(state.rows[side], entry, self.levels[side], contracts)
