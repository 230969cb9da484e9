from __future__ import annotations

import datetime as dt
import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest
from django.db import IntegrityError, connection, transaction

from market import series as s
from market.models import Coverage, Instrument, Revision
from market.operations import Stored, ensure_instrument, store
from market.queries import load_bars, load_funding, load_liquidation_totals, load_liquidations, load_open_interest
from market.queries.wire import from_arrays
from market.sources.base import InstrumentFacts
from tests.factories import make_instrument

from .rows import NAN, T0, after, make_bars, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from market.series import SeriesName

TOMORROW = after(24 * 60)
POINTS: dict[SeriesName, s.Records] = {
    "open_interest": np.array([(T0 + 300_000, 7.0, NAN, 3.5), (T0 + 600_000, 8.0, 24.0, NAN)], dtype=s.OPEN_INTEREST),
    "funding": np.array([(T0 + 300_000, 1e-4, 28_800.0), (T0 + 600_000, -2e-4, NAN)], dtype=s.FUNDING),
    "liquidations": np.array([(T0 + 1, 1, 60_000.5, 0.25, 0), (T0 + 1, 1, 60_000.5, 0.25, 1)], dtype=s.LIQUIDATION),
    "liquidation_totals": np.array([(T0, 1.5, 0.0), (T0 + 3_600_000, 0.0, 2.5)], dtype=s.LIQUIDATION_TOTAL),
}
LOADERS = {
    "open_interest": load_open_interest,
    "funding": load_funding,
    "liquidations": load_liquidations,
    "liquidation_totals": load_liquidation_totals,
}


def stored_bars(pk: int, *, price_kind: int = 0) -> s.Records:
    return load_bars(instrument_id=pk, since=after(0), until=TOMORROW, timeframe=300, price_kind=price_kind)


def array(rows: s.Records, field: str, *, nulls: int = 0) -> bytes:
    """A field as the server sends its array: the head and each element's length and value in network order."""
    head = np.array([1, nulls, 701, len(rows), 1], ">i4").tobytes()
    values = (rows[field] - 946_684_800_000) * 1000 if field == "open_time" else rows[field]
    elements = np.empty(len(rows), [("length", ">i4"), ("value", values.dtype.newbyteorder(">"))])
    elements["length"], elements["value"] = 8, values
    return head + elements.tobytes()


def test_arrays_become_the_rows_they_are_of() -> None:
    rows = make_bars(0, 1, 2)
    rows["close"] = [5e-324, 0.1 + 0.2, 1.7976931348623157e308]
    fields = s.BAR.names or ()
    assert from_arrays([array(rows, field) for field in fields], s.BAR).tobytes() == rows.tobytes()
    assert len(from_arrays([None] * len(fields), s.BAR)) == 0


def test_arrays_that_are_no_columns_are_refused() -> None:
    rows, fields = make_bars(0, 1), s.BAR.names or ()
    whole = [array(rows, field) for field in fields]
    for broken in (
        whole[:-1],
        [*whole[:-1], None],
        [*whole[:-1], array(rows[:1], fields[-1])],
        [*whole[:-1], array(rows, fields[-1], nulls=1)],
        [*whole[:-1], whole[-1][:-4]],
    ):
        with pytest.raises(ValueError, match="elements"):
            from_arrays(broken, s.BAR)


@pytest.mark.django_db
def test_store_and_load_give_bars_back(now: dt.datetime) -> None:
    pk, rows = make_instrument().pk, make_bars(0, 1, 2)
    rows["taker_buy_volume"][1] = 0.1 + 0.2
    assert store(instrument_id=pk, series="bars", rows=rows, timeframe=300, now=now) == Stored(3, 0, 0)
    assert plain(stored_bars(pk)) == plain(rows)


@pytest.mark.django_db
@pytest.mark.parametrize("series", POINTS)
def test_store_and_load_give_each_series_back(series: SeriesName, now: dt.datetime) -> None:
    pk, rows = make_instrument().pk, POINTS[series]
    timeframe = 3600 if series == "liquidation_totals" else 0
    first = store(instrument_id=pk, series=series, rows=rows, timeframe=timeframe, now=now)
    second = store(instrument_id=pk, series=series, rows=rows, timeframe=timeframe, now=now)
    assert (first, second) == (Stored(2, 0, 0), Stored(0, 2, 0))
    assert plain(LOADERS[series](instrument_id=pk, since=after(0), until=TOMORROW)) == plain(rows)


