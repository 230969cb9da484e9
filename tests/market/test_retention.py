from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import pytest
from django.db import connection

from market import series as s
from market.models import Change, Coverage, Hole, Instrument
from market.operations import Kept, keep_house, store
from market.queries import load_bars
from tests.factories import make_instrument

from .scripted_venue import minute_bars

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 4, 28, 12, tzinfo=dt.UTC)


def utc(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)  # type: ignore[misc,arg-type]  # year, month, day, …


def months() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid"
            " WHERE inhparent = 'market_bar'::regclass ORDER BY 1"
        )
        return [name for (name,) in cursor.fetchall()]


@pytest.fixture
def instrument() -> Instrument:
    """Return an instrument with an hour of bars on each side of the turn of January, and in April."""
    made = make_instrument()
    for start, minutes in ((utc(2026, 1, 31, 23), 120), (utc(2026, 4, 1), 60)):
        rows = minute_bars(s.epoch_ms(start), minutes)
        store(instrument_id=made.pk, series="bars", rows=rows, timeframe=60, now=NOW)
    return made


def test_months_are_made_before_they_begin() -> None:
    before = set(months())
    keep_house(now=NOW)
    assert set(months()) - before <= {"market_bar_2026_04", "market_bar_2026_05"}
    assert {"market_bar_2026_04", "market_bar_2026_05"} <= set(months())
    assert keep_house(now=NOW) == Kept()


def test_bars_are_kept_for_ever_unless_told_otherwise(instrument: Instrument) -> None:
    before = months()
    assert keep_house(now=NOW).months == ()
    assert set(before) <= set(months())


def test_months_that_are_too_old_are_dropped_whole(instrument: Instrument, settings: Settings) -> None:
    settings.KEEP_BAR_MONTHS = 2
    assert keep_house(now=NOW).months == ("market_bar_2026_01",)
    rows = load_bars(instrument_id=instrument.pk, since=utc(2026, 1, 1), until=NOW, timeframe=60)
    assert s.moment(int(rows["open_time"][0])) == utc(2026, 2, 1)
    spans = Coverage.objects.order_by("start_at").values_list("start_at", "end_at")
    assert list(spans) == [(utc(2026, 2, 1), utc(2026, 2, 1, 1)), (utc(2026, 4, 1), utc(2026, 4, 1, 1))]
    assert keep_house(now=NOW).months == ()


def test_depth_goes_after_its_time_with_its_ledger(instrument: Instrument, settings: Settings) -> None:
    settings.KEEP_DEPTH_DAYS = 10
    rows = np.zeros(3, s.DEPTH)
    rows["time"] = [s.epoch_ms(NOW - dt.timedelta(days=days)) for days in (12, 11, 1)]
    rows["mid"] = 100.0
    store(instrument_id=instrument.pk, series="depth", rows=rows, now=NOW)
    Hole.objects.create(
        instrument=instrument, series="depth", timeframe=60, start_at=NOW - dt.timedelta(11), end_at=NOW, state="lost"
    )
    assert keep_house(now=NOW).rows == 2
    assert Coverage.objects.get(series="depth").start_at == NOW - dt.timedelta(days=1)
    assert Hole.objects.get().start_at == NOW - dt.timedelta(days=10)


def test_changes_are_forgotten_after_a_quarter(instrument: Instrument) -> None:
    Change.objects.create(instrument=instrument, series="bars", since=NOW)
    Change.objects.update(made_at=NOW - dt.timedelta(days=91))
    assert keep_house(now=NOW).rows == 1
