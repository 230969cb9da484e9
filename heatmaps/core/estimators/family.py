"""What the inventory estimators have in common: cutting the window, running the engine, resuming."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from heatmaps.core.grid import BIN_BPS, bin_width
from heatmaps.core.inventory import Deposits
from heatmaps.core.leverage import GROUP_EDGES, LeveragePrior, effective_tiers
from heatmaps.core.steps import Ends, bar_ends, cut_steps

from .base import START_DIGEST, Estimate, State, unpack
from .engine import TURNOVER, Flows, nothing, run, start_state

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heatmaps.core.steps import Steps
    from market.contracts import LiquidationRule
    from market.series import Window

PRIOR: Final = LeveragePrior()


def common_parameters() -> dict[str, object]:
    """What all of the family believe, as JSON-able parameters: the prior, the engine and what it falls back on."""
    prior = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(PRIOR).items()}
    return {
        "bin_bps": BIN_BPS,
        "turnover": TURNOVER,
        "prior": prior,
        "groups": list(GROUP_EDGES),
        "mean_price": "quote volume / volume, else (high + low + close) / 3",
        "sweep_price": "last",
    }


class InventoryEstimator:
    """An estimator whose state is an inventory; a subclass says where steps end and which flows it believes."""

    slug: str
    version: str
    parameters: Mapping[str, object]
    bands: Mapping[str, list[list[float]]]
    bin_bps = BIN_BPS

    def __init__(self, *, rule: LiquidationRule) -> None:
        self.width = bin_width(self.bin_bps)
        self.deposits = Deposits(effective_tiers(PRIOR, rule), self.width)

    def ends(self, window: Window, state: State | None) -> Ends:
        """Where complete steps end in this window."""
        raise NotImplementedError

    def flows(self, steps: Steps, state: State) -> Flows:
        """The flows of these steps, coming from ``state``."""
        raise NotImplementedError

    def estimate(self, window: Window, state: State | None) -> Estimate:
        """Go on from ``state`` (None: from nothing) through every complete step of the window; ``state`` is used up."""
        ends = self.ends(window, state)
        through = None if state is None else state.through_ms
        digest = START_DIGEST if state is None else state.digest
        steps = cut_steps(window, ends, width=self.width, through_ms=through, digest=digest)
        if len(steps) == 0:
            return nothing((self.slug, self.version), steps, state)
        if state is None:
            state = start_state(steps, self.deposits, digest)
        return run((self.slug, self.version), steps, self.flows(steps, state), state, self.width)

    def provisional(self, window: Window, state: State, *, limit: int) -> Estimate:
        """Show up to ``limit`` unfinished steps after ``state`` as if open interest stood still; ``state`` is kept."""
        ends = bar_ends(window, open_interest=state.last_open_interest, is_open_included=True)
        coming = ends.end_ms > state.through_ms
        ends = Ends(ends.end_ms[coming][:limit], ends.open_interest[coming][:limit])
        steps = cut_steps(window, ends, width=self.width, through_ms=state.through_ms, digest=state.digest)
        if len(steps) == 0:
            return nothing((self.slug, self.version), steps, state)
        return run((self.slug, self.version), steps, self.flows(steps, state), state.copy(), self.width)

    def digests(self, window: Window, state: State) -> dict[int, bytes]:
        """The input digest at the end of each step after ``state``, without estimating."""
        ends = self.ends(window, state)
        steps = cut_steps(window, ends, width=self.width, through_ms=state.through_ms, digest=state.digest)
        return dict(zip(steps.end_ms.tolist(), steps.digests, strict=True))

    def resume(self, body: bytes) -> State:
        """Rebuild a state from bytes that this estimator kept; ValueError if they are not."""
        return unpack(body, self.deposits)
