from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from market import series as s
from market import tasks
from market.models import ContractTerms, Coverage, Hole, Instrument, Quarantine, Revision, VenueState
from market.operations import Ingested, ingest, polling
from market.operations.access import connection_to
from market.operations.reading import store_part
from market.queries import load_bars, load_open_interest, stored_span
from market.sources import SOURCES
from market.sources.base import Budget, BusyError, Fault, Offer, Part, SourceError
from tests.factories import make_instrument

from .rows import T0, after
from .scripted_venue import ScriptedVenue, minute_bars, samples

pytestmark = pytest.mark.django_db
NEVER = 10**9
HOUR, MINUTE, WEEK = s.HOUR_MS, s.MINUTE_MS, 7 * s.DAY_MS

SOURCE = ScriptedVenue()


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch) -> ScriptedVenue:
    """Return a venue that has had bars and open interest for two hours at T0 + 120 minutes."""
    scripted = ScriptedVenue(
        offers={"bars": Offer(60, 50, 1, reach_ms=2 * HOUR), "open_interest": Offer(300, 10, 1, reach_ms=2 * HOUR)},
        known={"bars": minute_bars(T0, 300), "open_interest": samples(T0, 60)},
    )
    monkeypatch.setitem(SOURCES, "scripted", f"{__name__}:SOURCE")
    monkeypatch.setattr(f"{__name__}.SOURCE", scripted)
    monkeypatch.setattr(polling, "_turns_again", lambda *_: NEVER)
    return scripted


@pytest.fixture
def instrument() -> Instrument:
    return make_instrument(venue="scripted", is_live=True)


def holes() -> list[tuple[object, ...]]:
    rows = Hole.objects.order_by("series", "start_at")
    return list(rows.values_list("series", "start_at", "end_at", "state", "tries"))


def bars_asked(venue: ScriptedVenue) -> list[tuple[int, int]]:
    return [(since, until) for series, since, until in venue.asked if series == "bars"]


def test_poll_reads_the_history_page_by_page(venue: ScriptedVenue, instrument: Instrument) -> None:
    done = ingest(instrument_id=instrument.pk, now=after(120))
    assert done == Ingested(bars=120, through=after(120))
    pages = [(T0, T0 + 120 * MINUTE), (T0 + 50 * MINUTE, T0 + 120 * MINUTE), (T0 + 100 * MINUTE, T0 + 120 * MINUTE)]
    assert bars_asked(venue) == pages
    stored = load_bars(instrument_id=instrument.pk, since=after(0), until=after(120), timeframe=60)
    assert stored.tobytes() == venue.known["bars"][:120].tobytes()
    interest = load_open_interest(instrument_id=instrument.pk, since=after(-1), until=after(120))
    assert interest.tobytes() == venue.known["open_interest"][:25].tobytes()
    assert holes() == []


def test_poll_goes_on_where_it_stopped(venue: ScriptedVenue, instrument: Instrument) -> None:
    ingest(instrument_id=instrument.pk, now=after(120))
    venue.asked.clear()
    assert ingest(instrument_id=instrument.pk, now=after(122)) == Ingested(bars=2, through=after(122))
    assert venue.asked == [("bars", T0 + 120 * MINUTE, T0 + 122 * MINUTE)]
    venue.asked.clear()
    ingest(instrument_id=instrument.pk, now=after(125))
    assert venue.asked == [
        ("bars", T0 + 122 * MINUTE, T0 + 125 * MINUTE),
        ("open_interest", T0 + 120 * MINUTE, T0 + 125 * MINUTE + 1),
    ]


def test_poll_twice_changes_nothing(venue: ScriptedVenue, instrument: Instrument) -> None:
    ingest(instrument_id=instrument.pk, now=after(120))
    before = list(Coverage.objects.order_by("series").values_list("series", "start_at", "end_at"))
    assert ingest(instrument_id=instrument.pk, now=after(120)) == Ingested(bars=0, through=after(120))
    assert list(Coverage.objects.order_by("series").values_list("series", "start_at", "end_at")) == before


