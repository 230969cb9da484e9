from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from django.db import OperationalError, connections

from market import series as s
from market.models import ContractTerms, Coverage, FeedState, Hole, Instrument, Quarantine, VenueState
from market.operations import store
from market.operations.feed import Timing, keeping, run_feed
from market.operations.feed.intake import Intake
from market.operations.feed.line import Line
from market.queries import heard_venues, load_bars, load_liquidations
from market.series import epoch_ms
from market.sources import SOURCES
from market.sources.base import Channel, Fault, Heard, InstrumentFacts, Part, SourceError
from tests.factories import make_instrument

from .rows import T0, after
from .scripted_venue import ScriptedVenue, minute_bars

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

    from market.sources.base import Access

pytestmark = pytest.mark.django_db(transaction=True)

BARS = minute_bars(T0, 300)
LOST = SourceError("connection lost", is_outage=True)
PATIENCE_S = 15.0


@dataclass
class StreamedVenue(ScriptedVenue):
    """A venue whose websockets say what the test puts into ``said``: messages, or the error that ends them."""

    said: asyncio.Queue[Heard | SourceError] = field(default_factory=asyncio.Queue)
    opened: int = 0
    open_now: int = 0

    def channels(self, sizes: Mapping[str, float]) -> tuple[Channel, ...]:
        return (Channel("wss://scripted", (), frozenset({"bars"}), sizes),)

    async def listen(self, channel: Channel, *, access: Access) -> AsyncGenerator[Heard, None]:
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


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch) -> StreamedVenue:
    scripted = StreamedVenue()
    monkeypatch.setitem(SOURCES, "scripted", f"{__name__}:SOURCE")
    monkeypatch.setattr(f"{__name__}.SOURCE", scripted)
    return scripted


@pytest.fixture
def instrument() -> Instrument:
    made = make_instrument(venue="scripted", is_live=True)
    store(instrument_id=made.pk, series="bars", rows=BARS[:60], timeframe=60, now=after(60))
    return made


def timing(clock: Clock, **changes: Any) -> Timing:  # noqa: ANN401 any of its fields
    quick = {"flush_s": 0.02, "describe_s": 0.05, "rescan_s": 0.05, "first_pause_s": 0.02, "overlap_s": 0.05}
    return Timing(now=clock.now, **{**quick, "silence_s": 0.0, **changes})


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


def test_feed_stores_what_it_hears_and_describes_its_lines(venue: StreamedVenue, instrument: Instrument) -> None:
    clock = Clock(after(61) + dt.timedelta(seconds=2))

    async def script() -> None:
        venue.said.put_nowait(bars(instrument, 60))
        await until(lambda: stored_bars(instrument) == 61)
        await until(lambda: FeedState.objects.filter(rows=1).exists())

    play(timing(clock), script)
    state = line_state()
    assert (state.venue, state.channel, state.connected_at, state.heard_at) == (
        "scripted", "scripted 1", clock.at, clock.at,
    )  # fmt: skip
    assert (state.lag_p50, state.lag_p95, state.reconnects, state.error) == (2.0, 2.0, 0, "")
    assert heard_venues() == {"scripted"}
    assert venue.open_now == 0


def test_feed_writes_what_it_took_before_it_ends(venue: StreamedVenue, instrument: Instrument) -> None:
    async def script() -> None:
        await until(lambda: venue.opened == 1)
        for minute in range(60, 160):
            venue.said.put_nowait(bars(instrument, minute))
        await until(venue.said.empty)

    play(timing(Clock(after(200)), flush_s=3600.0), script)
    assert stored_bars(instrument) == 160


def test_feed_comes_back_after_a_loss_and_calls_the_prints_between_lost(
    venue: StreamedVenue, instrument: Instrument
) -> None:
    clock = Clock(after(61))

    async def script() -> None:
        await until(lambda: FeedState.objects.filter(connected_at=after(61)).exists())
        clock.at = after(62)
        await until(lambda: Coverage.objects.filter(series="liquidations", end_at=after(62)).exists())
        venue.said.put_nowait(LOST)
        await until(lambda: venue.opened == 2)
        clock.at = after(65)
        venue.said.put_nowait(LOST)
        await until(lambda: FeedState.objects.filter(connected_at=after(65), reconnects=2).exists())
        clock.at = after(66)
        await until(lambda: Coverage.objects.filter(series="liquidations", end_at=after(66)).exists())

    play(timing(clock), script)
    hole = Hole.objects.get(series="liquidations")
    assert (hole.start_at >= after(62), hole.end_at, hole.state, hole.reason) == (
        True, after(65), "lost", keeping.NOT_LISTENING,
    )  # fmt: skip


def test_equal_prints_of_one_message_are_told_apart_and_repeated_ones_not(
    venue: StreamedVenue, instrument: Instrument
) -> None:
    one = (T0 + 61 * 60_000, 1, 100.0, 2.0, 0)
    other = (T0 + 61 * 60_000, -1, 100.0, 2.0, 0)

    async def script() -> None:
        for _ in range(2):
            venue.said.put_nowait(prints(instrument, one, one, other))
        await until(lambda: FeedState.objects.filter(rows=6).exists())

    play(timing(Clock(after(62))), script)
    assert stored_prints(instrument) == [other, one, (*one[:4], 1)]


def test_feed_renews_a_line_without_a_gap(venue: StreamedVenue, instrument: Instrument) -> None:
    async def script() -> None:
        for minute in range(60, 80):
            venue.said.put_nowait(bars(instrument, minute))
            await asyncio.sleep(0.03)
        await until(lambda: stored_bars(instrument) == 80)

    play(timing(Clock(after(90)), life_s=0.1), script)
    assert venue.opened > 2
    assert (line_state().reconnects, Hole.objects.count(), venue.open_now) == (0, 0, 0)


