from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market import series as s
from market.models import Instrument, SourceCheckpoint
from market.operations import store
from market.queries import (
    Freshness,
    Stretch,
    checkpoints,
    coverage,
    freshness,
    get_instrument,
    list_fetched,
    list_instruments,
    load_bars,
    load_funding,
    load_liquidations,
    load_open_interest,
    load_window,
    stored_span,
)
from market.queries.windows import merge_steps
from tests.factories import make_instrument

from .rows import NAN, T0, after, make_bars, plain

pytestmark = pytest.mark.django_db
LATER = after(24 * 60)


def store_bars(pk: int, rows: s.Records, timeframe: int) -> None:
    store(instrument_id=pk, series="bars", rows=rows, timeframe=timeframe, now=LATER)


def open_minutes(rows: s.Records) -> list[int]:
    minutes: list[int] = ((rows["open_time"] - T0) // 60_000).tolist()
    return minutes


def test_get_instrument_reads_the_key() -> None:
    pk = make_instrument(symbol="ETHUSDT").pk
    make_instrument()
    assert get_instrument(key="binance:ETHUSDT").pk == pk


@pytest.mark.parametrize(
    "key", ["binance:DOGEUSDT", "bybit:BTCUSDT", "BTCUSDT", "", ":", "binance:BTCUSDT:", "binance:\0"]
)
def test_get_instrument_knows_no_other_name(key: str) -> None:
    make_instrument()
    with pytest.raises(Instrument.DoesNotExist):
        get_instrument(key=key)


def test_what_has_ended_is_neither_fetched_nor_stale(now: dt.datetime) -> None:
    made = [make_instrument(symbol=symbol, is_live=True) for symbol in ("AUSDT", "BUSDT")]
    simulated = make_instrument(venue="simulated", is_live=True, is_simulated=True)
    make_instrument(symbol="CUSDT")
    Instrument.objects.filter(pk=made[1].pk).update(ended_at=now)
    assert [row.pk for row in list_fetched(with_venues=True)] == [made[0].pk, simulated.pk]
    assert [row.pk for row in list_fetched(with_venues=False)] == [simulated.pk]
    made[1].refresh_from_db()
    judged = freshness(instrument=made[1], now=now)
    assert (judged.stale_after, judged.is_live, judged.is_stale) == (None, False, False)


def test_list_instruments_puts_live_ones_first() -> None:
    make_instrument(symbol="BTCUSDT")
    make_instrument(symbol="AAVEUSDT")
    make_instrument(venue="simulated", symbol="SIMBTC-USDT", is_live=True)
    assert [row.key for row in list_instruments()] == ["simulated:SIMBTC-USDT", "binance:AAVEUSDT", "binance:BTCUSDT"]


def test_stored_span_reaches_to_the_end_of_the_last_bar() -> None:
    pk = make_instrument().pk
    assert stored_span(instrument_id=pk) is None
    store_bars(pk, make_bars(1, 2, 9), 300)
    store_bars(pk, make_bars(50, timeframe=60), 60)
    assert stored_span(instrument_id=pk) == (after(5), after(51))


def test_coverage_lists_stretches() -> None:
    pk = make_instrument().pk
    store_bars(pk, make_bars(0, 1, 4), 300)
    assert coverage(instrument_id=pk) == [
        Stretch("bars", 300, after(0), after(10)),
        Stretch("bars", 300, after(20), after(25)),
    ]


def test_freshness_of_a_live_instrument_ends_75_seconds_after_the_next_close() -> None:
    instrument = make_instrument(is_live=True)
    store_bars(instrument.pk, make_bars(0, timeframe=60), 60)
    as_of, stale_after = after(1), after(1) + dt.timedelta(seconds=75)
    assert freshness(instrument=instrument, now=stale_after) == Freshness(
        as_of, stale_after, is_live=True, is_stale=False
    )
    late = freshness(instrument=instrument, now=stale_after + dt.timedelta(microseconds=1))
    assert late == Freshness(as_of, stale_after, is_live=True, is_stale=True)


def test_freshness_of_a_live_instrument_without_bars_is_stale(now: dt.datetime) -> None:
    expected = Freshness(None, None, is_live=True, is_stale=True)
    assert freshness(instrument=make_instrument(is_live=True), now=now) == expected


def test_freshness_of_imported_history_never_ends() -> None:
    instrument = make_instrument()
    store_bars(instrument.pk, make_bars(0), 300)
    expected = Freshness(after(5), None, is_live=False, is_stale=False)
    assert freshness(instrument=instrument, now=LATER) == expected


def test_checkpoints_come_in_order() -> None:
    instrument = make_instrument()
    for minutes in (5, 1, 3):
        SourceCheckpoint.objects.create(instrument=instrument, as_of=after(minutes), body=bytes([minutes]))
    found = checkpoints(instrument_id=instrument.pk, since=after(1), until=after(3))
    assert list(found) == [(after(1), b"\x01"), (after(3), b"\x03")]


def test_load_bars_returns_what_lies_wholly_inside() -> None:
    pk = make_instrument().pk
    store_bars(pk, make_bars(0, 1, 2, 3), 300)
    found = load_bars(instrument_id=pk, since=after(5), until=after(15), timeframe=300)
    assert open_minutes(found) == [5, 10]
    found = load_bars(instrument_id=pk, since=after(5), until=after(14.99), timeframe=300)
    assert open_minutes(found) == [5]


def test_load_bars_aggregates() -> None:
    pk, rows = make_instrument().pk, make_bars(0, 1, 2, 3, 5)
    rows["high"], rows["low"], rows["close"] = [12, 15, 12, 20, 12], [9, 9, 7, 9, 5], [11, 10, 9, 12, 11]
    rows["quote_volume"] = [50, 60, 70, NAN, 80]
    store_bars(pk, rows, 300)
    found = load_bars(instrument_id=pk, since=after(0), until=after(60), timeframe=900)
    assert plain(found) == [
        (T0, 10, 15, 7, 9, 15, 180, None),
        # One bar of three is missing and one doesn't know its quote volume: no sum of quote volume.
        (T0 + 900_000, 10, 20, 5, 11, 10, None, None),
    ]


def test_load_bars_begins_with_a_whole_period_and_ends_with_what_has_elapsed() -> None:
    pk, rows = make_instrument().pk, make_bars(0, 1, 2, 3, 4)
    store_bars(pk, rows, 300)
    found = load_bars(instrument_id=pk, since=after(7), until=after(20), timeframe=900)
    assert plain(found[["open_time", "volume"]]) == [(T0, 15), (T0 + 900_000, 5)]


def test_load_bars_takes_each_period_from_where_most_of_it_is() -> None:
    pk = make_instrument().pk
    store_bars(
        pk, make_bars(*range(5), 7, timeframe=60, close=10.5), 60
    )  # all of the first period, a fifth of the next
    store_bars(pk, make_bars(0, 1, 2, close=11.0), 300)
    found = load_bars(instrument_id=pk, since=after(0), until=after(15), timeframe=300)
    assert found["close"].tolist() == [10.5, 11.0, 11.0]


def test_load_bars_does_not_use_bars_longer_than_asked_for() -> None:
    pk = make_instrument().pk
    store_bars(pk, make_bars(0, timeframe=3600), 3600)
    assert len(load_bars(instrument_id=pk, since=after(0), until=after(60), timeframe=900)) == 0
    assert len(load_bars(instrument_id=pk, since=after(0), until=after(60), timeframe=3600)) == 1


def test_load_bars_of_nothing_is_empty() -> None:
    found = load_bars(instrument_id=make_instrument().pk, since=after(0), until=after(60), timeframe=300)
    assert (found.dtype, len(found)) == (s.BAR, 0)


def test_load_window_chooses_step_by_step() -> None:
    pk = make_instrument().pk
    minutes = [*range(5), 5, 6, 8, 15, 17]  # step 0 complete, step 1 with a hole, step 3 alone with a hole
    store_bars(pk, make_bars(*minutes, timeframe=60), 60)
    store_bars(pk, make_bars(0, 1, 2), 300)
    window = load_window(instrument_id=pk, since=after(0), until=after(60))
    assert open_minutes(window.bars) == [0, 1, 2, 3, 4, 5, 10, 15, 17]
    assert (window.bar_ms // 60_000).tolist() == [1, 1, 1, 1, 1, 5, 5, 1, 1]


def test_load_window_of_five_minute_history_alone() -> None:
    pk = make_instrument().pk
    store_bars(pk, make_bars(0, 2), 300)
    samples = np.array([(T0, 1.0, NAN, NAN), (T0 + 300_000, 2.0, NAN, NAN)], dtype=s.OPEN_INTEREST)
    store(instrument_id=pk, series="open_interest", rows=samples, now=LATER)
    window = load_window(instrument_id=pk, since=after(0), until=after(15))
    assert (open_minutes(window.bars), window.bar_ms.tolist()) == ([0, 10], [300_000, 300_000])
    assert window.open_interest["open_interest"].tolist() == [2.0]


def test_load_window_of_nothing_is_empty() -> None:
    window = load_window(instrument_id=make_instrument().pk, since=after(0), until=after(60))
    assert (len(window.bars), len(window.bar_ms), len(window.open_interest)) == (0, 0, 0)


@given(st.sets(st.integers(0, 19)), st.sets(st.integers(0, 3)))
def test_merge_steps_agrees_with_a_plain_loop(minutes: set[int], fives: set[int]) -> None:
    expected = []
    for step in range(4):
        inside = sorted(minute for minute in minutes if minute // 5 == step)
        if len(inside) == 5 or step not in fives:
            expected += [(minute, 60_000) for minute in inside]
        else:
            expected.append((5 * step, 300_000))
    bars, bar_ms = merge_steps(make_bars(*sorted(minutes), timeframe=60), make_bars(*sorted(fives)))
    assert list(zip(open_minutes(bars), bar_ms.tolist(), strict=True)) == expected


def test_samples_belong_to_the_step_that_they_end() -> None:
    pk = make_instrument().pk
    times = [T0 + minute * 60_000 for minute in (0, 5, 10, 15)]
    interest = np.array([(time, 1.0, NAN, NAN) for time in times], dtype=s.OPEN_INTEREST)
    funding = np.array([(time, 1e-4, NAN) for time in times], dtype=s.FUNDING)
    store(instrument_id=pk, series="open_interest", rows=interest, now=LATER)
    store(instrument_id=pk, series="funding", rows=funding, now=LATER)
    span = {"since": after(0), "until": after(10)}
    assert load_open_interest(instrument_id=pk, **span)["time"].tolist() == times[1:3]
    assert load_funding(instrument_id=pk, **span)["time"].tolist() == times[1:3]


def test_events_belong_to_the_step_in_which_they_happen() -> None:
    pk = make_instrument().pk
    rows = np.array([(T0 + minute * 60_000, 1, 9.0, 1.0, 0) for minute in (0, 5, 10)], dtype=s.LIQUIDATION)
    store(instrument_id=pk, series="liquidations", rows=rows, now=LATER)
    found = load_liquidations(instrument_id=pk, since=after(0), until=after(10))
    assert found["time"].tolist() == [T0, T0 + 300_000]