def test_poll_tells_a_hole_apart_from_nothing_there(venue: ScriptedVenue, instrument: Instrument) -> None:
    venue.known["bars"] = np.delete(venue.known["bars"], [30, 31])
    ingest(instrument_id=instrument.pk, now=after(120))
    assert holes() == [("bars", after(30), after(32), "waiting", 1)]
    ingest(instrument_id=instrument.pk, now=after(121))
    ingest(instrument_id=instrument.pk, now=after(123))
    assert holes() == [("bars", after(30), after(32), "waiting", 2)]
    ingest(instrument_id=instrument.pk, now=after(126))
    assert holes() == [("bars", after(30), after(32), "absent", 3)]
    venue.asked.clear()
    ingest(instrument_id=instrument.pk, now=after(240))
    assert bars_asked(venue)[0] == (T0 + 126 * MINUTE, T0 + 240 * MINUTE)
    assert len(load_bars(instrument_id=instrument.pk, since=after(0), until=after(240), timeframe=60)) == 238


def test_poll_closes_a_hole_whose_rows_came_late(venue: ScriptedVenue, instrument: Instrument) -> None:
    whole = venue.known["bars"]
    venue.known["bars"] = np.delete(whole, [30, 31])
    ingest(instrument_id=instrument.pk, now=after(120))
    venue.known["bars"] = whole
    ingest(instrument_id=instrument.pk, now=after(121))
    assert holes() == []
    assert stored_span(instrument_id=instrument.pk) == (after(0), after(121))
    assert Coverage.objects.filter(series="bars").count() == 1


def test_poll_within_a_minute_cuts_no_hole_in_parts_too_short_to_ask_for(
    venue: ScriptedVenue, instrument: Instrument
) -> None:
    true = venue.known["bars"]
    venue.known["bars"] = np.delete(true, [117])
    ingest(instrument_id=instrument.pk, now=after(119) + dt.timedelta(seconds=30))
    assert holes() == [("bars", after(117), after(118), "waiting", 0)]
    venue.known["bars"] = true
    ingest(instrument_id=instrument.pk, now=after(121) + dt.timedelta(seconds=30))
    assert holes() == []


def test_poll_does_not_call_the_newest_rows_missing(venue: ScriptedVenue, instrument: Instrument) -> None:
    venue.known["bars"] = venue.known["bars"][:119]
    ingest(instrument_id=instrument.pk, now=after(120))
    assert holes() == []


def test_poll_keeps_what_can_not_be_read(venue: ScriptedVenue, instrument: Instrument) -> None:
    venue.faults = (Fault(raw='["1_0"]', reason="close is not a plain number"),)
    venue.known["bars"]["high"][5] = 0.5
    assert ingest(instrument_id=instrument.pk, now=after(40)).bars == 39
    kept = Quarantine.objects.filter(series="bars").order_by("reason").values_list("reason", "raw", "timeframe")
    assert kept[0] == ("close is not a plain number", '["1_0"]', 60)
    assert kept[1][0] == "high is below low"


@pytest.mark.parametrize("error", [SourceError("away", is_outage=True), SourceError("busy", retry_after_s=9)])
def test_poll_of_a_venue_that_is_away_is_no_error(
    venue: ScriptedVenue, instrument: Instrument, error: SourceError
) -> None:
    venue.errors = {"bars": error}
    assert ingest(instrument_id=instrument.pk, now=after(120)) == Ingested(bars=0, through=None)
    assert [series for series, *_ in venue.asked] == ["bars"]


def test_job_does_not_wait_for_the_budget(venue: ScriptedVenue, instrument: Instrument) -> None:
    # Half of it is there at once and takes a minute to come back: three pages of bars, then two seconds for each.
    venue.budget = Budget(weight=6, window_s=6)
    with pytest.raises(BusyError) as caught:
        tasks.ingest(instrument_id=instrument.pk, now=after(120))
    assert caught.value.busy_s == pytest.approx(2, abs=0.5)
    assert len(load_bars(instrument_id=instrument.pk, since=after(0), until=after(120), timeframe=60)) == 120
    assert [series for series, *_ in venue.asked] == ["bars"] * 3


