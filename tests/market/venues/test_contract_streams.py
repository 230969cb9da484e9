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
    from market.sources.base import Part


@pytest.mark.parametrize("slug", SLUGS)
def test_websockets_share_all_symbols_out(slug: str) -> None:
    venue = load_venue(slug)
    sizes = {f"S{index}USDT": 1.0 for index in range(700)}
    channels = venue.channels(sizes)
    assert [symbol for channel in channels for symbol in channel.sizes] == list(sizes)
    topics = [topic for channel in channels for topic in channel.topics]
    assert len(topics) == len(set(topics)) >= len(sizes)
    assert venue.channels({}) == ()


async def _hear(side: Side, clock: ManualClock, minutes: int) -> dict[SeriesName, list[Part]]:
    """Listen until some minutes' bars have come and a little longer."""
    (channel,) = side.venue.channels({side.symbol: side.size})
    missing = set(channel.topics)
    heard_of: dict[SeriesName, list[Part]] = {}
    last = clock.at_ms // MINUTE_MS * MINUTE_MS + (minutes - 1) * MINUTE_MS
    async with aclosing(side.venue.listen(channel, access=side.access)) as stream:
        async for heard in stream:
            assert heard.faults == ()
            if missing and not (missing := missing - heard.confirmed):
                clock.advance(minutes=minutes)
            for symbol, series, part in heard.parts:
                assert (symbol, part.faults, part.covered) == (side.symbol, (), None)
                heard_of.setdefault(series, []).append(part)
            if any(last in part.rows["open_time"] for part in heard_of.get("bars", ())):
                break
    return heard_of


@pytest.mark.parametrize("slug", SLUGS)
def test_websocket_tells_closed_bars_and_liquidations(slug: str) -> None:
    clock = ManualClock(NOON)
    market = synthetic_market(2, slugs=[slug], prints_per_day=50_000)
    with serve(market=market, clock=clock) as double:
        side = Side(double, slug)
        heard = asyncio.run(_hear(side, clock, 3))
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
    # The last minute's come before its bar.
    same(prints[list(prints.dtype.names or ())[:4]], [(p.time, sides[p.position_side], *p[2:]) for p in expected])
    assert {*prints["position_side"].tolist()} == {1, -1}
