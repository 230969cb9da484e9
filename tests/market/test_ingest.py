from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import numpy as np
import pytest

from market import series as s
from market import tasks
from market.models import Coverage, Instrument, Quarantine, Revision, SourceCheckpoint
from market.operations import Ingested, ensure_instruments, ingest
from market.queries import checkpoints, load_bars, load_liquidations, load_open_interest, stored_span
from market.sources import SOURCES
from market.sources.base import InstrumentFacts, SourceError
from market.sources.batch import Batch
from tests.factories import make_instrument

from .rows import NAN, T0, after, make_bars

pytestmark = pytest.mark.django_db
HOUR = s.HOUR_MS


@dataclass
class ScriptedSource:
    """A venue that reports bars of one minute for whatever span it is asked for, and remembers the questions."""

    slug: str = "scripted"
    is_simulated: bool = False
    history_ms: int = 2 * HOUR
    asked: list[tuple[int, int, tuple[int, bytes] | None]] = field(default_factory=list)
    spoiled: tuple[int, ...] = ()
    error: SourceError | None = None

    def instruments(self) -> tuple[InstrumentFacts, ...]:
        return ()

    def fetch(self, *, symbol: str, since_ms: int, until_ms: int, checkpoint: tuple[int, bytes] | None) -> Batch:
        self.asked.append((since_ms, until_ms, checkpoint))
        if self.error:
            raise self.error
        bars = make_bars(*range((since_ms - T0) // 60_000, (until_ms - T0) // 60_000), timeframe=60)
        for index in self.spoiled:
            bars["close"][index] = NAN
        samples = np.arange(since_ms // s.STEP_MS + 1, until_ms // s.STEP_MS + 1) * s.STEP_MS
        interest = np.zeros(len(samples), dtype=s.OPEN_INTEREST)
        interest["time"], interest["open_interest"] = samples, 7.0
        interest["open_interest_value"] = interest["mark_price"] = NAN
        hours = range(since_ms // HOUR * HOUR + HOUR, until_ms, HOUR)
        return Batch(
            bars=bars,
            open_interest=interest,
            funding=np.empty(0, dtype=s.FUNDING),
            liquidations=np.array([(since_ms, 1, 10.0, 1.0, 0)], dtype=s.LIQUIDATION),
            timeframe=60,
            checkpoints=tuple((at, at.to_bytes(8, "big")) for at in [*hours, until_ms]),
        )


SOURCE = ScriptedSource()


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> ScriptedSource:
    scripted = ScriptedSource()
    monkeypatch.setitem(SOURCES, "scripted", f"{__name__}:SOURCE")
    monkeypatch.setattr(f"{__name__}.SOURCE", scripted)
    return scripted


@pytest.fixture
def instrument() -> Instrument:
    return make_instrument(venue="scripted", is_live=True)


def test_ingest_fetches_the_history_first(source: ScriptedSource, instrument: Instrument) -> None:
    done = ingest(instrument_id=instrument.pk, now=after(150.5))
    # From two hours before, floored to the hour, to the last minute that has closed.
    assert source.asked == [(T0, T0 + 150 * 60_000, None)]
    assert done == Ingested(bars=150, through=after(150))
    assert stored_span(instrument_id=instrument.pk) == (after(0), after(150))
    found = load_open_interest(instrument_id=instrument.pk, since=after(0), until=after(150))
    assert len(found) == 30


def test_ingest_goes_on_where_it_stopped(source: ScriptedSource, instrument: Instrument) -> None:
    ingest(instrument_id=instrument.pk, now=after(120))
    done = ingest(instrument_id=instrument.pk, now=after(122.9))
    at = T0 + 120 * 60_000
    assert source.asked[1] == (at, at + 120_000, (at, at.to_bytes(8, "big")))
    assert done == Ingested(bars=2, through=after(122))
    assert len(load_bars(instrument_id=instrument.pk, since=after(0), until=after(122), timeframe=60)) == 122
    spans = Coverage.objects.filter(series__in=["bars", "liquidations"]).values_list("series", "start_at", "end_at")
    assert sorted(spans) == [("bars", after(0), after(122)), ("liquidations", after(0), after(122))]


def test_ingest_asks_nothing_before_a_minute_has_passed(source: ScriptedSource, instrument: Instrument) -> None:
    ingest(instrument_id=instrument.pk, now=after(120))
    assert ingest(instrument_id=instrument.pk, now=after(120.9)) == Ingested(bars=0, through=after(120))
    assert len(source.asked) == 1


def test_ingest_of_the_same_span_twice_changes_nothing(source: ScriptedSource, instrument: Instrument) -> None:
    ingest(instrument_id=instrument.pk, now=after(120))
    Coverage.objects.all().delete()  # as if a second process had asked before the first one stored
    assert ingest(instrument_id=instrument.pk, now=after(120)) == Ingested(bars=0, through=after(120))
    found = load_liquidations(instrument_id=instrument.pk, since=after(0), until=after(120))
    assert (len(found), Revision.objects.count(), len(source.asked)) == (1, 0, 2)


def test_ingest_quarantines_what_can_not_be_true(source: ScriptedSource, instrument: Instrument) -> None:
    source.spoiled = (3,)
    assert ingest(instrument_id=instrument.pk, now=after(120)).bars == 119
    kept = Quarantine.objects.get()
    assert (kept.series, kept.origin, kept.line, kept.reason) == ("bars", "scripted fetch", 3, "close is not a number")
    assert kept.raw.startswith(f"({T0 + 3 * 60_000}, 10.0, 12.0, 9.0, nan")


def test_ingest_stores_nothing_when_the_source_fails(source: ScriptedSource, instrument: Instrument) -> None:
    source.error = SourceError("down", permanent=False)
    with pytest.raises(SourceError, match="down"):
        ingest(instrument_id=instrument.pk, now=after(120))
    assert stored_span(instrument_id=instrument.pk) is None


def test_ingest_stores_nothing_when_a_part_fails(
    source: ScriptedSource, instrument: Instrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object) -> None:
        raise RuntimeError("checkpoint")

    monkeypatch.setattr("market.operations.live._keep_checkpoints", fail)
    with pytest.raises(RuntimeError, match="checkpoint"):
        ingest(instrument_id=instrument.pk, now=after(120))
    assert (stored_span(instrument_id=instrument.pk), Coverage.objects.count()) == (None, 0)
    assert len(load_bars(instrument_id=instrument.pk, since=after(0), until=after(120), timeframe=60)) == 0


def test_ingest_keeps_checkpoints_each_six_hours_and_the_newest(source: ScriptedSource, instrument: Instrument) -> None:
    source.history_ms = 14 * HOUR
    for minutes in (0, 1, 2):
        ingest(instrument_id=instrument.pk, now=after(minutes))
    day_before, tomorrow = after(-24 * 60), after(24 * 60)
    kept = checkpoints(instrument_id=instrument.pk, since=day_before, until=tomorrow)
    assert [at for at, _ in kept] == [after(-12 * 60), after(-6 * 60), after(0), after(2)]
    assert kept[-1][1] == (T0 + 120_000).to_bytes(8, "big")


def test_ingest_without_a_source_says_so(instrument: Instrument) -> None:
    with pytest.raises(SourceError, match="no source called 'scripted'"):
        ingest(instrument_id=instrument.pk, now=after(120))


def test_task_ingests(source: ScriptedSource, instrument: Instrument) -> None:
    tasks.ingest(instrument_id=instrument.pk, now=after(120))
    assert stored_span(instrument_id=instrument.pk) == (after(0), after(120))


def test_ensure_instruments_makes_labelled_live_instruments_once() -> None:
    first, second = ensure_instruments(slug="simulated"), ensure_instruments(slug="simulated")
    assert [row.key for row in first] == ["simulated:SIMBTC-USDT", "simulated:SIMETH-USDT"]
    assert {(row.is_simulated, row.is_live) for row in Instrument.objects.all()} == {(True, True)}
    assert [row.pk for row in second] == [row.pk for row in first]
    tasks.ensure_demo()
    assert Instrument.objects.count() == 2


def test_ingest_of_the_simulated_market_continues_exactly(now: dt.datetime) -> None:
    instrument = ensure_instruments(slug="simulated")[0]
    SourceCheckpoint.objects.all().delete()
    done = ingest(instrument_id=instrument.pk, now=now)
    assert done.through == now
    later = ingest(instrument_id=instrument.pk, now=now + dt.timedelta(minutes=7, seconds=30))
    assert later == Ingested(bars=7, through=now + dt.timedelta(minutes=7))
    assert (Quarantine.objects.count(), Revision.objects.count()) == (0, 0)
    assert Coverage.objects.filter(series="bars").count() == 1
