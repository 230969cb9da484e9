"""A contract that becomes worth ten times as much: which rows stay, which are taken back."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from market import series as s
from market.models import ContractTerms, Coverage, Depth, Hole, Instrument, Quarantine, VenueState
from market.operations import enable, store, sync_venue
from market.operations.herd import Told, store_all
from market.operations.reading import store_part
from market.queries import load_bars, load_liquidations
from market.sources.base import Part

from .listed import VENUES, ListedVenue, facts, register
from .rows import T0, after
from .scripted_venue import minute_bars

pytestmark = pytest.mark.django_db


@pytest.fixture
def instrument(monkeypatch: pytest.MonkeyPatch) -> Instrument:
    """Return a contract of one coin, listed at minute 0 and 10; from then on it is worth ten."""
    venue = ListedVenue(listed=[facts()], counted=frozenset({"liquidations", "depth"}))
    register(monkeypatch, listed=venue)
    for minute in (0, 10):
        sync_venue(slug="listed", now=after(minute))
    enable(keys=["listed:BTCUSDT"])
    venue.listed = [facts(contract_size=10.0)]
    return Instrument.objects.get()


def hear(instrument: Instrument, minute: float, *, size: float = 1.0) -> None:
    prints = np.array([(s.epoch_ms(after(minute)), 1, 100.0, 2.0, 0)], s.LIQUIDATION)
    told = Told(instrument.pk, "liquidations", Part(prints, covered=(T0, s.epoch_ms(after(minute)))), size)
    store_all(told=[told], now=after(minute + 1))


def minutes(instrument: Instrument) -> list[float]:
    rows = load_liquidations(instrument_id=instrument.pk, since=after(0), until=after(60))
    return [(time - T0) / s.MINUTE_MS for time in rows["time"].tolist()]


def test_what_was_counted_since_the_last_list_is_taken_back(instrument: Instrument) -> None:
    for minute in (5, 11, 12):
        hear(instrument, minute)
    depth = np.zeros(1, s.DEPTH)
    depth["time"], depth["mid"] = s.epoch_ms(after(12)), 100.0
    store_part(instrument=instrument, series="depth", part=Part(depth), now=after(12), is_told_once=True)
    assert sync_venue(slug="listed", now=after(13)).withdrawn == 3
    assert (minutes(instrument), Depth.objects.count()) == ([5.0], 0)
    held = Quarantine.objects.order_by("series", "line")
    assert [(row.series, row.row and row.row["time"], row.reason) for row in held] == [
        ("depth", s.epoch_ms(after(12)), "the size of a contract changed about then"),
        ("liquidations", s.epoch_ms(after(11)), "the size of a contract changed about then"),
        ("liquidations", s.epoch_ms(after(12)), "the size of a contract changed about then"),
    ]
    edge = after(10) - dt.timedelta(seconds=10)
    hole = Hole.objects.get(series="liquidations")
    assert (hole.start_at, hole.end_at, hole.state) == (edge, after(13), "lost")
    spans = Coverage.objects.filter(series="liquidations").order_by("start_at")
    assert list(spans.values_list("start_at", "end_at")) == [(after(0), edge), (after(13), after(13))]
    assert VenueState.objects.get(venue="listed").listed_at == after(13)


def test_what_is_still_counted_in_the_old_size_is_not_believed(instrument: Instrument) -> None:
    sync_venue(slug="listed", now=after(13))
    hear(instrument, 14)
    hear(instrument, 15, size=10.0)
    assert minutes(instrument) == [15.0]
    assert Quarantine.objects.get().reason == "it was counted in contracts of another size than the contract has now"


def test_a_size_that_stays_takes_nothing_back(instrument: Instrument) -> None:
    hear(instrument, 11)
    VENUES["listed"].listed = [facts(tick_size="0.5")]
    assert sync_venue(slug="listed", now=after(13)).withdrawn == 0
    assert (minutes(instrument), Hole.objects.count()) == ([11.0], 0)


def disagreeing(instrument: Instrument) -> s.Records:
    """Store bars up to minute 11, hold those of 11 and 12 as counted in the old size; return all as they are."""
    bars = minute_bars(T0, 13)
    bars["quote_volume"] = bars["volume"] * bars["close"]
    store(instrument_id=instrument.pk, series="bars", rows=bars[:11], timeframe=60, now=after(11))
    wrong = bars[11:].copy()
    wrong["quote_volume"] /= 10
    store_part(instrument=instrument, series="bars", part=Part(wrong, 60), now=after(13))
    return bars


def test_a_new_size_holds_from_the_first_bar_that_disagreed_with_the_old_one(instrument: Instrument) -> None:
    disagreeing(instrument)
    sync_venue(slug="listed", now=after(13))
    newest = ContractTerms.objects.order_by("valid_from").last()
    assert newest is not None
    assert (newest.valid_from, newest.contract_size) == (after(11), 10.0)


def test_bars_that_were_held_for_their_turnover_are_released_once_the_size_is_known(instrument: Instrument) -> None:
    bars = disagreeing(instrument)
    key = {"instrument": instrument, "series": "bars", "timeframe": 60}
    Hole.objects.create(**key, start_at=after(11), end_at=after(13), state="absent", tries=3)
    assert sync_venue(slug="listed", now=after(14)).recounted == 2
    stored = load_bars(instrument_id=instrument.pk, since=after(0), until=after(13), timeframe=60)
    np.testing.assert_allclose(stored["quote_volume"], bars["quote_volume"], rtol=1e-12)
    assert list(Coverage.objects.filter(**key).values_list("start_at", "end_at")) == [(after(0), after(13))]
    assert not Hole.objects.filter(series="bars").exists()
    decided = Quarantine.objects.filter(series="bars").values_list("state", "decided_by", "decided_at")
    assert list(decided) == [("released", "the size of the contract", after(14))] * 2


def test_where_bars_name_the_minute_only_what_is_around_it_stays_held(instrument: Instrument) -> None:
    disagreeing(instrument)
    for minute in (9, 9.5, 10.5, 11.5, 12.25, 13):
        hear(instrument, minute)
    assert str(sync_venue(slug="listed", now=after(14))).endswith(
        "2 rows of contracts that changed size withdrawn, 4 counted anew"
    )
    rows = load_liquidations(instrument_id=instrument.pk, since=after(0), until=after(60))
    told = [((time - T0) / s.MINUTE_MS, amount) for time, amount in zip(rows["time"], rows["quantity"], strict=True)]
    assert told == [(9, 2.0), (9.5, 2.0), (12.25, 20.0), (13, 20.0)]
    held = Quarantine.objects.filter(series="liquidations").order_by("line").values_list("state", flat=True)
    assert list(held) == ["held", "held", "released", "released"]
    assert list(Hole.objects.values_list("series", "start_at", "end_at", "state")) == [
        ("liquidations", after(10), after(12), "lost")
    ]
    assert list(
        Coverage.objects.filter(series="liquidations").order_by("start_at").values_list("start_at", "end_at")
    ) == [
        (after(0), after(10)),
        (after(12), after(13)),
    ]


def test_a_bar_that_does_not_go_with_the_new_size_either_stays_held(instrument: Instrument) -> None:
    disagreeing(instrument)
    VENUES["listed"].listed = [facts(contract_size=20.0)]
    assert sync_venue(slug="listed", now=after(14)).recounted == 0
    assert set(Quarantine.objects.values_list("state", flat=True)) == {"held"}


def test_a_bar_that_was_wrong_for_another_reason_names_no_minute(instrument: Instrument) -> None:
    bars = disagreeing(instrument)
    store(instrument_id=instrument.pk, series="bars", rows=bars[12:], timeframe=60, now=after(13))
    hear(instrument, 12.5)
    synced = sync_venue(slug="listed", now=after(14))
    assert (synced.withdrawn, synced.recounted, minutes(instrument)) == (1, 0, [])
