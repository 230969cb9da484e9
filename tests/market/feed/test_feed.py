from __future__ import annotations

import asyncio
import datetime as dt

import pytest

from market.models import Coverage, FeedState, Hole, Instrument
from market.operations.feed import keeping
from market.queries import heard_venues
from market.series import epoch_ms
from tests.market.rows import T0, after

from .kit import (
    LOST,
    Clock,
    StreamedVenue,
    bars,
    line_state,
    play,
    prints,
    store_bars,
    stored_bars,
    stored_prints,
    timing,
    until,
)

pytestmark = pytest.mark.django_db(transaction=True)


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
        venue.is_away = True
        venue.said.put_nowait(LOST)
        await until(lambda: FeedState.objects.filter(connected_at=None).exists())
        # The clock moves only while nobody listens: a line that stands would have heard these minutes.
        clock.at = after(65)
        venue.is_away = False
        await until(lambda: FeedState.objects.filter(connected_at=after(65), reconnects=1).exists())
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
        await asyncio.to_thread(store_bars, instrument, 60, 63)
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


def test_prints_leave_the_ledger_of_listening_whole(venue: StreamedVenue, instrument: Instrument) -> None:
    clock = Clock(after(61))

    async def script() -> None:
        await until(lambda: FeedState.objects.filter(connected_at=after(61)).exists())
        for minute in (62, 64, 66):
            clock.at = after(minute)
            venue.said.put_nowait(prints(instrument, (epoch_ms(after(minute)) - 1, 1, 100.0, 2.0, 0)))
            await until(lambda: Coverage.objects.filter(series="liquidations", end_at=clock.at).exists())

    play(timing(clock), script)
    spans = Coverage.objects.filter(series="liquidations").values_list("start_at", "end_at")
    assert (list(spans), Hole.objects.count()) == ([(after(61), after(66))], 0)
    assert len(stored_prints(instrument)) == 3


@pytest.mark.parametrize("telling_s", [0.0, 3.0])
def test_feed_notes_up_to_when_it_surely_listened_before_it_ends(
    venue: StreamedVenue, instrument: Instrument, telling_s: float
) -> None:
    clock = Clock(after(61))

    async def script() -> None:
        await until(lambda: venue.open_now == 1)
        clock.at = after(64)
        venue.said.put_nowait(bars(instrument, 60))
        await until(lambda: stored_bars(instrument) == 61)

    play(timing(clock, silence_s=3600.0, telling_s=telling_s, describe_s=3600.0), script)
    # What a venue tells once a second may not have been told when the line ended.
    assert Coverage.objects.get(series="liquidations").end_at == after(64) - dt.timedelta(seconds=telling_s)
