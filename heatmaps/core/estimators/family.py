"""What the inventory estimators have in common: cutting the window, running the engine, resuming."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from heatmaps.core.grid import BIN_BPS, bin_width
from heatmaps.core.inventory import Deposits
from heatmaps.core.leverage import GROUP_EDGES, LeveragePrior, Margins, effective_tiers
from heatmaps.core.samples import believed
from heatmaps.core.steps import Ends, bar_ends, cut_steps
from heatmaps.core.sweeps import is_awaited
from market.contracts import Brackets

from .base import START_DIGEST, Estimate, State, thaw, unpack
from .engine import TURNOVER, Flows, Run, nothing, start_state
from .options import FIRST, Options

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from heatmaps.core.steps import Steps
    from market.contracts import LiquidationRule
    from market.series import Window
    from market.terms import Terms

PRIOR: Final = LeveragePrior()


def common_parameters(options: Options = FIRST) -> dict[str, object]:
    """What all of the family believe, as JSON-able parameters: the prior, the engine and what it falls back on."""
    prior = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(PRIOR).items()
        if value is not None
    }
    later = {} if options == FIRST else {"options": options.as_parameters()}
    return {
        "bin_bps": BIN_BPS,
        "turnover": TURNOVER,
        "prior": prior,
        "groups": list(GROUP_EDGES),
        "mean_price": "quote volume / volume, else (high + low + close) / 3",
        "sweep_price": "mark, else last" if options.by_mark_price else "last",
        **later,
    }


class InventoryEstimator:
    """An estimator whose state is an inventory; a subclass says where steps end and which flows it believes."""

    slug: str
    version: str
    parameters: Mapping[str, object]
    bands: Mapping[str, list[list[float]]]
    bin_bps = BIN_BPS
    options: Options = FIRST

    def __init__(self, *, terms: Terms) -> None:
        self.width, self.terms = bin_width(self.bin_bps), terms
        self.reads = self.options.reading.reads
        self.deposits = {-1: self._deposits(None)}
        for number, table in enumerate(terms.tables if self.options.by_brackets else ()):
            # Under a table that leaves positions no margin to live on, the default one stays.
            with suppress(ValueError):
                self.deposits[number] = self._deposits(table.brackets)
        self._run = Run((self.slug, self.version), self.width, self.options.wick, self.deposits, self.table_at)

    def table_at(self, moment_ms: int) -> int:
        """The table of brackets that counts at a moment [ms], -1 for the default one."""
        table = self.terms.table_at(moment_ms)
        return table if table in self.deposits else -1

    def _deposits(self, brackets: Brackets | None) -> Deposits:
        fee_rate = self.terms.fee_rate if self.options.by_brackets else 0.0
        table = None if brackets is None else tuple(_values(brackets))
        return _deposits(self.options, self.width, self.terms.rule, fee_rate, table)

    def ends(self, window: Window, state: State | None) -> Ends:
        """Where complete steps end in this window."""
        raise NotImplementedError

    def flows(self, steps: Steps, state: State) -> Flows:
        """The flows of these steps, coming from ``state``."""
        raise NotImplementedError

    def estimate(self, window: Window, state: State | None) -> Estimate:
        """Go on from ``state`` (None: from nothing) through every complete step of the window; ``state`` is used up."""
        through = None if state is None else state.through_ms
        digest = START_DIGEST if state is None else state.digest
        steps = self._cut(window, self._complete(window, state), through, digest)
        if len(steps) == 0:
            return nothing((self.slug, self.version), steps, state)
        if state is None:
            state = start_state(steps, self.deposits[self.table_at(int(steps.end_ms[0]))], digest)
        return self._run.through(steps, self.flows(steps, state), state)

    def provisional(self, window: Window, state: State, *, limit: int) -> Estimate:
        """Show up to ``limit`` unfinished steps after ``state`` as if open interest stood still; ``state`` is kept."""
        ends = bar_ends(window, open_interest=state.last_open_interest, is_open_included=True)
        coming = ends.end_ms > state.through_ms
        ends = Ends(ends.end_ms[coming][:limit], ends.open_interest[coming][:limit])
        steps = self._cut(window, ends, state.through_ms, state.digest)
        if len(steps) == 0:
            return nothing((self.slug, self.version), steps, state)
        return self._run.through(steps, self.flows(steps, state), state.copy())

    def digests(self, window: Window, state: State) -> dict[int, bytes]:
        """The input digest at the end of each step after ``state``, without estimating."""
        steps = self._cut(window, self._complete(window, state), state.through_ms, state.digest)
        return dict(zip(steps.end_ms.tolist(), steps.digests, strict=True))

    def resume(self, body: bytes) -> State:
        """Rebuild a state from bytes that this estimator kept; ValueError if they are not."""
        return unpack(body, self.deposits[-1])

    def resume_exactly(self, body: bytes) -> State:
        """Rebuild a state from the bytes of ``freeze``; ValueError if they are not."""
        return thaw(body, self.deposits[-1])

    def _cut(self, window: Window, ends: Ends, through_ms: int | None, digest: bytes) -> Steps:
        return cut_steps(
            window, ends, width=self.width, through_ms=through_ms, digest=digest, reading=self.options.reading
        )

    def _complete(self, window: Window, state: State | None) -> Ends:
        """The ends that are believed, without the newest while its mark bars are still coming in."""
        ends = self.ends(window, state)
        if len(ends.end_ms) and self.options.by_mark_price and is_awaited(window, int(ends.end_ms[-1])):
            ends = replace(ends, end_ms=ends.end_ms[:-1], open_interest=ends.open_interest[:-1])
        if self.options.most_jump is None:
            return ends
        before = None if state is None else (state.through_ms, state.last_open_interest)
        return believed(ends, window, before=before, most=self.options.most_jump)


def _values(brackets: Brackets) -> Iterator[tuple[float, ...]]:
    for column in (brackets.floor, brackets.max_leverage, brackets.maintenance_rate):
        yield tuple(column.tolist())


@lru_cache(maxsize=1024)
def _deposits(
    options: Options, width: float, rule: LiquidationRule, fee_rate: float, table: tuple[tuple[float, ...], ...] | None
) -> Deposits:
    """Deposits under a table of brackets: they never change, and both estimators read most instruments' alike."""
    brackets = None if table is None else Brackets(*map(np.array, table))
    margins = Margins(rule, brackets, fee_rate, options.headroom)
    return Deposits(effective_tiers(options.prior(PRIOR), margins), width, options.closing)
