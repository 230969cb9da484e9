from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command

from market import series as s
from market.models import Change, Coverage, Hole, Instrument, Quarantine
from market.operations import backfill, ingest, store
from market.queries import load_bars
from market.sources import SOURCES
from market.sources.base import Offer, SourceError
from tests.factories import make_instrument

from .rows import T0, after
from .scripted_venue import ScriptedVenue, minute_bars, samples

if TYPE_CHECKING:
    from market.operations import Progress

pytestmark = pytest.mark.django_db
DAY = 24 * 60
NOW = after(2 * DAY)

SOURCE = ScriptedVenue()


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch) -> ScriptedVenue:
    """Return a venue with two days of bars, of which it lets live reading have two hours, and of open interest."""
    scripted = ScriptedVenue(
        offers={
            "bars": Offer(60, 1000, 1),
            "open_interest": Offer(300, 200, 1, reach_ms=s.DAY_MS),
            "depth": Offer(60, 1, 1, is_snapshot=True),
        },
        known={"bars": minute_bars(T0, 2 * DAY), "open_interest": samples(T0, 2 * DAY // 5 + 1)},
    )
    monkeypatch.setitem(SOURCES, "scripted", f"{__name__}:SOURCE")
    monkeypatch.setattr(f"{__name__}.SOURCE", scripted)
    return scripted


@pytest.fixture
def instrument(venue: ScriptedVenue) -> Instrument:
    """Return an instrument of which the last two hours of bars are stored."""
    made = make_instrument(venue="scripted", is_live=True)
    rows = venue.known["bars"][2 * DAY - 120 :]
    store(instrument_id=made.pk, series="bars", rows=rows, timeframe=60, now=NOW)
    return made


def spans(series: str) -> list[tuple[object, object]]:
    return list(Coverage.objects.filter(series=series).order_by("start_at").values_list("start_at", "end_at"))


def test_backfill_brings_what_lies_before(venue: ScriptedVenue, instrument: Instrument) -> None:
    steps: list[Progress] = []
    bars, interest = backfill(key=instrument.key, days=2, now=NOW, on_progress=steps.append)
    assert (bars.series, bars.reading.stored, bars.reading.pages) == ("bars", (2 * DAY - 120, 0, 0), 3)
    assert spans("bars") == [(after(0), NOW)]
    stored = load_bars(instrument_id=instrument.pk, since=after(0), until=NOW, timeframe=60)
    assert stored.tobytes() == venue.known["bars"].tobytes()
    assert (interest.since, interest.note) == (after(DAY), "the venue tells no more than 1 days")
    assert [step.series for step in steps] == ["bars"] * 3 + ["open_interest"] * 2
    assert [step.share for step in steps][2::2] == [1.0, 1.0]


def test_backfill_goes_on_where_it_was_interrupted(venue: ScriptedVenue, instrument: Instrument) -> None:
    def stop(_: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backfill(key=instrument.key, days=2, now=NOW, on_progress=stop)
    assert spans("bars") == [(after(0), after(1000)), (after(2 * DAY - 120), NOW)]
    venue.asked.clear()
    bars, _ = backfill(key=instrument.key, days=2, now=NOW)
    assert bars.reading.stored.new == 2 * DAY - 1120
    assert venue.asked[0] == ("bars", T0 + 1000 * 60_000, T0 + (2 * DAY - 120) * 60_000)
    assert spans("bars") == [(after(0), NOW)]


def test_backfill_twice_asks_nothing_the_second_time(venue: ScriptedVenue, instrument: Instrument) -> None:
    backfill(key=instrument.key, days=2, now=NOW)
    venue.asked.clear()
    backfill(key=instrument.key, days=2, now=NOW)
    assert venue.asked == []


def test_backfill_says_what_changed_before_the_edge(venue: ScriptedVenue, instrument: Instrument) -> None:
    backfill(key=instrument.key, days=2, now=NOW)
    assert Change.objects.filter(series="bars").earliest("since").since == after(0)


@pytest.mark.parametrize(
    ("error", "kept"),
    [(SourceError("banned", retry_after_s=9), 0), (SourceError("no list", permanent=False), 1)],
)
def test_backfill_says_why_a_series_goes_no_further(
    venue: ScriptedVenue, instrument: Instrument, error: SourceError, kept: int
) -> None:
    venue.errors = {"bars": error}
    bars, interest = backfill(key=instrument.key, days=2, now=NOW)
    assert (bars.reading.stored.new, bars.note, interest.reading.stored.new) == (0, str(error), 289)
    assert Quarantine.objects.count() == kept


def test_live_reading_leaves_older_history_to_backfill(venue: ScriptedVenue, instrument: Instrument) -> None:
    venue.offers = {"bars": venue.offers["bars"]}
    ingest(instrument_id=instrument.pk, now=NOW)
    # No more than the half hour that is read again.
    assert [since >= s.epoch_ms(NOW) - s.HOUR_MS // 2 for _, since, _ in venue.asked] == [True]
    assert Hole.objects.count() == 0


def test_backfill_command_shows_progress_and_the_next_step(
    venue: ScriptedVenue, instrument: Instrument, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    out = StringIO()
    call_command("backfill", instrument.key, "--days=2", stdout=out)
    assert "bars           since 2026-01-15 00:00: 2,760 new, 0 unchanged, 0 revised" in out.getvalue()
    assert f"build_heatmap {instrument.key} --from 2026-01-15" in out.getvalue()
    assert capsys.readouterr().err.splitlines()[0].startswith("bars           ████████")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("scripted:NOPE",), "There is no instrument 'scripted:NOPE'; `manage.py instruments list`"),
        (("simulated:SIMBTC-USDT",), "simulated is not asked over a network"),
        (("scripted:BTCUSDT", "--days=0"), "invalid _days value: '0'"),
    ],
)
def test_backfill_command_says_what_is_wrong(instrument: Instrument, arguments: tuple[str, ...], said: str) -> None:
    make_instrument(venue="simulated", symbol="SIMBTC-USDT", is_simulated=True)
    with pytest.raises(CommandError, match="|".join([said.replace("(", r"\(")])):
        call_command("backfill", *arguments)
