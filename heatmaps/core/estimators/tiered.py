"""An inventory that keeps its leverage tiers apart and closes each side by itself, for scores and for research.

The product's engine sums tiers away and closes both sides on one total (decision 0008). Here every tier has rows of its
own, so that a score may weigh them, and one side's closure is the one with which the first measurements on real
liquidations were made (docs/research): survivors plus opens meet open interest, the opens of a side within its room

    S + O >= OI:  d = (OI - O) / S            otherwise:  d = 1,  O = min(OI - S, max((V + change) / 2, O))

where O = min(max(change, 0) + turnover * (V - |change|) / 2, OI). What a subclass may change: what open interest and
volume it believes, by which weights tiers enter, and what closes beside the closure.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from heatmaps.core.grid import GRID_BINS, Floats
from heatmaps.core.leverage import LeveragePrior, Margins, Tiers, effective_tiers, offsets
from market.contracts import liquidation_ratio

from .rule import RuleEstimator, both_sides

if TYPE_CHECKING:
    from market.contracts import LiquidationRule
    from market.terms import Terms

    from .rule import RuleState, Step

# Mean volume of a five-minute step over mean open interest, BTCUSDT, 2025-12-01 to 2026-01-25: what a map is told of
# volume that is told nothing of it.
VOLUME_SHARE: Final = 0.004897942
SMOOTH_STEPS: Final = 72
DEFAULTS: Final = MappingProxyType(
    {"turnover": 0.1, "interest": "reported", "volume": "reported", "volume_share": VOLUME_SHARE}
)
# In a state's memory: scale and total of each side [contracts], the bin below which longs lie and from which shorts do.
_SCALE: Final = slice(0, 2)
TOTAL: Final = slice(2, 4)
_EDGE: Final = slice(4, 6)
# Then the first open interest, and the last ones where they are smoothed, newest last; what a subclass needs follows.
_FIRST: Final = 6
_PAST: Final = slice(7, 7 + SMOOTH_STEPS)
OWN: Final = 7 + SMOOTH_STEPS
# A scale below this is multiplied into the rows: dividing by it would lose digits.
_SMALLEST_SCALE: Final = 1e-100


def nominal_tiers(rule: LiquidationRule) -> Tiers:
    """The nine nominal leverages of the prior as they are: no shrink, and nobody who is never liquidated."""
    prior = LeveragePrior()
    leverage, maintenance = np.array(prior.leverage), np.array(prior.maintenance)
    ratio = liquidation_ratio(rule=rule, position_side=[[1.0], [-1.0]], leverage=leverage, maintenance_rate=maintenance)
    return Tiers(leverage, np.array([prior.share, prior.share]), maintenance, np.arange(len(leverage)), ratio)


def smeared_tiers(rule: LiquidationRule) -> Tiers:
    """The 24 effective leverages of our estimator."""
    return effective_tiers(LeveragePrior(), Margins(rule))


TIERS: Final = MappingProxyType({"nominal": nominal_tiers, "smeared": smeared_tiers})


class TieredEstimator(RuleEstimator):
    """A map by tiers, told open interest and volume as the options say.

    interest: "reported", "smoothed" over six hours, or "constant"; volume: "reported", or "constant": ``volume_share``
    of the first open interest per step.
    parts: float64[part], the share of new positions of each tier; rows of a state are [side, part].
    """

    version = "1"
    own_count = 0

    def __init__(self, *, terms: Terms, slug: str, tiers: str = "nominal", **options: Any) -> None:  # noqa: ANN401 -- numbers and words
        super().__init__(terms=terms)
        table = TIERS[tiers](terms.rule)
        self.slug, self.options = slug, {**DEFAULTS, **options}
        self.parameters = MappingProxyType(
            {"rule": type(self).__name__, "bin_bps": self.bin_bps, "tiers": tiers, **self.options}
        )
        self.leverage: Floats = table.leverage
        self.offset = offsets(table, self.width)
        self.parts: Floats = table.weight[0]
        self.row_count = 2 * len(self.parts)
        self.memory_count = OWN + self.own_count

    def believed(self, state: RuleState, step: Step) -> tuple[float, float, float]:
        """Open interest, its change and the volume of a step [contracts]."""
        first = float(state.memory[_FIRST])
        volume = self.options["volume_share"] * first if self.options["volume"] == "constant" else step.volume
        if self.options["interest"] == "reported":
            return step.open_interest, step.change, volume
        if self.options["interest"] == "constant":
            return first, 0.0, volume
        past = state.memory[_PAST]
        before = float(past.mean())
        past[:-1] = past[1:]
        past[-1] = step.open_interest
        now = float(past.mean())
        return now, now - before, volume

    def weights(self, state: RuleState, step: Step) -> Floats:  # noqa: ARG002 -- others remember
        """Shares of new positions: float64[side, part]."""
        return np.stack([self.parts, self.parts])

    def close_some(self, rows: Floats, state: RuleState, step: Step) -> None:
        """Close positions beside the closure, which then needs to close less; rows: float64[side, part, bin]."""

    def advance(self, state: RuleState, step: Step) -> Floats:
        """Sweep, close, open; return what was swept [contracts]: float64[side, part]."""
        if np.isnan(state.memory[0]):
            state.memory[:_FIRST] = 1.0, 1.0, 0.0, 0.0, -np.inf, np.inf
            state.memory[_FIRST : _PAST.stop] = step.open_interest
        rows = state.rows.reshape(2, -1, GRID_BINS)
        interest, change, volume = self.believed(state, step)
        swept = self.held(state, step.low, step.high)
        self._sweep(rows, state, step)
        state.memory[TOTAL] = np.maximum(state.memory[TOTAL] - swept.sum(axis=1), 0.0)
        self.close_some(rows, state, step)
        least = max(change, 0.0) + float(self.options["turnover"]) * max(volume - abs(change), 0.0) / 2.0
        opened = min(least, interest)
        room, weights = max((volume + change) / 2.0, opened), self.weights(state, step)
        for side in (0, 1):
            alive = float(state.memory[TOTAL][side])
            kept, new = 1.0, min(interest - alive, room)
            if alive + opened >= interest:
                kept, new = (interest - opened) / alive if alive > 0.0 else 1.0, opened
            self._scale(rows, state, side, kept)
            lost = self._open(rows, state, step, side, new * weights[side])
            state.memory[TOTAL][side] = alive * kept + new - lost
        return swept

    def column(self, state: RuleState, step: Step) -> Floats:
        """Contracts per bin of all parts."""
        rows, scale = state.rows.reshape(2, -1, GRID_BINS), state.memory[_SCALE]
        return both_sides(rows[0].sum(axis=0) * scale[0], rows[1].sum(axis=0) * scale[1], step)

    def held(self, state: RuleState, low: int, high: int) -> Floats:
        """Contracts of longs in bins >= low and of shorts in bins <= high of the grid: float64[side, part]."""
        rows, (below, above) = state.rows.reshape(2, -1, GRID_BINS), self._edges(state)
        longs = rows[0, :, max(low, 0) : below].sum(axis=1)
        shorts = rows[1, :, above : max(high + 1, 0)].sum(axis=1)
        return np.stack([longs, shorts]) * state.memory[_SCALE][:, None]

    def _edges(self, state: RuleState) -> tuple[int, int]:
        below, above = (state.memory[_EDGE] - state.anchor).tolist()
        return int(min(max(below, 0), GRID_BINS)), int(min(max(above, 0), GRID_BINS))

    def _sweep(self, rows: Floats, state: RuleState, step: Step) -> None:
        below, above = self._edges(state)
        rows[0, :, max(step.low, 0) : below] = 0.0
        rows[1, :, above : max(step.high + 1, 0)] = 0.0
        edge = state.memory[_EDGE]
        edge[0], edge[1] = min(edge[0], step.low + state.anchor), max(edge[1], step.high + 1 + state.anchor)

    def _scale(self, rows: Floats, state: RuleState, side: int, kept: float) -> None:
        scale = state.memory[_SCALE]
        scale[side] *= max(kept, 0.0)
        if scale[side] < _SMALLEST_SCALE:
            rows[side] *= scale[side]
            scale[side] = 1.0

    def _open(self, rows: Floats, state: RuleState, step: Step, side: int, contracts: Floats) -> float:
        """Place new positions by part; return what lies beyond the close and is gone at once [contracts]."""
        places = self.offset[side][:, None] + (step.first + np.arange(len(step.masses)))
        values = contracts[:, None] * step.masses
        dead = places >= step.below if side == 0 else places <= step.above
        lost = float(values[dead].sum())
        outside = dead | (places < 0) | (places >= GRID_BINS)
        values[outside] = 0.0
        index = np.clip(places, 0, GRID_BINS - 1) + np.arange(len(places))[:, None] * GRID_BINS
        np.add.at(rows[side].reshape(-1), index.reshape(-1), values.reshape(-1) / state.memory[_SCALE][side])
        edge, anchor = state.memory[_EDGE], state.anchor
        if side == 0:
            edge[0] = max(edge[0], min(int(places.max()) + 1, step.below) + anchor)
        else:
            edge[1] = min(edge[1], max(int(places.min()), step.above + 1) + anchor)
        return lost
