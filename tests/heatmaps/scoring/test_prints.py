"""``manage.py score … --against liquidations`` on a made-up market whose liquidations are where a map says."""

from __future__ import annotations

import json
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from heatmaps.core.estimators import load_estimator
from heatmaps.core.grid import bin_price
from heatmaps.core.prints import slices_of, view_at
from market.operations import store
from market.series import HOUR_MS, LIQUIDATION
from tests.core.windows import START_MS, STEP_MS, cut, make_window, without_samples
from tests.factories import make_instrument
from tests.heatmaps.markets import LATE, put

if TYPE_CHECKING:
    from market.models import Instrument
    from market.series import Records, Window

WINDOW = make_window(steps=288 * 6, seed=6)
HOURS = START_MS + HOUR_MS * np.arange(1, 24 * 6 - 1)
NONE = np.zeros(0, LIQUIDATION)


def prints_of(window: Window) -> Records:
    """Every contract that our map holds, at the beginning of an hour, in the bins that the hour goes through."""
    at = slices_of(window, NONE, HOURS)
    held = view_at(load_estimator("open-interest"), window, at)
    rows = []
    for index, start in enumerate(at.end_ms.tolist()):
        for side, sign in ((0, -1), (1, 1)):
            for away in range(int(at.swept[index, side])):
                price = bin_price(np.array([at.close_bin[index] + sign * (away + 1)]), 5e-4)[0]
                rows.append((start + away, -sign, price, held[index, side, away], 0))
    found = np.array([row for row in rows if row[3] > 1e-6], dtype=LIQUIDATION)
    return found[np.argsort(found["time"], kind="stable")]


def score(*arguments: str) -> dict[str, Any]:
    out = StringIO()
    call_command("score", "binance:BTCUSDT", "--against", "liquidations", "--json", *arguments, stdout=out)
    return dict(json.loads(out.getvalue()))


@pytest.fixture
def market(db: None) -> Instrument:
    instrument = make_instrument()
    put(instrument, WINDOW)
    store(instrument_id=instrument.pk, series="liquidations", rows=prints_of(WINDOW), now=LATE)
    return instrument


def test_map_that_is_the_truth_ranks_every_swept_bin_right(market: Instrument) -> None:
    run = score()
    rows = {(row["measure"], row["map"], row["versus"]): row for row in run["rows"]}
    assert rows["swept-rank", "open-interest", ""]["value"] > 0.98
    assert rows["log-skill", "uniform", ""]["value"] == pytest.approx(0.0, abs=1e-9)
    for rival in ("path-only", "uniform", "climatology", "volume-profile"):
        assert rows["log-skill", "open-interest", rival]["low"] > 0.0
    assert {row["mode"] for row in run["rows"]} == {"frozen"}
    assert run["settings"]["sampling"] == ""


def test_slices_hold_what_was_seen_by_side_and_distance() -> None:
    at = slices_of(WINDOW, NONE, HOURS)
    close = at.close_bin[5]
    price = bin_price(np.array([close - 3, close + 2, close - 3]), 5e-4)
    rows = [(int(HOURS[5]) + 10, 1, price[0], 2.0, 0), (int(HOURS[5]) + HOUR_MS - 1, -1, price[1], 1.0, 0)]
    rows += [(int(HOURS[5]) + HOUR_MS, 1, price[2], 9.0, 0)]
    found = slices_of(WINDOW, np.array(rows, dtype=LIQUIDATION), HOURS).printed
    assert (found[5, 0, 2], found[5, 1, 1], found[5].sum()) == (2.0, 1.0, 3.0)
    inside = (WINDOW.bars["open_time"] >= HOURS[5]) & (WINDOW.bars["open_time"] < HOURS[6])
    low = np.floor(np.log(WINDOW.bars["low"][inside].min()) / 5e-4)
    assert at.swept[5, 0] == close - low


def test_views_never_look_ahead() -> None:
    """What a map held at an hour is the same without what came later; over a hole it is what was known before."""
    window = without_samples(WINDOW, since_ms=START_MS + 150 * STEP_MS, until_ms=START_MS + 190 * STEP_MS)
    at = slices_of(window, NONE, HOURS)
    whole = view_at(load_estimator("open-interest"), window, at)
    for index in (3, 12, 14, 15, 40):
        seen = cut(window, since_ms=START_MS, until_ms=int(at.end_ms[index]))
        one = at.where(np.arange(len(at)) == index)
        np.testing.assert_array_equal(view_at(load_estimator("open-interest"), seen, one)[0], whole[index])


@pytest.mark.django_db
def test_without_prints_the_refusal_says_where_they_come_from() -> None:
    put(make_instrument(), WINDOW)
    with pytest.raises(CommandError, match=r"No liquidations of binance:BTCUSDT with prices .*--against hourly-totals"):
        score()
