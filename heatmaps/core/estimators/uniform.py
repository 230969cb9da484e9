"""Nothing known but how much is open: the same density everywhere near the price."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from heatmaps.core.grid import GRID_BINS

from .rule import RuleEstimator, both_sides

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heatmaps.core.grid import Floats

    from .rule import RuleState, Step

REACH: Final = 0.10


class Uniform(RuleEstimator):
    """Open interest spread evenly over ln(price) within REACH of the close, once on each side."""

    slug = "uniform"
    version = "1"
    row_count = 0
    parameters: Mapping[str, object] = MappingProxyType(
        {"rule": "uniform", "bin_bps": RuleEstimator.bin_bps, "reach": REACH}
    )

    def advance(self, state: RuleState, step: Step) -> None:
        """Remember nothing."""

    def column(self, state: RuleState, step: Step) -> Floats:  # noqa: ARG002 -- it has no state
        """The same number of contracts in each bin within reach."""
        count = round(float(np.log1p(REACH)) / self.width)
        near = np.zeros(GRID_BINS)
        near[step.entry - count : step.entry + count + 1] = step.open_interest / count
        return both_sides(near, near, step)
