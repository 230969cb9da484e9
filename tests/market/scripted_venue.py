"""A venue without a network: it knows some series, answers page by page and can be told to misbehave."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from market import series as s
from market.sources.base import Budget, InstrumentFacts, LeverageBracket, Offer, Part

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from market.series import Records, SeriesName
    from market.sources.base import Access, Channel, Fault, Heard, SourceError


@dataclass
class ScriptedVenue:
    """Source, venue and connection in one; ``known`` is what exists, ``asked`` what it was asked for."""

    slug: str = "scripted"
    name: str = "Scripted"
    is_simulated: bool = False
    history_ms: int = s.DAY_MS
    offers: dict[SeriesName, Offer] = field(default_factory=lambda: {"bars": Offer(60, 100, 1)})
    streams: frozenset[SeriesName] = frozenset({"bars", "liquidations"})
    budget: Budget = field(default_factory=lambda: Budget(weight=6000, window_s=60))
    liquidation_sampling: str = "all"
    counted: frozenset[SeriesName] = frozenset()
    known: dict[str, Records] = field(default_factory=dict)
    facts: tuple[InstrumentFacts, ...] = ()
    faults: tuple[Fault, ...] = ()
    errors: dict[str, SourceError] = field(default_factory=dict)
    asked: list[tuple[str, int, int]] = field(default_factory=list)
    sizes: list[float] = field(default_factory=list)

    def connect(self, access: Access) -> ScriptedVenue:
        self.access = access
        return self

    def instruments(self) -> tuple[InstrumentFacts, ...]:
        return self.facts

    def brackets(self, *, symbol: str) -> tuple[LeverageBracket, ...]:
        return ()

    def channels(self, sizes: Mapping[str, float]) -> tuple[Channel, ...]:
        return ()

    def hear(self, message: object, *, channel: Channel) -> Heard:
        raise NotImplementedError

    def listen(self, channel: Channel, *, access: Access) -> AsyncGenerator[Heard, None]:
        raise NotImplementedError

    def read(
        self, *, series: SeriesName, symbol: str, contract_size: float, since_ms: int, until_ms: int, now_ms: int
    ) -> Part:
        self.access.gate.ask(self.offers[series].weight)
        self.asked.append((series, since_ms, until_ms))
        self.sizes.append(contract_size)
        if series in self.errors:
            raise self.errors[series]
        offer = self.offers[series]
        rows = self.known[series]
        time = (rows.dtype.names or ("",))[0]
        length = offer.timeframe * 1000 if time == "open_time" else 0
        visible = rows[(rows[time] >= since_ms) & (rows[time] < until_ms) & (rows[time] + length <= now_ms)]
        page = visible[: offer.page]
        through = until_ms if len(visible) <= offer.page else int(page[time][-1]) + max(length, 1)
        # As the venues' own sources have it: the moment itself is not settled yet.
        end = min(through, until_ms, now_ms)
        covered = (since_ms, end) if since_ms < end else None
        return Part(page, offer.timeframe if length else 0, covered, self.faults)


def minute_bars(start_ms: int, minutes: int) -> Records:
    """Make BAR[minutes] of one minute, all different."""
    bars = np.zeros(minutes, s.BAR)
    bars["open_time"] = start_ms + np.arange(minutes) * s.MINUTE_MS
    bars["open"] = bars["close"] = 100 + np.arange(minutes) % 7
    bars["high"], bars["low"] = bars["open"] + 1, bars["open"] - 1
    bars["volume"], bars["quote_volume"], bars["taker_buy_volume"] = 5, np.nan, np.nan
    return bars


def samples(start_ms: int, count: int, *, every_ms: int = s.STEP_MS, level: float = 1000.0) -> Records:
    """Make OPEN_INTEREST[count] from ``start_ms`` on."""
    rows = np.zeros(count, s.OPEN_INTEREST)
    rows["time"] = start_ms + np.arange(count) * every_ms
    rows["open_interest"] = level + np.arange(count)
    rows["open_interest_value"] = rows["mark_price"] = np.nan
    return rows
