"""Release and discard: what a person decides about rows that were not believed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest
from django.db import connection

from market import series as s
from market.models import Coverage, Instrument, Quarantine, Revision
from market.operations import store
from market.operations.deciding import Decided, decide
from market.operations.quarantine import Doubt, doubts_of, hold
from market.queries import load_bars, load_open_interest
from market.queries.quarantine import Choice, HeldGroup, held_groups, held_reasons
from market.queries.releasable import why_not
from tests.factories import make_instrument

from .rows import NAN, T0, after, make_bars

if TYPE_CHECKING:
    from market.operations.deciding import Decision

pytestmark = pytest.mark.django_db
NOW = after(24 * 60)
ANY = Choice()


@pytest.fixture
def instrument() -> Instrument:
    return make_instrument()


def doubt(
    instrument: Instrument, rows: s.Records, *, series: str = "bars", reason: str = "why", timeframe: int = 300
) -> None:
    rejected = [(index, reason) for index in range(len(rows))]
    doubts = doubts_of(rows=rows, rejected=rejected)
    hold(instrument=instrument, series=series, origin="test", timeframe=timeframe, doubts=doubts)


def decided(decision: Decision = "released", choice: Choice = ANY) -> Decided:
    return decide(choice=choice, decision=decision, by="staff@example.com", now=NOW)


def states() -> list[str]:
    return list(Quarantine.objects.order_by("pk").values_list("state", flat=True))


def ledger(series: str = "bars") -> list[tuple[object, object]]:
    return list(Coverage.objects.filter(series=series).order_by("start_at").values_list("start_at", "end_at"))


def test_released_rows_close_the_hole_between_stored_ones(instrument: Instrument) -> None:
    store(instrument_id=instrument.pk, series="bars", rows=make_bars(0, 1, 3, 4), timeframe=300, now=NOW)
    assert ledger() == [(after(0), after(10)), (after(15), after(25))]
    doubt(instrument, make_bars(2, close=10.5))
    assert decided() == Decided(count=1, changed={"binance:BTCUSDT": after(10)})
    assert ledger() == [(after(0), after(25))]
    found = load_bars(instrument_id=instrument.pk, since=after(0), until=after(25), timeframe=300)
    assert found["close"].tolist() == [11, 11, 10.5, 11, 11]
    row = Quarantine.objects.get()
    assert (row.state, row.decided_by, row.decided_at) == ("released", "staff@example.com", NOW)


def test_a_second_decision_finds_nothing(instrument: Instrument) -> None:
    doubt(instrument, make_bars(0))
    assert (decided().count, decided().count, decided("discarded").count) == (1, 0, 0)
    assert states() == ["released"]


def test_a_released_row_that_differs_keeps_what_was_stored_as_a_revision(instrument: Instrument) -> None:
    store(instrument_id=instrument.pk, series="bars", rows=make_bars(0), timeframe=300, now=NOW)
    doubt(instrument, make_bars(0, close=10.5))
    decided()
    assert Revision.objects.get().former["close"] == 11


def test_discarded_rows_stay_where_they_are(instrument: Instrument) -> None:
    doubt(instrument, make_bars(0, 1))
    assert decided("discarded") == Decided(count=2)
    assert (states(), ledger()) == (["discarded"] * 2, [])


def test_open_interest_is_released_though_its_value_does_not_fit(instrument: Instrument) -> None:
    rows = np.array([(T0, 7.0, 7.0, 100.0)], dtype=s.OPEN_INTEREST)
    checked = s.validate(rows, now_ms=s.epoch_ms(NOW))
    assert [reason for _, reason in checked.rejected] == ["open_interest_value is not open_interest times mark_price"]
    doubt(instrument, rows, series="open_interest", timeframe=0)
    assert decided().count == 1
    stored = load_open_interest(instrument_id=instrument.pk, since=after(-1), until=after(0))
    assert stored.tolist() == [(T0, 7.0, 7.0, 100.0)]
    assert ledger("open_interest") == [(after(0), after(0))]


def spoiled(field: str, value: float) -> s.Records:
    rows = make_bars(0)
    rows[field] = value
    return rows


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (spoiled("close", NAN), "close is not a number"),
        (spoiled("volume", np.inf), "what came could not be read as numbers"),
        (spoiled("low", 0), "low is zero or negative"),
        (spoiled("high", 1e308), "high is beyond belief"),
        (spoiled("high", 5), "high is below low"),
        (spoiled("open_time", T0 + 14_000), "the time is not on the grid of its timeframe"),
        (spoiled("open_time", T0 + 24 * s.HOUR_MS), "it ends in the future"),
    ],
)
def test_what_no_table_can_hold_stays_held(rows: s.Records, reason: str, instrument: Instrument) -> None:
    doubt(instrument, rows)
    assert why_not(row=Quarantine.objects.get(), now=NOW) == reason
    assert decided() == Decided(count=0, refused={reason: 1})
    assert (states(), ledger()) == (["held"], [])


def test_what_is_no_row_stays_held(instrument: Instrument) -> None:
    hold(instrument=instrument, series="bars", origin="a", timeframe=300, doubts=[Doubt("{", "not JSON")])
    hold(instrument=instrument, series="file", origin="a", doubts=[Doubt("name", "refused")])
    doubt(instrument, make_bars(0), timeframe=0)
    Quarantine.objects.filter(series="file").update(instrument=None)
    assert decided().refused == {
        "it is not a row of a series": 1,
        "the length of its period is not known": 1,
        "what came could not be read as numbers": 1,
    }
    assert decided("discarded").count == 3


def test_rows_of_one_time_are_released_once(instrument: Instrument) -> None:
    doubt(instrument, make_bars(0))
    doubt(instrument, make_bars(0, close=10.5))
    Quarantine.objects.update(origin="before")
    doubt(instrument, make_bars(0))
    assert decided() == Decided(
        count=2, refused={"the same time came before with other values": 1}, changed={"binance:BTCUSDT": after(0)}
    )


def test_a_choice_bounds_what_is_decided(instrument: Instrument) -> None:
    other = make_instrument(symbol="ETHUSDT")
    doubt(instrument, make_bars(0), reason="a")
    doubt(instrument, make_bars(1), reason="b")
    doubt(other, make_bars(2), reason="a")
    newest = Quarantine.objects.latest("pk").pk
    assert decided(choice=Choice(instrument_id=instrument.pk, reason="a")).count == 1
    assert decided(choice=Choice(reason="a", through_id=newest - 1)).count == 0
    assert decided(choice=Choice(row_id=newest)).count == 1
    assert states() == ["released", "held", "released"]


def test_held_rows_are_counted_by_reason(instrument: Instrument) -> None:
    doubt(instrument, make_bars(0, 1), reason="a")
    doubt(instrument, make_bars(2), reason="b")
    decided("discarded", Choice(reason="b"))
    doubt(make_instrument(symbol="ETHUSDT"), make_bars(3), reason="a")
    first = HeldGroup(instrument.pk, "binance", "BTCUSDT", "bars", "a", 2)
    assert held_groups(most=1) == [first]
    assert [group.symbol for group in held_groups(most=9)] == ["BTCUSDT", "ETHUSDT"]
    assert held_reasons() == [("binance", "bars", "a", 3)]


@pytest.mark.django_db(transaction=True)
def test_two_who_decide_at_once_release_once() -> None:
    doubt(make_instrument(), make_bars(*range(50)))
    counts: list[int] = []

    def click() -> None:
        counts.append(decided().count)
        connection.close()

    clicks = [threading.Thread(target=click) for _ in range(4)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join()
    assert sorted(counts) == [0, 0, 0, 50]
