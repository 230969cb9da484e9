"""Estimators that no page shows: those of the first measurement, and what research tries (docs/research).

Each is frozen as an entry of ESTIMATORS is. One that earns its place moves there, under a slug of its own.
"""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from heatmaps.core.grid import GRID_BINS, Floats
from market.terms import LINEAR

from .tiered import OWN, TOTAL, TieredEstimator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from market.series import Records
    from market.terms import Terms

    from .rule import RuleState, Step

_HOUR_STEPS: Final = 12
# Weight of the newest hourly return in its mean square: half-life of a week.
_NEWEST: Final = 1.0 - 0.5 ** (1.0 / 2016)


class Fading(TieredEstimator):
    """Short-lived positions: half of all volume opens on each side, half of it is closed again in ``half_life_steps``.

    Nothing ties them to open interest; what a score fits is their weight beside the standing stock.
    """

    def believed(self, state: RuleState, step: Step) -> tuple[float, float, float]:
        """Room for everything."""
        return np.inf, 0.0, super().believed(state, step)[2]

    def close_some(self, rows: Floats, state: RuleState, step: Step) -> None:  # noqa: ARG002 -- all alike
        """Close by the half-life."""
        left = 0.5 ** (1.0 / self.options["half_life_steps"])
        rows *= left
        state.memory[TOTAL] *= left


class Disposition(TieredEstimator):
    """Positions in profit close at another rate per step than those in loss, beside the closure."""

    def close_some(self, rows: Floats, state: RuleState, step: Step) -> None:
        """Every bin of a tier has one entry price, so its profit is known."""
        before = rows.sum(axis=(1, 2))
        gains, losses = 1.0 - self.options["profit_rate"], 1.0 - self.options["loss_rate"]
        for part in range(len(self.parts)):
            long, short = (min(max(step.entry + int(one), 0), GRID_BINS) for one in self.offset[:, part])
            rows[0, part, :long] *= gains
            rows[0, part, long:] *= losses
            rows[1, part, :short] *= losses
            rows[1, part, short:] *= gains
        left = np.divide(rows.sum(axis=(1, 2)), before, out=np.ones(2), where=before > 0.0)
        state.memory[TOTAL] *= left


class Tilted(TieredEstimator):
    """The side that price moves for enters with more leverage: exp(side * kappa * move * (ln leverage - mean)).

    Memory: the mean square of hourly returns, then the last twelve closes, newest last.
    """

    own_count = 1 + _HOUR_STEPS

    def weights(self, state: RuleState, step: Step) -> Floats:
        """Tilted by the last hour's return over twice its usual size."""
        square, closes = state.memory[OWN : OWN + 1], state.memory[OWN + 1 : OWN + 1 + _HOUR_STEPS]
        if np.isnan(closes[0]):
            closes[:] = step.close
        move = float(np.log(step.close / closes[0]))
        closes[:-1] = closes[1:]
        closes[-1] = step.close
        square[0] = move**2 if np.isnan(square[0]) else square[0] + _NEWEST * (move**2 - square[0])
        usual = float(np.sqrt(square[0]))
        return self.tilted(float(np.tanh(move / (2.0 * usual))) if usual > 0.0 else 0.0)

    def tilted(self, lean: float) -> Floats:
        """Shares of both sides for a lean towards longs in [-1, 1]; each side's sum stays."""
        away = np.log(self.leverage) - np.average(np.log(self.leverage), weights=self.parts)
        shares = self.parts * np.exp(np.array([[1.0], [-1.0]]) * self.options["kappa"] * lean * away)
        return np.asarray(shares * (self.parts.sum() / shares.sum(axis=1, keepdims=True)))


class FundingTilted(Tilted):
    """The side that pays funding enters with more leverage; ``funding``: FUNDING[n], known from its time on."""

    own_count = 0
    funding: Records | None = None

    def weights(self, state: RuleState, step: Step) -> Floats:  # noqa: ARG002 -- funding is read by time
        """Tilted by how far the last funding rate lies from one basis point, in three basis points, at most."""
        if self.funding is None:
            raise ValueError("this variant reads funding, and there is none")
        known = int(np.searchsorted(self.funding["time"], state.through_ms, side="right")) - 1
        rate = float(self.funding["rate"][known]) if known >= 0 else 1e-4
        return self.tilted(min(max((rate - 1e-4) / 3e-4, -1.0), 1.0))


# Mean volume over the first open interest of the same span: the first measurement smoothed beside the mean volume.
_OVER_FIRST: Final = 0.005082434
_NOTHING: Final[Mapping[str, Any]] = {"interest": "constant", "volume": "constant"}
_LIVES: Final[Mapping[str, Any]] = {"turnover": 1.0, "half_life_steps": 12}
_RATES: Final[Mapping[str, Any]] = {"profit_rate": 0.02 / 12, "loss_rate": 0.005 / 12}
VARIANTS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "engine-9": TieredEstimator,
        "null-9": partial(TieredEstimator, **_NOTHING),
        "engine-24": partial(TieredEstimator, tiers="smeared"),
        "null-24": partial(TieredEstimator, tiers="smeared", **_NOTHING),
        "smoothed-9": partial(TieredEstimator, interest="smoothed"),
        "smoothed-time-9": partial(TieredEstimator, interest="smoothed", volume="constant", volume_share=_OVER_FIRST),
        "time-9": partial(TieredEstimator, volume="constant"),
        "slow-9": partial(TieredEstimator, volume="constant", turnover=0.02),
        "null-slow-9": partial(TieredEstimator, turnover=0.02, **_NOTHING),
        "fast-9": partial(Fading, **_LIVES),
        "null-fast-9": partial(Fading, **_LIVES, **_NOTHING),
        "quick-9": partial(TieredEstimator, turnover=0.6),
        "null-quick-9": partial(TieredEstimator, turnover=0.6, **_NOTHING),
        "disposition-9": partial(Disposition, **_RATES),
        "null-disposition-9": partial(Disposition, **_RATES, **_NOTHING),
        "tilted-9": partial(Tilted, kappa=0.5),
        "null-tilted-9": partial(Tilted, kappa=0.5, **_NOTHING),
        "funding-9": partial(FundingTilted, kappa=0.5),
    }
)


def load_variant(slug: str, *, terms: Terms = LINEAR) -> TieredEstimator:
    """Make the variant of that slug; KeyError for an unknown one."""
    variant: TieredEstimator = VARIANTS[slug](terms=terms, slug=slug)
    return variant
