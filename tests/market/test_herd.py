from __future__ import annotations

import numpy as np
import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from market import series as s
from market.models import Coverage, Hole, Instrument, Quarantine, Revision
from market.operations import store
from market.operations.herd import Herd, Told, store_all
from market.operations.storing import lock_number
from market.queries import load_bars, load_liquidations
from market.sources.base import Fault, Part
from tests.factories import make_instrument

from .rows import T0, after
from .scripted_venue import minute_bars

BARS = minute_bars(T0, 300)


@pytest.fixture
def instruments(db: None) -> list[Instrument]:
    """Return three instruments, each with bars of an hour."""
    made = [make_instrument(symbol=f"S{number}USDT", is_live=True) for number in range(3)]
    for one in made:
        store(instrument_id=one.pk, series="bars", rows=BARS[:60], timeframe=60, now=after(60))
    return made


def told(instrument: Instrument, *minutes: int) -> Told:
    return Told(instrument.pk, "bars", Part(BARS[list(minutes)], 60))


def stored(instrument: Instrument) -> s.Records:
    return load_bars(instrument_id=instrument.pk, since=after(0), until=after(300), timeframe=60)


def spans(instrument: Instrument) -> list[tuple[object, object]]:
    rows = Coverage.objects.filter(instrument=instrument, series="bars").order_by("start_at")
    return list(rows.values_list("start_at", "end_at"))


def test_bars_of_many_instruments_are_appended(instruments: list[Instrument]) -> None:
    herd = store_all(told=[told(one, 60) for one in instruments], now=after(61))
    assert herd == Herd(3, [])
    for one in instruments:
        assert stored(one).tobytes() == BARS[:61].tobytes()
        assert spans(one) == [(after(0), after(61))]


def test_several_bars_of_one_instrument_are_appended(instruments: list[Instrument]) -> None:
    one = instruments[0]
    assert store_all(told=[told(one, 60), told(one, 61, 62)], now=after(63)) == Herd(3, [])
    assert spans(one) == [(after(0), after(63))]
    assert stored(one).tobytes() == BARS[:63].tobytes()


def test_repeated_bars_change_nothing(instruments: list[Instrument]) -> None:
    again = [told(one, 58, 59) for one in instruments]
    assert store_all(told=again, now=after(60)) == Herd(0, [])
    assert (Revision.objects.count(), stored(instruments[0]).tobytes()) == (0, BARS[:60].tobytes())


def test_bar_after_a_gap_leaves_a_waiting_hole(instruments: list[Instrument]) -> None:
    one = instruments[0]
    store_all(told=[told(one, 65)], now=after(66))
    assert spans(one) == [(after(0), after(60)), (after(65), after(66))]
    hole = Hole.objects.get()
    assert (hole.start_at, hole.end_at, hole.state) == (after(60), after(65), "waiting")


def test_corrected_bar_leaves_a_revision(instruments: list[Instrument]) -> None:
    one = instruments[0]
    corrected = BARS[59:60].copy()
    corrected["close"] += 0.5
    store_all(told=[Told(one.pk, "bars", Part(corrected, 60))], now=after(60))
    assert stored(one)["close"][59] == corrected["close"][0]
    assert Revision.objects.get().former["close"] == BARS["close"][59]


def test_bar_that_can_not_be_true_is_kept_apart_from_the_others(instruments: list[Instrument]) -> None:
    spoiled = BARS[60:61].copy()
    spoiled["low"] = 1e9
    bad = Told(instruments[0].pk, "bars", Part(spoiled, 60))
    faulty = Told(instruments[1].pk, "bars", Part(BARS[60:61], 60, faults=(Fault("[]", "too short"),)))
    assert store_all(told=[bad, faulty, told(instruments[2], 60)], now=after(61)).rows == 2
    assert sorted(Quarantine.objects.values_list("instrument_id", "reason")) == [
        (instruments[0].pk, "high is below low"),
        (instruments[1].pk, "too short"),
    ]
    assert [len(stored(one)) for one in instruments] == [60, 61, 61]


def test_bar_from_the_future_is_not_believed(instruments: list[Instrument]) -> None:
    store_all(told=[told(instruments[0], 60)], now=after(60.5))
    assert (len(stored(instruments[0])), Quarantine.objects.get().reason) == (60, "it ends in the future")


def test_bars_wait_for_their_history(instruments: list[Instrument]) -> None:
    new = make_instrument(symbol="NEWUSDT", is_live=True)
    far = BARS[60:61].copy()
    far["open_time"] += 2 * s.DAY_MS
    late = after(61 + 2 * 24 * 60)
    assert store_all(told=[told(new, 60), Told(instruments[0].pk, "bars", Part(far, 60))], now=late) == Herd(0, [])
    assert (spans(new), spans(instruments[0])) == ([], [(after(0), after(60))])


def test_mark_bars_wait_for_their_history(instruments: list[Instrument]) -> None:
    mark = Told(instruments[0].pk, "mark_bars", Part(BARS[60:61], 60))
    assert store_all(told=[mark], now=after(61)) == Herd(0, [])
    store(instrument_id=instruments[0].pk, series="mark_bars", rows=BARS[:60], timeframe=60, now=after(60))
    assert store_all(told=[mark], now=after(61)) == Herd(1, [])


def test_other_series_are_stored_with_them(instruments: list[Instrument]) -> None:
    prints = np.array([(T0 + 5, 1, 100.0, 2.0, 0)], s.LIQUIDATION)
    other = Told(instruments[0].pk, "liquidations", Part(prints, covered=(T0, T0 + 10)))
    assert store_all(told=[other, told(instruments[0], 60)], now=after(61)).rows == 2


def test_prints_of_many_messages_are_stored_at_once_as_if_one_by_one(instruments: list[Instrument]) -> None:
    first, twice = (T0 + 5, 1, 100.0, 2.0, 0), (T0 + 5, 1, 100.0, 2.0, 1)
    messages = [[(T0 + 9, -1, 101.0, 1.0, 0)], [first, twice], [first], [(T0 + 7, 1, 99.0, 3.0, 0)]]
    parts = [Part(np.array(rows, s.LIQUIDATION), faults=(Fault("{}", "no print"),)) for rows in messages]
    burst = [Told(instruments[0].pk, "liquidations", part) for part in parts]
    with CaptureQueriesContext(connection) as alone:
        assert store_all(told=burst[:1], now=after(61)) == Herd(1, [])
    with CaptureQueriesContext(connection) as together:
        assert store_all(told=burst, now=after(61)) == Herd(3, [])
    assert len(together) == len(alone)
    rows = load_liquidations(instrument_id=instruments[0].pk, since=after(0), until=after(1))
    assert [tuple(row) for row in rows.tolist()] == [first, twice, messages[3][0], messages[0][0]]
    assert Quarantine.objects.get().raw == "{}"


@pytest.mark.django_db(transaction=True)
def test_instrument_that_others_write_is_left_for_the_next_time(transactional_db: None) -> None:
    one = make_instrument(is_live=True)
    store(instrument_id=one.pk, series="bars", rows=BARS[:60], timeframe=60, now=after(60))
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [lock_number(f"instrument:{one.pk}")])
        mine = told(one, 60)
        assert store_all(told=[mine], now=after(61)) == Herd(0, [mine])
    finally:
        other.close()
    assert store_all(told=[mine], now=after(61)) == Herd(1, [])
