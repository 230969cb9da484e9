"""``manage.py score … --against lives``: how long zones live, what ends them, which took a lost one's place."""

from __future__ import annotations

import json
from io import StringIO

import numpy as np
import pytest
from django.core.management import call_command

from heatmaps.core.estimators import load_built
from heatmaps.core.score.following import estimated, follow
from heatmaps.core.score.zone_lives import Lives, lived
from heatmaps.models import Zone
from heatmaps.operations import build, track_zones
from market.series import HOUR_MS, STEP_MS, epoch_ms, moment
from tests.core.windows import START_MS, make_window, without_samples
from tests.factories import make_instrument
from tests.heatmaps.markets import LATE, make_market, put

# Side, formed and ended [h], cause, band as it formed and as it was last.
ROWS = [
    (1, 0, 10, "levelled", (100, 110), (100, 110)),
    (1, 30, 50, "through", (107, 117), (107, 117)),  # where the first one was lost
    (1, 35, 60, "", (107, 117), (107, 117)),  # too late for that
    (-1, 12, 20, "joined", (100, 110), (100, 110)),  # on the other side
    (1, 12, 22, "closed", (109, 119), (109, 119)),  # a tenth of it
]


def lives() -> Lives:
    side, born, ended, cause, formed, last = zip(*ROWS, strict=True)
    bands = [np.array(column, float) for column in (*zip(*formed, strict=True), *zip(*last, strict=True))]
    born_ms, ended_ms = (HOUR_MS * np.array(column) for column in (born, ended))
    return Lives(np.array(side), born_ms, ended_ms, np.array(cause), *bands)


def test_a_zone_that_forms_where_one_was_lost_within_a_day_has_changed_its_name() -> None:
    assert lives().is_changed.tolist() == [False, True, False, False, False]


def test_shares_are_of_the_ends_and_of_the_zones_that_formed_in_the_span() -> None:
    found = {(one.measure, one.side, one.mode): (one.value, one.n) for one in lived(lives(), 5 * HOUR_MS)}
    assert found["changed-name", "both", ""] == (0.25, 4)
    assert found["ended-by", "both", "through"] == (1 / 3, 3)
    assert found["ended-by", "both", "levelled"] == (0.0, 3)
    assert found["ended-by", "short", "joined"] == (1.0, 1)
    # Of fewer than twenty lives no median is told.
    assert found["median-life-h", "both", ""] == (None, 4)


@pytest.mark.django_db
def test_zones_followed_in_memory_are_those_that_are_stored() -> None:
    instrument, window = make_market(steps=288 * 6), make_window(steps=288 * 6)
    build(instrument_id=instrument.pk, estimator="open-interest", now=LATE)
    track_zones(instrument_id=instrument.pk, now=LATE)
    found = follow(estimated(load_built("open-interest"), [window]), bin_bps=5.0)
    zones = list(Zone.objects.order_by("number"))
    assert found.born_ms.tolist() == [epoch_ms(zone.born_at) for zone in zones]
    assert found.cause.tolist() == [zone.cause for zone in zones]
    np.testing.assert_allclose(found.last_low, [zone.price_low for zone in zones], rtol=1e-12)


@pytest.mark.django_db
def test_null_is_counted_where_no_open_interest_is_stored() -> None:
    instrument, window = make_instrument(), make_window(steps=288 * 8)
    until_ms = START_MS + 288 * 5 * STEP_MS
    put(instrument, without_samples(window, since_ms=0, until_ms=until_ms))
    out = StringIO()
    span = ("--to", moment(until_ms).isoformat())
    call_command("score", "binance:BTCUSDT", "--against", "lives", *span, "--json", stdout=out)
    assert {row["map"] for row in json.loads(out.getvalue())["rows"]} == {"path-only"}


@pytest.mark.django_db
def test_command_counts_what_was_told_of_zones() -> None:
    make_market(steps=288 * 10)
    call_command("build_heatmap", "binance:BTCUSDT", stdout=StringIO())
    out = StringIO()
    call_command("score", "binance:BTCUSDT", "--against", "lives", "--json", stdout=out)
    every = json.loads(out.getvalue())["rows"]
    assert {row["map"] for row in every} == {"zones", "path-only"}
    rows = {(row["measure"], row["side"], row["mode"]): row for row in every if row["map"] == "zones"}
    ended = Zone.objects.exclude(ended_at=None)
    for cause in Zone.Cause.values:
        row = rows["ended-by", "both", cause]
        assert (row["n"], round(row["value"] * row["n"])) == (ended.count(), ended.filter(cause=cause).count())
    assert rows["median-life-h", "both", ""]["n"] == Zone.objects.count()
