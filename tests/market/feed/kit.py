"""A venue whose websockets a test speaks for, and the feed that listens to it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db import connections

from market import series as s
from market.models import FeedState, Instrument
from market.operations import store
from market.operations.feed import Timing, run_feed
from market.queries import load_bars, load_liquidations
from market.sources.base import Channel, Heard, Part, SourceError
from tests.market.rows import T0, after
from tests.market.scripted_venue import ScriptedVenue, minute_bars

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

    from market.sources.base import Access

BARS = minute_bars(T0, 300)
LOST = SourceError("connection lost", is_outage=True)
PATIENCE_S = 15.0


@dataclass
class StreamedVenue(ScriptedVenue):
    """A venue whose websockets say what the test puts into ``said``: messages, or the error that ends them."""

    said: asyncio.Queue[Heard | SourceError] = field(default_factory=asyncio.Queue)
    opened: int = 0
    open_now: int = 0
    is_away: bool = False

    def channels(self, sizes: Mapping[str, float]) -> tuple[Channel, ...]:
        return (Channel("wss://scripted", (), frozenset({"bars"}), sizes),)

    async def listen(self, channel: Channel, *, access: Access) -> AsyncGenerator[Heard, None]:
        if self.is_away:
            raise LOST
        self.opened += 1
        self.open_now += 1
        try:
            yield Heard(confirmed=frozenset({"bars"}))
            while True:
                message = await self.said.get()
                if isinstance(message, SourceError):
                    raise message
                yield message
        finally:
            self.open_now -= 1

    __hash__ = object.__hash__


SOURCE = StreamedVenue()


@dataclass
class Clock:
    """A clock that the test sets."""

    at: dt.datetime = field(default_factory=lambda: after(61))

    def now(self) -> dt.datetime:
        return self.at


def timing(clock: Clock, **changes: Any) -> Timing:  # noqa: ANN401 any of its fields
    quick = {"flush_s": 0.02, "describe_s": 0.05, "rescan_s": 0.05, "first_pause_s": 0.02, "overlap_s": 0.05}
    return Timing(now=clock.now, **{**quick, "silence_s": 0.0, "telling_s": 0.0, **changes})


def bars(instrument: Instrument, *minutes: int) -> Heard:
    return Heard(parts=((instrument.symbol, "bars", Part(BARS[list(minutes)], 60)),))


def prints(instrument: Instrument, *rows: tuple[float, ...]) -> Heard:
    return Heard(parts=((instrument.symbol, "liquidations", Part(np.array(list(rows), s.LIQUIDATION))),))


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(int(PATIENCE_S / 0.02)):
        if await asyncio.to_thread(_asked, holds):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come to pass")


def _asked(holds: Callable[[], bool]) -> bool:
    try:
        return holds()
    finally:
        connections["default"].close()


def play(timing: Timing, script: Callable[[], Awaitable[None]]) -> None:
    """Run the feed while a script goes on, then stop it as a signal would."""

    async def _both() -> None:
        stop = asyncio.Event()
        feed = asyncio.create_task(run_feed(timing=timing, stop=stop))
        try:
            await script()
        finally:
            stop.set()
            await feed

    asyncio.run(_both())


def stored_bars(instrument: Instrument) -> int:
    return len(load_bars(instrument_id=instrument.pk, since=after(0), until=after(300), timeframe=60))


def stored_prints(instrument: Instrument) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = load_liquidations(
        instrument_id=instrument.pk, since=after(0), until=after(300)
    ).tolist()
    return rows


def line_state() -> FeedState:
    return FeedState.objects.get()


def store_bars(instrument: Instrument, first: int, last: int) -> None:
    store(instrument_id=instrument.pk, series="bars", rows=BARS[first:last], timeframe=60, now=after(last))
    connections["default"].close()