@pytest.mark.django_db
def test_store_again_writes_nothing(now: dt.datetime) -> None:
    pk, rows = make_instrument().pk, make_bars(0, 1, 2)
    store(instrument_id=pk, series="bars", rows=rows, timeframe=300, now=now)
    with connection.cursor() as cursor:
        cursor.execute("SELECT ctid::text, xmin::text FROM market_bar ORDER BY open_time")
        before = cursor.fetchall()
        assert store(instrument_id=pk, series="bars", rows=rows, timeframe=300, now=now) == Stored(0, 3, 0)
        cursor.execute("SELECT ctid::text, xmin::text FROM market_bar ORDER BY open_time")
        assert cursor.fetchall() == before
    assert Revision.objects.count() == 0


@pytest.mark.django_db
def test_store_keeps_the_former_values_of_a_correction(now: dt.datetime) -> None:
    pk = make_instrument().pk
    store(instrument_id=pk, series="bars", rows=make_bars(0, 1), timeframe=300, now=now)
    changed = make_bars(1, 2)
    changed["close"][0] = 11.5
    assert store(instrument_id=pk, series="bars", rows=changed, timeframe=300, now=now) == Stored(1, 0, 1)
    revision = Revision.objects.get()
    assert (revision.instrument_id, revision.series, revision.key_time) == (pk, "bars", after(5))
    assert revision.former == {
        "timeframe": 300,
        "open": 10,
        "high": 12,
        "low": 9,
        "close": 11,
        "volume": 5,
        "quote_volume": None,
        "taker_buy_volume": None,
    }
    assert stored_bars(pk)["close"].tolist() == [11, 11.5, 11]


@pytest.mark.django_db
def test_store_does_not_let_silence_erase_a_value(now: dt.datetime) -> None:
    pk, rich = make_instrument().pk, make_bars(0)
    rich["quote_volume"], rich["taker_buy_volume"] = 55.0, 2.0
    store(instrument_id=pk, series="bars", rows=rich, timeframe=300, now=now)
    assert store(instrument_id=pk, series="bars", rows=make_bars(0), timeframe=300, now=now) == Stored(0, 1, 0)
    assert plain(stored_bars(pk)) == plain(rich)


@pytest.mark.django_db
def test_store_adds_a_value_that_was_silent(now: dt.datetime) -> None:
    pk, rich = make_instrument().pk, make_bars(0)
    rich["quote_volume"] = 55.0
    store(instrument_id=pk, series="bars", rows=make_bars(0), timeframe=300, now=now)
    assert store(instrument_id=pk, series="bars", rows=rich, timeframe=300, now=now) == Stored(0, 0, 1)
    assert plain(stored_bars(pk)) == plain(rich)


@pytest.mark.django_db
def test_store_keeps_instruments_kinds_and_timeframes_apart(now: dt.datetime) -> None:
    one, other = make_instrument().pk, make_instrument(symbol="ETHUSDT").pk
    store(instrument_id=one, series="bars", rows=make_bars(0), timeframe=300, now=now)
    assert store(instrument_id=other, series="bars", rows=make_bars(0, close=10.0), timeframe=300, now=now).new == 1
    assert store(instrument_id=one, series="mark_bars", rows=make_bars(0, close=9.5), timeframe=300, now=now).new == 1
    assert store(instrument_id=one, series="bars", rows=make_bars(0, close=9.0), timeframe=900, now=now).new == 1
    assert stored_bars(one)["close"].tolist() == [11.0]
    assert stored_bars(one, price_kind=1)["close"].tolist() == [9.5]


