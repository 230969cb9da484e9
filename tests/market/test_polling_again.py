"""The newest bars are read once more: venues correct them, and websockets sell open ones as closed."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from market import series as s
from market.models import Revision, VenueState
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
MINUTE = s.MINUTE_MS


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


def test_five_minute_mark_belongs_to_what_is_sampled_at_it(venue: ScriptedVenue) -> None:
    venue.budget = Budget(weight=9_000, window_s=60)
    venue.offers = {"bars": Offer(60, 1000, 400), "account_ratio": Offer(300, 500, 1, reach_ms=2 * s.HOUR_MS)}
    venue.known["account_ratio"] = np.array([(T0 + at * s.STEP_MS, 1.5) for at in range(40)], s.ACCOUNT_RATIO)
    ids = [make_instrument(venue="scripted", symbol=f"S{number}USDT", is_live=True).pk for number in range(12)]
    for pk in ids:
        ingest(instrument_id=pk, now=after(100))  # whoever has nothing yet does not wait for a turn
    asked: dict[int, Counter[str]] = {}
    for minute in range(101, 116):
        venue.asked.clear()
        for pk in ids:
            VenueState.objects.update(spent=0)
            ingest(instrument_id=pk, now=after(minute))
        # Bars beside the newest one are read again.
        again = Counter("again" for series, since, until in venue.asked if series == "bars" and until - since > MINUTE)
        asked[minute] = again + Counter(series for series, *_ in venue.asked if series != "bars")
    assert {minute: asked[minute] for minute in range(105, 116)} == {
        minute: Counter() if minute % 5 == 0 else Counter(again=3, account_ratio=3) for minute in range(105, 116)
    }
