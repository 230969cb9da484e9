"""The volume profile shifted by fixed leverages: where was traded, minus or plus 1 / leverage."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from heatmaps.core.grid import GRID_BINS

from .rule import LEVERAGES, RuleEstimator, both_sides

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heatmaps.core.grid import Floats

    from .rule import RuleState, Step

# Steps after which half of a traded volume is left in the profile: a week.
HALF_LIFE_STEPS: Final = 2016


class VolumeProfile(RuleEstimator):
    """A fading profile of volume by price, shifted; nothing is ever swept, sums are scaled to open interest."""

    slug = "volume-profile"
    version = "1"
    row_count = 1
    parameters: Mapping[str, object] = MappingProxyType(
        {
            "rule": "volume-profile",
            "bin_bps": RuleEstimator.bin_bps,
            "leverages": list(LEVERAGES),
            "half_life_steps": HALF_LIFE_STEPS,
        }
    )

    def advance(self, state: RuleState, step: Step) -> None:
        """Fade, then add the step's volume where it was traded."""
        state.rows *= 0.5 ** (1.0 / HALF_LIFE_STEPS)
        low, high = max(step.first, 0), min(step.first + len(step.masses), GRID_BINS)
        state.rows[0, low:high] += step.volume * step.masses[low - step.first : high - step.first]

    def column(self, state: RuleState, step: Step) -> Floats:
        """The shifted profiles, each side summing to open interest before what is beyond the close is cut off."""
        profile = state.rows[0]
        total = float(profile.sum())
        if total <= 0.0:
            return np.zeros(GRID_BINS)
        scale = step.open_interest / total / len(LEVERAGES)
        longs, shorts = np.zeros(GRID_BINS), np.zeros(GRID_BINS)
        for down, up in zip(*self.levels, strict=True):
            longs[:down] += profile[-down:]
            shorts[up:] += profile[:-up]
        return both_sides(longs * scale, shorts * scale, step)
