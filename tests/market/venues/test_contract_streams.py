"""What every venue's websockets must keep, and what they cost: see ``test_contract``."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import numpy as np
import pytest

from market.series import LIQUIDATION, MINUTE_MS
from market.sources import load_venue
from tests.double import ManualClock, serve, synthetic_market, truth
from tests.market.venues.side import NOON, SLUGS, Side, same

if TYPE_CHECKING:
    from market.series import SeriesName
    from market.sources.base import Channel, Part


@pytest.mark.parametrize("slug", SLUGS)
def test_websockets_share_all_symbols_out(slug: str) -> None:
    venue = load_venue(slug)
    sizes = {f"S{index}USDT": 1.0 for index in range(700)}
    channels = venue.channels(sizes)
    for series in venue.streams:
        bringing = [channel for channel in channels if series in (channel.series or venue.streams)]
        assert [symbol for channel in bringing for symbol in channel.sizes] == list(sizes), series
    topics = [topic for channel in channels for topic in channel.topics]
    assert len(topics) == len(set(topics)) >= len(sizes)
    assert venue.channels({}) == ()


class Ear:
    """Listens on all of a venue's websockets for one symbol; the market goes on once all topics are confirmed."""

    def __init__(self, side: Side, clock: ManualClock, minutes: int) -> None:
        self.side, self.clock, self.minutes = side, clock, minutes
        self.channels = side.venue.channels({side.symbol: side.size})
        self.missing = {topic for channel in self.channels for topic in channel.topics}
        self.parts: dict[SeriesName, list[Part]] = {}
        self.last = clock.at_ms // MINUTE_MS * MINUTE_MS + (minutes - 1) * MINUTE_MS

    async def hear(self) -> dict[SeriesName, list[Part]]:
        """Listen until the bars of all minutes have come and nothing more does."""
        tasks = [asyncio.create_task(self._listen(channel)) for channel in self.channels]
        async with asyncio.timeout(20):
            while not any(self.last in part.rows["open_time"] for part in self.parts.get("bars", ())):
                await asyncio.sleep(0.01)
                assert not any(task.done() for task in tasks)
            await asyncio.sleep(0.3)
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(end) for end in ends] == [asyncio.CancelledError] * len(tasks)
        return self.parts

    async def _listen(self, channel: Channel) -> None:
        async with aclosing(self.side.venue.listen(channel, access=self.side.access)) as stream:
            async for heard in stream:
                assert heard.faults == ()
                self._confirm(heard.confirmed)
                for symbol, series, part in heard.parts:
                    assert (symbol, part.faults, part.covered) == (self.side.symbol, (), None)
                    assert series in (channel.series or self.side.venue.streams)
                    self.parts.setdefault(series, []).append(part)

    def _confirm(self, topics: frozenset[str]) -> None:
        was_missing, self.missing = self.missing, self.missing - topics
        if was_missing and not self.missing:
            self.clock.advance(minutes=self.minutes)


@pytest.mark.parametrize("slug", SLUGS)
def test_websocket_tells_closed_bars_and_liquidations(slug: str) -> None:
    clock = ManualClock(NOON)
    market = synthetic_market(2, slugs=[slug], prints_per_day=50_000)
    with serve(market=market, clock=clock) as double:
        side = Side(double, slug)
        heard = asyncio.run(Ear(side, clock, 3).hear())
    bars = np.concatenate([part.rows for part in heard["bars"]])
    same(bars, truth.bars(side.listing, since=NOON, until=NOON + 3 * MINUTE_MS, now=NOON + 3 * MINUTE_MS))
    assert {part.timeframe for part in heard["bars"]} == {60}
    assert heard.keys() <= side.venue.streams
    if "liquidations" not in side.venue.streams:
        return
    prints = np.concatenate([part.rows for part in heard["liquidations"]])
    assert prints.dtype == LIQUIDATION
    expected = truth.liquidations(side.listing, since=NOON, until=NOON + 3 * MINUTE_MS)
    sides = {"LONG": 1, "SHORT": -1}
    same(prints[list(prints.dtype.names or ())[:4]], [(p.time, sides[p.position_side], *p[2:]) for p in expected])
    assert {*prints["position_side"].tolist()} == {1, -1}