def test_feed_doubts_a_line_that_keeps_quiet_about_stored_bars(venue: StreamedVenue, instrument: Instrument) -> None:
    clock = Clock(after(60))

    async def script() -> None:
        await until(lambda: FeedState.objects.filter(connected_at=after(60)).exists())
        clock.at = after(63)
        await asyncio.to_thread(_store, instrument, 60, 63)
        await until(lambda: venue.opened == 2)

    play(timing(clock), script)


def test_feed_leaves_a_quiet_line_in_peace(venue: StreamedVenue, instrument: Instrument) -> None:
    clock = Clock(after(60))

    async def script() -> None:
        await until(lambda: FeedState.objects.filter(connected_at=after(60)).exists())
        clock.at = after(240)
        await until(lambda: FeedState.objects.filter(noted_at=after(240)).exists())
        await asyncio.sleep(0.3)

    play(timing(clock), script)
    assert venue.opened == 1


def _store(instrument: Instrument, first: int, last: int) -> None:
    store(instrument_id=instrument.pk, series="bars", rows=BARS[first:last], timeframe=60, now=after(last))
    connections["default"].close()


def test_feed_keeps_what_it_hears_while_the_database_is_away(
    venue: StreamedVenue, instrument: Instrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, tries = keeping.write, []

    def _away_at_first(*arguments: Any) -> Any:  # noqa: ANN401 as the original
        tries.append(1)
        if len(tries) < 5:
            raise OperationalError("server closed the connection")
        return write(*arguments)

    monkeypatch.setattr(keeping, "write", _away_at_first)

    async def script() -> None:
        for minute in (60, 61, 62):
            venue.said.put_nowait(bars(instrument, minute))
            await asyncio.sleep(0.03)
        await until(lambda: stored_bars(instrument) == 63)

    play(timing(Clock(after(70))), script)
    assert Hole.objects.count() == 0


def test_feed_asks_a_resting_venue_nothing(venue: StreamedVenue, instrument: Instrument) -> None:
    VenueState.objects.create(venue="scripted", failures=1, is_banned=True, retry_at="2999-01-01T00:00Z")

    async def script() -> None:
        await until(lambda: FeedState.objects.exclude(error="").exists())

    play(timing(Clock()), script)
    assert (venue.opened, "left alone" in line_state().error) == (0, True)


def test_feed_follows_what_is_enabled(venue: StreamedVenue, instrument: Instrument) -> None:
    async def script() -> None:
        await until(lambda: venue.open_now == 1)
        await asyncio.to_thread(_enable, instrument, is_live=False)
        await until(lambda: venue.open_now == 0)
        await asyncio.to_thread(_enable, instrument, is_live=True)
        await until(lambda: venue.open_now == 1)

    play(timing(Clock()), script)
    assert venue.opened == 2


def _enable(instrument: Instrument, *, is_live: bool) -> None:
    Instrument.objects.filter(pk=instrument.pk).update(is_live=is_live)
    connections["default"].close()


def test_feed_reads_the_lists_of_the_venues(venue: StreamedVenue, instrument: Instrument) -> None:
    venue.facts = (InstrumentFacts(instrument.symbol, "BTC", "USDT", "linear", 1.0, "0.5", "0.001"),)

    async def script() -> None:
        await until(lambda: Instrument.objects.filter(tick_size="0.5").exists())

    play(timing(Clock()), script)
    assert ContractTerms.objects.get().tick_size == Decimal("0.5")


def test_second_feed_stands_by(venue: StreamedVenue, instrument: Instrument) -> None:
    async def script() -> None:
        await until(lambda: venue.open_now == 1)
        stop = asyncio.Event()
        second = asyncio.create_task(run_feed(timing=timing(Clock()), stop=stop))
        await asyncio.sleep(0.3)
        assert venue.opened == 1
        stop.set()
        await second

    play(timing(Clock()), script)


def test_feed_keeps_messages_that_can_not_be_read(venue: StreamedVenue, instrument: Instrument) -> None:
    async def script() -> None:
        venue.said.put_nowait(Heard(faults=(Fault("<html>", "no JSON"),)))
        await until(Quarantine.objects.exists)

    play(timing(Clock()), script)
    kept = Quarantine.objects.get()
    assert (kept.instrument, kept.series, kept.origin, kept.reason) == (None, "stream", "scripted stream", "no JSON")


def test_intake_waits_for_room_and_sheds_nothing() -> None:
    async def fill() -> list[int]:
        intake, line = Intake(most_rows=3), object()
        many = [asyncio.create_task(intake.put(line, pk, "bars", Part(BARS[:2], 60))) for pk in range(5)]  # type: ignore[arg-type]  # any line will do
        taken: list[int] = []
        while len(taken) < 5:
            await asyncio.sleep(0)
            items = await intake.take()
            assert len(items) <= 2
            taken += [item.told.instrument_id for item in items if item.told]
            await intake.done([])
        await asyncio.gather(*many)
        return taken

    assert asyncio.run(fill()) == [0, 1, 2, 3, 4]


def test_line_measures_lag_in_wall_time() -> None:
    clock = Clock(after(62))
    line = Line(
        venue=StreamedVenue(),
        channel=Channel("", (), frozenset(), {}),
        access=None,  # type: ignore[arg-type]  # not asked
        ids={},
        intake=Intake(),
        timing=Timing(now=clock.now, speed=60.0),
        name="",
        ask=asyncio.sleep,  # type: ignore[arg-type]  # not asked
    )
    line.note_stored(Part(BARS[60:61], 60), epoch_ms(clock.at))
    assert line.lag(0.5) == 1.0
