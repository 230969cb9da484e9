"""Many instruments at once store the same rows as each by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from heatmaps.core.estimators import BUILT
from heatmaps.models import Head, Heatmap
from heatmaps.operations import advance, advance_all, building, track_all, track_zones
from market.queries import load_window, load_windows
from market.series import MINUTE_MS
from tests.core.windows import make_window
from tests.factories import make_instrument

from .markets import LATE, at_step, built, followed, put, told

if TYPE_CHECKING:
    from market.models import Instrument
    from market.series import Window

pytestmark = pytest.mark.django_db
STEPS = 180
# In steps: one that is open, one that ends, some at once, and an hour that ends with its slice.
STOPS = (150.0, 150.4, 151.0, 151.0, 153.2, 156.0, 168.6, 180.0)


def walk(seed: int) -> Window:
    window = make_window(steps=STEPS, seed=seed, bar_ms=MINUTE_MS)
    # Not reported: an inverse contract's worth is taken at the price.
    for name in ("open_interest_value", "mark_price"):
        window.open_interest[name] = np.nan
    return window


def make_markets(name: str, windows: list[Window]) -> list[Instrument]:
    made = [make_instrument(symbol=f"{name}{number}") for number in range(len(windows) - 1)]
    return [*made, make_instrument(venue="coinm", symbol=f"{name}USD", contract_usd=100.0)]


def test_many_at_once_store_what_each_stores_alone() -> None:
    windows = [walk(seed) for seed in range(4)]
    many, single = make_markets("M", windows), make_markets("S", windows)
    for number, stop in enumerate(STOPS):
        if number == 2:  # bars that were shown are corrected
            windows[1].bars["volume"][700:] *= 1.5
        for place, (window, *twins) in enumerate(zip(windows, many, single, strict=True)):
            for one in twins:
                put(one, window, until=min(stop + place * 0.2, STEPS))
        if number == 4:  # one has lost its newest state
            Head.objects.filter(heatmap__instrument__in=(many[0], single[0])).delete()
        advance_all(instrument_ids=[one.pk for one in reversed(many)], now=LATE)
        track_all(instrument_ids=[one.pk for one in many], now=LATE)
        for one in single:
            advance(instrument_id=one.pk, now=LATE)
            track_zones(instrument_id=one.pk, now=LATE)
        for together, alone in zip(many, single, strict=True):
            assert [built(together, slug) for slug in BUILT] == [built(alone, slug) for slug in BUILT]
            assert followed(together) == followed(alone)
            assert told(together) == told(alone)
    assert set(Heatmap.objects.values_list("built_through", flat=True)) == {at_step(STEPS)}


def test_many_cost_hardly_more_statements_than_one() -> None:
    windows = [walk(seed) for seed in range(4)]
    many, counted = make_markets("M", windows), []
    for stop in (150.0, 151.0):
        for one, window in zip(many, windows, strict=True):
            put(one, window, until=stop)
        if stop == 150.0:
            advance_all(instrument_ids=[one.pk for one in many], now=LATE)
    for some in (many[:1], many[1:]):
        with CaptureQueriesContext(connection) as queries:
            advance_all(instrument_ids=[one.pk for one in some], now=LATE)
        counted.append(len(queries))
    assert counted[0] == counted[1]


def test_where_one_fails_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    windows = [make_window(steps=STEPS, seed=seed) for seed in range(3)]
    many = make_markets("M", windows)
    for one, window in zip(many, windows, strict=True):
        put(one, window)

    def _break(builder: building.Builder, *_: object) -> None:
        if builder.instrument == many[1]:
            raise ValueError("no price")

    monkeypatch.setattr(building.Builder, "tidy", _break)
    with pytest.raises(ValueError, match="no price"):
        advance_all(instrument_ids=[one.pk for one in many], now=LATE)
    assert Heatmap.objects.count() == 0


def test_windows_of_many_are_those_of_each() -> None:
    instrument, other, empty = (make_instrument(symbol=symbol) for symbol in ("AUSDT", "BUSDT", "CUSDT"))
    put(instrument, make_window(steps=40, bar_ms=MINUTE_MS))
    put(other, make_window(steps=60, seed=1))
    spans = [
        (instrument.pk, at_step(3), at_step(9.4)),
        (other.pk, at_step(10), at_step(30)),
        (instrument.pk, at_step(20), at_step(60)),
        (empty.pk, at_step(0), at_step(9)),
    ]
    found = load_windows(spans=spans, beside={"mark_bars", "funding"})
    assert [len(found[span].bars) for span in spans] == [32, 20, 100, 0]
    assert [len(found[span].open_interest) for span in spans] == [6, 20, 20, 0]
    for pk, since, until in spans:
        alone = load_window(instrument_id=pk, since=since, until=until, beside={"mark_bars", "funding"})
        for name in ("bars", "bar_ms", "open_interest", "mark_bars", "mark_ms", "funding"):
            assert getattr(alone, name).tobytes() == getattr(found[pk, since, until], name).tobytes()
