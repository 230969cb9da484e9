"""``manage.py score … --against hourly-totals`` on a made-up market whose liquidations are what a map says."""

from __future__ import annotations

import json
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from heatmaps.core.estimators import load_estimator
from heatmaps.core.score.hours import hours_of
from heatmaps.core.score.walk import walk
from heatmaps.models import ScoreRun
from market.operations import store
from market.series import HOUR_MS, LIQUIDATION_TOTAL
from tests.core.windows import START_MS, make_window
from tests.factories import make_instrument
from tests.heatmaps.markets import LATE, put

if TYPE_CHECKING:
    from market.models import Instrument

pytestmark = pytest.mark.django_db
DAYS = 28


@pytest.fixture
def market() -> Instrument:
    """Hourly totals are the open-interest map's live masses, in money."""
    instrument, window = make_instrument(), make_window(steps=288 * DAYS, seed=2)
    put(instrument, window)
    hours = hours_of(window.bars, START_MS + HOUR_MS * np.arange(24 * DAYS))
    masses = walk(load_estimator("open-interest"), window, hours.start_ms)
    rows = np.zeros(len(hours), LIQUIDATION_TOTAL)
    rows["open_time"] = hours.start_ms
    rows["long_usd"], rows["short_usd"] = (masses.total("live") * hours.price[:, None]).T
    store(instrument_id=instrument.pk, series="liquidation_totals", rows=rows, timeframe=3600, now=LATE)
    return instrument


def score(*arguments: str) -> str:
    out = StringIO()
    call_command("score", "binance:BTCUSDT", *arguments, stdout=out)
    return out.getvalue()


def figure(run: dict[str, Any], **names: str) -> dict[str, Any]:
    wanted = {"versus": "", **names}
    (row,) = [row for row in run["rows"] if all(row[name] == value for name, value in wanted.items())]
    return dict(row)


ONLY = ("--estimator", "open-interest", "--estimator", "path-only")


def test_map_that_is_the_truth_is_found_and_its_run_is_kept(market: Instrument) -> None:
    run = json.loads(score("--against", "hourly-totals", "--json", *ONLY))
    for side in ("long", "short"):
        truth = {"map": "open-interest", "side": side, "mode": "live"}
        assert figure(run, measure="rank", **truth)["value"] == pytest.approx(1.0, abs=1e-3)
        assert figure(run, measure="deviance", **truth)["value"] > 0.9
        over = figure(run, measure="deviance", versus="path-only", **truth)
        assert over["low"] > 0.0
        assert (over["n"], over["days"]) == (24 * DAYS, DAYS)
    kept = ScoreRun.objects.get()
    assert (kept.rows, kept.data_sha256, kept.instrument) == (run["rows"], run["data_sha256"], market)
    assert [one["slug"] for one in kept.estimators] == ["open-interest", "path-only"]
    assert kept.command == (
        "python3 manage.py score binance:BTCUSDT --from 2026-01-01T00:00 --to 2026-01-29T00:00"
        " --against hourly-totals --estimator open-interest --estimator path-only"
    )


def test_repeated_command_gives_the_same_figures_of_the_same_data(market: Instrument) -> None:
    one = json.loads(score("--against", "hourly-totals", "--json", "--estimator", "path-only"))
    two = json.loads(score(*one["command"].split()[4:], "--json"))
    assert (one["rows"], one["data_sha256"]) == (two["rows"], two["data_sha256"])
    assert one["id"] != two["id"]


def test_fits_may_look_back_alone(market: Instrument) -> None:
    run = json.loads(score("--against", "hourly-totals", "--folds", "past", "--estimator", "path-only", "--json"))
    assert figure(run, measure="r2", map="control", side="long", mode="live")["n"] == 24 * (DAYS - 14)
    assert run["command"].endswith("--folds past")


def test_text_is_a_table_with_intervals(market: Instrument) -> None:
    said = score("--against", "hourly-totals", "--estimator", "path-only").splitlines()
    assert said[0].split() == ["measure", "map", "side", "mode", "versus", "value", "[95", "%]", "n"]
    assert said[-1] == f"Kept as run {ScoreRun.objects.get().pk}: {ScoreRun.objects.get().command}"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--to", "2026-01-10"), "9 days are too few"),
        (("--from", "2027-01-01"), "Nothing of binance:BTCUSDT is stored in this span; it is from 2026-01-01"),
    ],
)
def test_span_that_can_not_be_scored_is_refused(market: Instrument, arguments: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        score("--against", "hourly-totals", *arguments)
    assert not ScoreRun.objects.exists()


def test_nothing_to_score_says_what_to_do() -> None:
    with pytest.raises(CommandError, match="There is no instrument 'binance:BTCUSDT' that can be scored"):
        score("--against", "hourly-totals")
    put(make_instrument(), make_window(steps=288 * 22))
    with pytest.raises(CommandError, match=r"There are no hourly totals .*import_history FILE --instrument"):
        score("--against", "hourly-totals")
