from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError, connections

from market.models import ContractTerms, FeedState, Hole, Instrument, Quarantine, VenueState
from market.operations.feed import Timing, keeping, run_feed
from market.operations.feed.intake import Intake
from market.operations.feed.line import Line, _end
from market.operations.herd import Told
from market.series import epoch_ms
from market.sources.base import Channel, Fault, Heard, InstrumentFacts, Part
from tests.market.rows import after

from .kit import (
    BARS,
    Clock,
    StreamedVenue,
    bars,
    line_state,
    play,
    stored_bars,
    timing,
    until,
)

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_feed_leads_again_soon_after_it_lost_the_database(
    venue: StreamedVenue, instrument: Instrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, clock = keeping.write, Clock(after(70))

    def _away(*arguments: Any) -> Any:  # noqa: ANN401 as the original
        monkeypatch.setattr(keeping, "write", write)
        raise OperationalError("server closed the connection")

    async def script() -> None:
        await until(lambda: FeedState.objects.filter(connected_at__isnull=False).exists())
        monkeypatch.setattr(keeping, "write", _away)
        venue.said.put_nowait(bars(instrument, 60))
        await until(lambda: stored_bars(instrument) == 61)
        clock.at = after(71)
        await until(lambda: FeedState.objects.filter(noted_at=after(71)).exists())

    play(timing(clock, rescan_s=60.0, again_s=0.05), script)
    assert venue.opened == 1


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
        many = [asyncio.create_task(intake.put(line, Told(pk, "bars", Part(BARS[:2], 60)))) for pk in range(5)]  # type: ignore[arg-type]  # any line will do
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


def test_a_cancellation_is_not_lost_while_a_session_ends() -> None:
    """The session takes its time to say good-bye; who waits for that is cancelled meanwhile."""

    async def script() -> bool:
        leaving, gone = asyncio.Event(), asyncio.Event()

        async def session() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                leaving.set()
                await gone.wait()

        task = asyncio.create_task(session())
        await asyncio.sleep(0)
        waiting = asyncio.create_task(_end(task))
        await leaving.wait()
        waiting.cancel()
        await asyncio.sleep(0)
        gone.set()
        await asyncio.wait({waiting})
        return waiting.cancelled() and task.done()

    assert asyncio.run(script())


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


def test_feed_stands_down_when_another_took_over(
    venue: StreamedVenue, instrument: Instrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe = keeping.describe

    def _away(*_: object) -> None:
        monkeypatch.setattr(keeping, "describe", describe)
        monkeypatch.setattr(keeping, "lead", lambda: False)
        raise OperationalError("server closed the connection")

    async def script() -> None:
        await until(lambda: venue.open_now == 1)
        monkeypatch.setattr(keeping, "describe", _away)
        await until(lambda: venue.open_now == 0)

    play(timing(Clock()), script)
