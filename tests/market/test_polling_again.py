"""The newest bars are read once more: venues correct them, and websockets sell open ones as closed."""

from __future__ import annotations

import pytest

from market import series as s
from market.models import Revision
from market.operations import ingest, polling
from market.operations.herd import Told, store_all
from market.queries import load_bars
from market.sources import SOURCES
from market.sources.base import Budget, Offer, Part
from tests.factories import make_instrument

from .rows import T0, after
from .scripted_venue import ScriptedVenue, minute_bars

pytestmark = pytest.mark.django_db
SOURCE = ScriptedVenue()


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch) -> ScriptedVenue:
    scripted = ScriptedVenue(
        offers={"bars": Offer(60, 50, 1, reach_ms=2 * s.HOUR_MS)}, known={"bars": minute_bars(T0, 300)}
    )
    monkeypatch.setitem(SOURCES, "scripted", f"{__name__}:SOURCE")
    monkeypatch.setattr(f"{__name__}.SOURCE", scripted)
    return scripted


def test_open_bar_that_was_sold_as_closed_is_corrected_within_a_minute(venue: ScriptedVenue) -> None:
    instrument = make_instrument(venue="scripted", is_live=True)
    ingest(instrument_id=instrument.pk, now=after(120))
    for minute in range(120, 126):
        half = venue.known["bars"][minute : minute + 1].copy()
        half["volume"] /= 2
        store_all(told=[Told(instrument.pk, "bars", Part(half, 60))], now=after(minute + 1))
        ingest(instrument_id=instrument.pk, now=after(minute + 1))
        stored = load_bars(instrument_id=instrument.pk, since=after(minute), until=after(minute + 1), timeframe=60)
        assert stored.tobytes() == venue.known["bars"][minute : minute + 1].tobytes()
    assert Revision.objects.count() == 6


def test_newest_bars_of_many_are_read_again_in_turns(venue: ScriptedVenue) -> None:
    venue.budget = Budget(weight=2400, window_s=60)
    offer = Offer(60, 1000, 5)
    # A tenth of the budget is 240 a minute: 48 pages.
    assert [polling._turns_again(venue, offer, siblings) for siblings in (1, 48, 49, 200, 600)] == [1, 1, 2, 5, 5]