def test_poll_asks_nothing_during_a_ban(venue: ScriptedVenue, instrument: Instrument) -> None:
    VenueState.objects.create(venue="scripted", failures=1, is_banned=True, retry_at="2999-01-01T00:00Z")
    assert ingest(instrument_id=instrument.pk, now=after(120)).bars == 0
    assert venue.asked == []


def test_poll_keeps_an_answer_of_another_shape_once(venue: ScriptedVenue, instrument: Instrument) -> None:
    venue.errors = {"bars": SourceError("'klines' is a text, not a list")}
    for minute in (120, 125):
        ingest(instrument_id=instrument.pk, now=after(minute))
    assert len(load_open_interest(instrument_id=instrument.pk, since=after(-1), until=after(125))) == 26
    assert list(Quarantine.objects.values_list("series", "raw")) == [("bars", "'klines' is a text, not a list")]


def test_poll_of_an_unknown_symbol_fails_for_good(venue: ScriptedVenue, instrument: Instrument) -> None:
    venue.errors = {"bars": SourceError("no such symbol", permanent=True)}
    with pytest.raises(SourceError, match="no such symbol"):
        tasks.ingest(instrument_id=instrument.pk, now=after(120))


def test_leap_of_open_interest_is_not_believed(venue: ScriptedVenue, instrument: Instrument) -> None:
    venue.known["open_interest"]["open_interest"][10:13] *= 1000
    ingest(instrument_id=instrument.pk, now=after(120))
    interest = load_open_interest(instrument_id=instrument.pk, since=after(-1), until=after(120))
    assert len(interest) == 22
    held = Quarantine.objects.filter(series="open_interest")
    assert held.count() == 3
    assert "its unit may have changed" in held[0].reason


def test_snapshots_are_read_at_their_minute_only(venue: ScriptedVenue, instrument: Instrument) -> None:
    venue.offers["open_interest"] = Offer(300, 1, 1, is_snapshot=True)
    venue.known["open_interest"] = samples(T0, 300, every_ms=MINUTE)
    for minute in (119, 120, 121, 125):
        ingest(instrument_id=instrument.pk, now=after(minute))
    interest = load_open_interest(instrument_id=instrument.pk, since=after(-1), until=after(125))
    assert (interest["time"] - T0).tolist() == [120 * MINUTE, 125 * MINUTE]
    ingest(instrument_id=instrument.pk, now=after(140))
    assert holes() == [("open_interest", after(125), after(140), "lost", 0)]


def test_depth_is_asked_less_often_where_many_share_the_budget(venue: ScriptedVenue) -> None:
    venue.budget = Budget(weight=2400, window_s=60)
    venue.offers = {"depth": Offer(60, 1, 160, is_snapshot=True)}
    venue.known["depth"] = np.zeros(40, s.DEPTH)
    venue.known["depth"]["time"], venue.known["depth"]["mid"] = T0 + np.arange(40) * MINUTE, 100.0
    ids = [make_instrument(venue="scripted", symbol=f"S{number}USDT", is_live=True).pk for number in range(6)]
    asked = []
    for minute in range(4):
        for pk in ids:
            ingest(instrument_id=pk, now=after(minute))
        asked.append(len(venue.asked))
        venue.asked.clear()
    # 6 instruments at a weight of 160 are 960 a minute; a tenth of the published weight is 240: a quarter of them.
    assert (sum(asked), max(asked)) == (6, 2)
    for minute in range(4, 20):
        VenueState.objects.update(spent=0)  # the budget leaks by the wall's clock
        for pk in ids:
            ingest(instrument_id=pk, now=after(minute))
    # Nobody meant to ask in between: nothing is lost there.
    assert (holes(), Coverage.objects.filter(series="depth").count()) == ([], 6)
    assert {end - start for start, end in Coverage.objects.values_list("start_at", "end_at")} == {
        dt.timedelta(minutes=16)
    }
    _missed, taken, *_ = (minute for minute in range(20, 40) if (minute + ids[0]) % 4 == 0)
    VenueState.objects.update(spent=0)
    ingest(instrument_id=ids[0], now=after(taken))
    assert [(row[0], row[3]) for row in holes()] == [("depth", "lost")]


