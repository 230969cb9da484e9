"""``manage.py score … --against zones``: zones as frozen, against the same distance and against the path."""

from __future__ import annotations

import json
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from heatmaps.core.score.bands import Bands, masses, touched
from heatmaps.core.score.hours import hours_of
from heatmaps.models import Zone
from market.series import HOUR_MS
from tests.core.windows import START_MS, make_window
from tests.heatmaps.markets import make_market

WINDOW = make_window(steps=288 * 12, seed=8)


def bands(**changes: float) -> Bands:
    """One long zone 1 % below the price, formed at the second hour."""
    price = float(WINDOW.bars["open"][12])
    names = {
        "born_ms": START_MS + HOUR_MS, "ended_ms": np.iinfo(np.int64).max, "side": 0, "low": price * 0.985,
        "high": price * 0.99, "usd": 100.0, "price": price,
    }  # fmt: skip
    return Bands(**{name: np.array([changes.get(name, value)]) for name, value in names.items()})


def test_touch_is_held_against_all_hours_at_the_same_distance() -> None:
    one = bands()
    found = {(figure.mode, figure.versus): figure for figure in touched(one, WINDOW)}
    bars, away = WINDOW.bars, float(one.distance[0])
    for name, hours in (("24h", 24), ("7d", 168)):
        starts = range(0, len(bars) - hours * 12, 12)
        came = [np.log(bars["open"][at] / bars["low"][at : at + hours * 12].min()) >= away for at in starts]
        assert found[name, ""].value == float(came[1])
        assert found[name, "distance"].value == pytest.approx(float(came[1]) - np.mean(came))


def test_zone_counts_by_the_part_of_its_band_that_price_went_through() -> None:
    hours = hours_of(WINDOW.bars, START_MS + HOUR_MS * np.arange(12))
    low, high = float(hours.low[5]) - 10.0, float(hours.low[5]) + 30.0
    found = masses(bands(low=low, high=high), hours).frozen[:, 0, 0]
    assert found[5] == pytest.approx(100.0 * 30.0 / 40.0)
    assert found[0] == 0.0
    ended = masses(bands(low=low, high=high, ended_ms=int(hours.start_ms[5])), hours).frozen[:, 0, 0]
    assert ended[5:].tolist() == [0.0] * 7
    assert masses(bands(low=low, high=high, side=1), hours).frozen[:, 0].sum() == 0.0


@pytest.mark.django_db
def test_command_scores_the_zones_of_stored_history() -> None:
    make_market(steps=288 * 10)
    out = StringIO()
    with pytest.raises(CommandError, match="No zone of binance:BTCUSDT formed in this span"):
        call_command("score", "binance:BTCUSDT", "--against", "zones")
    call_command("build_heatmap", "binance:BTCUSDT", stdout=StringIO())
    call_command("score", "binance:BTCUSDT", "--against", "zones", "--json", stdout=out)
    run = json.loads(out.getvalue())
    rows = [row for row in run["rows"] if (row["mode"], row["versus"]) == ("24h", "")]
    old = Zone.objects.filter(born_at__lt="2026-01-10T00:00Z").count()
    assert sum(row["n"] for row in rows) == old
    assert {row["versus"] for row in run["rows"]} == {"", "distance"}
    assert [one["slug"] for one in run["estimators"]] == ["open-interest"]
