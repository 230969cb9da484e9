"""Our estimator: deposits by leverage prior, conserved against reported open interest."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from heatmaps.core.bands import OPEN_INTEREST_FACTORS
from heatmaps.core.steps import sampled_ends
from heatmaps.core.zones import PARAMETERS

from .engine import flows
from .family import InventoryEstimator, common_parameters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heatmaps.core.steps import Ends, Steps
    from market.series import Window

    from .base import State
    from .engine import Flows


class OpenInterest(InventoryEstimator):
    """Inventory by liquidation price, closed on open interest at every step."""

    slug = "open-interest"
    version = "1"
    tracks_zones = True
    bands = OPEN_INTEREST_FACTORS
    parameters: Mapping[str, object] = MappingProxyType(
        {**common_parameters(), "bands": OPEN_INTEREST_FACTORS, "zones": PARAMETERS}
    )

    def ends(self, window: Window, state: State | None) -> Ends:  # noqa: ARG002 -- the path-only null needs the state
        """A step ends where open interest was sampled."""
        return sampled_ends(window)

    def flows(self, steps: Steps, state: State) -> Flows:
        """Reported open interest and volume."""
        return flows(steps.open_interest, steps.volume, state.last_open_interest)