def test_turn_that_was_missed_is_taken_at_the_next_minute(venue: ScriptedVenue, instrument: Instrument) -> None:
    venue.offers = {"funding": Offer(28_800, 100, 1)}
    venue.known = {"funding": np.array([(T0 + at * 8 * HOUR, 1e-4, np.nan) for at in range(3)], s.FUNDING)}
    ingest(instrument_id=instrument.pk, now=after(5))
    venue.asked.clear()
    for minute in (479, 481, 482):  # nobody was there at 480
        ingest(instrument_id=instrument.pk, now=after(minute))
    assert venue.asked == [("funding", T0, T0 + 481 * MINUTE + 1)]
    assert holes() == []


def test_nothing_is_missing_between_two_payments(venue: ScriptedVenue, instrument: Instrument) -> None:
    venue.offers = {"funding": Offer(28_800, 100, 1)}
    venue.known = {"funding": np.array([(T0 + at * 8 * HOUR, 1e-4, np.nan) for at in range(2)], s.FUNDING)}
    for minute in (5, 180, 300):
        ingest(instrument_id=instrument.pk, now=after(minute))
    assert holes() == []
    venue.known["funding"] = venue.known["funding"][:1]
    ingest(instrument_id=instrument.pk, now=after(600))
    assert holes() == [("funding", after(0), after(540), "waiting", 1)]


def test_span_is_read_with_the_contract_size_of_the_time(venue: ScriptedVenue, instrument: Instrument) -> None:
    for minute, size in ((-999, 0.01), (60, 0.01), (90, 0.1)):
        ContractTerms.objects.create(
            instrument=instrument, valid_from=after(minute), contract_size=size, tick_size="0.1", lot_size="1"
        )
    venue.offers = {"bars": Offer(60, 500, 1, reach_ms=2 * HOUR)}
    ingest(instrument_id=instrument.pk, now=after(120))
    assert venue.sizes == [0.01, 0.1]
    assert bars_asked(venue) == [(T0, T0 + 90 * MINUTE), (T0 + 90 * MINUTE, T0 + 120 * MINUTE)]


def test_poll_reads_the_newest_bars_again_and_corrects_them(
    venue: ScriptedVenue, instrument: Instrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(instrument_id=instrument.pk, now=after(120))
    venue.known["bars"] = venue.known["bars"].copy()
    venue.known["bars"]["close"][119] = venue.known["bars"]["low"][119]
    ingest(instrument_id=instrument.pk, now=after(121))
    assert Revision.objects.count() == 0
    monkeypatch.setattr(polling, "_turns_again", lambda *_: 1)
    venue.asked.clear()
    ingest(instrument_id=instrument.pk, now=after(121))
    assert bars_asked(venue) == [(T0 + 91 * MINUTE, T0 + 121 * MINUTE)]
    (revision,) = Revision.objects.all()
    assert revision.key_time == after(119)
    stored = load_bars(instrument_id=instrument.pk, since=after(119), until=after(120), timeframe=60)
    assert stored.tobytes() == venue.known["bars"][119:120].tobytes()
    venue.asked.clear()
    ingest(instrument_id=instrument.pk, now=after(122))
    assert bars_asked(venue) == [(T0 + 91 * MINUTE, T0 + 122 * MINUTE)]


def test_poll_makes_a_client_once(venue: ScriptedVenue, instrument: Instrument) -> None:
    first = connection_to(venue)
    assert connection_to(venue) is first
    assert connection_to(replace(venue)) is not first


def test_an_hourly_rate_that_is_missing_is_a_hole(venue: ScriptedVenue, instrument: Instrument) -> None:
    times = [T0 + hour * 60 * MINUTE for hour in (0, 1, 3)]
    rates = np.array([(time, 1e-4, 3600.0) for time in times], s.FUNDING)
    store_part(instrument=instrument, series="funding", part=Part(rates), now=after(200), step_s=3600)
    assert holes() == [("funding", after(60), after(180), "waiting", 0)]