@pytest.mark.django_db
def test_store_makes_the_months_that_it_needs(now: dt.datetime) -> None:
    pk, rows = make_instrument().pk, make_bars(0, 1, 2)
    rows["open_time"] = [1_011_744_000_000, 1_012_521_300_000, 1_012_521_600_000]  # 2002-01-23, then both sides of Feb
    store(instrument_id=pk, series="bars", rows=rows, timeframe=300, now=now)
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM market_bar ORDER BY open_time")
        assert [name for (name,) in cursor.fetchall()] == [
            "market_bar_2002_01",
            "market_bar_2002_01",
            "market_bar_2002_02",
        ]


@pytest.mark.django_db
def test_store_fills_the_ledger(now: dt.datetime) -> None:
    pk = make_instrument().pk
    store(instrument_id=pk, series="bars", rows=make_bars(0, 1, 3), timeframe=300, now=now)
    store(instrument_id=pk, series="bars", rows=make_bars(2), timeframe=300, now=now)
    store(instrument_id=pk, series="open_interest", rows=POINTS["open_interest"], now=now)
    rows = Coverage.objects.order_by("series").values_list("series", "timeframe", "start_at", "end_at")
    assert list(rows) == [("bars", 300, after(0), after(20)), ("open_interest", 300, after(5), after(10))]


@pytest.mark.django_db
def test_store_takes_silence_of_a_watched_span_into_the_ledger(now: dt.datetime) -> None:
    pk = make_instrument().pk
    nothing = np.empty(0, dtype=s.LIQUIDATION)
    span = (T0, T0 + 60_000)
    assert store(instrument_id=pk, series="liquidations", rows=nothing, now=now, span=span) == Stored(0, 0, 0)
    assert list(Coverage.objects.values_list("series", "start_at", "end_at")) == [("liquidations", after(0), after(1))]


@pytest.mark.django_db
def test_store_refuses_the_future_and_a_missing_timeframe(now: dt.datetime) -> None:
    pk = make_instrument().pk
    with pytest.raises(ValueError, match="future"):
        store(instrument_id=pk, series="bars", rows=make_bars(0), timeframe=300, now=after(-1))
    with pytest.raises(ValueError, match="timeframe"):
        store(instrument_id=pk, series="bars", rows=make_bars(0), now=now)


@pytest.mark.django_db
def test_store_leaves_nothing_of_a_batch_that_the_table_refuses(now: dt.datetime) -> None:
    pk, rows = make_instrument().pk, make_bars(0, 1)
    rows["close"][1] = 99.0  # nobody validated it
    with pytest.raises(IntegrityError), transaction.atomic():
        store(instrument_id=pk, series="bars", rows=rows, timeframe=300, now=now)
    assert len(stored_bars(pk)) == 0
    assert Coverage.objects.count() == 0


@pytest.fixture
def real_transactions(transactional_db: None) -> Iterator[None]:
    """Let transactions commit, and remove the bars, of whose table Django knows nothing."""
    yield
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE market_bar")


@pytest.mark.usefixtures("real_transactions")
def test_store_from_two_connections_counts_each_row_once(now: dt.datetime) -> None:
    pk, rows, results = make_instrument().pk, make_bars(*range(200)), list[Stored]()

    def work() -> None:
        try:
            results.append(store(instrument_id=pk, series="bars", rows=rows, timeframe=300, now=now + dt.timedelta(1)))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [Stored(0, 200, 0)] * 3 + [Stored(200, 0, 0)]
    assert Coverage.objects.count() == 1


@pytest.mark.django_db
def test_ensure_instrument_follows_the_venues_facts() -> None:
    facts = InstrumentFacts("SIMBTC-USDT", "SIMBTC", "USDT", "linear", 1.0, "0.1", "0.001")
    first = ensure_instrument(venue="simulated", facts=facts, is_simulated=True, is_live=True)
    finer = InstrumentFacts("SIMBTC-USDT", "SIMBTC", "USDT", "linear", 1.0, "0.01", "0.001")
    second = ensure_instrument(venue="simulated", facts=finer, is_simulated=True, is_live=True)
    row = Instrument.objects.get()
    assert (first.pk, second.pk) == (row.pk, row.pk)
    assert (row.key, str(row.tick_size), row.is_simulated, row.is_live) == (
        "simulated:SIMBTC-USDT",
        "0.0100000000",
        True,
        True,
    )
