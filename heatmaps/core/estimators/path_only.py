"""The null: the same engine told nothing but the price path. What it cannot be beaten by, is geometry."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from heatmaps.core.bands import PATH_ONLY_FACTORS, PATH_ONLY_FACTORS_1
from heatmaps.core.steps import bar_ends, sampled_ends

from .engine import flows
from .family import InventoryEstimator, common_parameters
from .options import FIRST, SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heatmaps.core.steps import Ends, Steps
    from market.series import Window

    from .base import State
    from .engine import Flows
    from .options import Options

# Volume per step as a share of open interest; the length of memory that follows hardly matters to the map.
VOLUME_SHARE: Final = 0.01


def _parameters(options: Options, bands: Mapping[str, list[list[float]]]) -> Mapping[str, object]:
    return MappingProxyType({**common_parameters(options), "bands": bands, "volume_share": VOLUME_SHARE})


class PathOnly(InventoryEstimator):
    """Open interest and volume held constant; the first sample sets the size, so that both maps share a unit."""

    slug = "path-only"
    version = "2"
    tracks_zones = False
    bands = PATH_ONLY_FACTORS
    # No jump is to be explained where open interest is constant.
    options = replace(SECOND, most_jump=None)
    parameters: Mapping[str, object] = _parameters(options, PATH_ONLY_FACTORS)

    def ends(self, window: Window, state: State | None) -> Ends:
        """Every slot with bars, from the first sample of open interest on."""
        if state is not None:
            return bar_ends(window, open_interest=state.reference_open_interest, is_open_included=False)
        sampled = sampled_ends(window)
        if len(sampled.end_ms) == 0:
            return sampled
        ends = bar_ends(window, open_interest=float(sampled.open_interest[0]), is_open_included=False)
        started = ends.end_ms >= sampled.end_ms[0]
        return type(ends)(ends.end_ms[started], ends.open_interest[started])

    def flows(self, steps: Steps, state: State) -> Flows:
        """Constant open interest and volume."""
        held = state.reference_open_interest
        return flows(np.full(len(steps), held), np.full(len(steps), VOLUME_SHARE * held), held)


class PathOnly1(PathOnly):
    """Version 1: one table of maintenance rates for all, swept by the last price."""

    version = "1"
    bands = PATH_ONLY_FACTORS_1
    options = FIRST
    parameters: Mapping[str, object] = _parameters(FIRST, PATH_ONLY_FACTORS_1)
