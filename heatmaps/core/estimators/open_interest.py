"""Our estimator: deposits by leverage prior, conserved against reported open interest."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from heatmaps.core.bands import OPEN_INTEREST_FACTORS, OPEN_INTEREST_FACTORS_1
from heatmaps.core.steps import sampled_ends
from heatmaps.core.zones import FIRST_PARAMETERS, PARAMETERS

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


def _parameters(
    options: Options, bands: Mapping[str, list[list[float]]], zones: Mapping[str, object]
) -> Mapping[str, object]:
    return MappingProxyType({**common_parameters(options), "bands": bands, "zones": zones})


class OpenInterest(InventoryEstimator):
    """Inventory by liquidation price, closed on open interest at every step."""

    slug = "open-interest"
    version = "2"
    tracks_zones = True
    bands = OPEN_INTEREST_FACTORS
    options = SECOND
    parameters: Mapping[str, object] = _parameters(SECOND, OPEN_INTEREST_FACTORS, PARAMETERS)

    def ends(self, window: Window, state: State | None) -> Ends:  # noqa: ARG002 -- the path-only null needs the state
        """A step ends where open interest was sampled."""
        return sampled_ends(window)

    def flows(self, steps: Steps, state: State) -> Flows:
        """Reported open interest and volume."""
        return flows(steps.open_interest, steps.volume, state.last_open_interest)


class OpenInterest1(OpenInterest):
    """Version 1: one table of maintenance rates for all, swept by the last price."""

    version = "1"
    bands = OPEN_INTEREST_FACTORS_1
    options = FIRST
    parameters: Mapping[str, object] = _parameters(FIRST, OPEN_INTEREST_FACTORS_1, FIRST_PARAMETERS)
