"""Rules that open positions at the close by the change of open interest or by turnover."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from .rule import LEVERAGES, RuleEstimator, deposit, sweep

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .rule import RuleState, Step

# Steps after which half of a deposit is left: three days.
HALF_LIFE_STEPS: Final = 864
_COMMON: Final = {"bin_bps": RuleEstimator.bin_bps, "leverages": list(LEVERAGES)}


class CandleColour(RuleEstimator):
    """A rise of open interest is longs where the price rose and shorts where it fell; nobody ever closes.

    ``memory`` holds the close before.
    """

    slug = "candle-colour"
    version = "1"
    memory_count = 1
    parameters: Mapping[str, object] = MappingProxyType({"rule": "candle-colour", **_COMMON})

    def advance(self, state: RuleState, step: Step) -> None:
        """Sweep; add the rise to one side. Without a move, or a close before, there is no colour."""
        sweep(state, step)
        before, state.memory[0] = float(state.memory[0]), step.close
        if step.change > 0.0 and before == before and step.close != before:  # noqa: PLR0124 -- only NaN differs
            side = 0 if step.close > before else 1
            deposit(state.rows[side], step.entry, self.levels[side], step.change)


class ProportionalRemoval(RuleEstimator):
    """A rise of open interest enters on both sides; a fall takes the same share from every level."""

    slug = "interest-change"
    version = "1"
    parameters: Mapping[str, object] = MappingProxyType({"rule": "interest-change", **_COMMON})

    def advance(self, state: RuleState, step: Step) -> None:
        """Sweep, then open or close."""
        sweep(state, step)
        if step.change > 0.0:
            for side in (0, 1):
                deposit(state.rows[side], step.entry, self.levels[side], step.change)
        else:
            state.rows *= step.open_interest / (step.open_interest - step.change)


class TurnoverHalfLife(RuleEstimator):
    """Turnover times open interest relative to the first sample enters on both sides and fades by a half-life.

    ``memory`` holds the first open interest.
    """

    slug = "turnover"
    version = "1"
    memory_count = 1
    parameters: Mapping[str, object] = MappingProxyType(
        {"rule": "turnover", **_COMMON, "half_life_steps": HALF_LIFE_STEPS}
    )

    def advance(self, state: RuleState, step: Step) -> None:
        """Sweep, fade, open."""
        sweep(state, step)
        if state.memory[0] != state.memory[0]:
            state.memory[0] = step.open_interest
        state.rows *= 0.5 ** (1.0 / HALF_LIFE_STEPS)
        factor = step.open_interest / float(state.memory[0])
        for side in (0, 1):
            deposit(state.rows[side], step.entry, self.levels[side], step.volume * factor)
