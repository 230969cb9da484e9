from __future__ import annotations

import json
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command

from heatmaps import tasks
from heatmaps.benchmark import run, run_layers, run_zones
from heatmaps.core.layers import LAYERS
from heatmaps.models import EstimatorRelease, Heatmap, Zone
from market.series import STEP_MS
from tests.core.windows import START_MS, cut, make_window
from tests.factories import make_instrument

from .markets import at_step, built, make_market, put

if TYPE_CHECKING:
    import datetime as dt


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("build_heatmap", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_build_heatmap_builds_and_sums_up() -> None:
    make_market(steps=900)
    said = command("binance:BTCUSDT")
    assert "open-interest 2: 900 steps" in said
    assert "path-only 2: 900 steps" in said
    assert "through 2026-01-04 03:00 UTC, 100.0 % of open interest allocated" in said
    assert f"zones: {Zone.objects.count()} formed" in said
    assert "reach: learnt through" in said
    assert Zone.objects.count() > 0
    again = command("binance:BTCUSDT")
    assert "0 tiles written" in again
    assert "zones: 0 formed" in again


@pytest.mark.django_db
def test_build_heatmap_takes_a_span_and_an_estimator() -> None:
    make_market(steps=400)
    until = at_step(200).strftime("%Y-%m-%d %H:%M")
    said = command("binance:BTCUSDT", "--to", until, "--estimator", "path-only")
    assert "path-only 2: 200 steps" in said
    assert "open-interest" not in said
    assert Heatmap.objects.get().built_through == at_step(200)
    assert "path-only 2: 400 steps" in command("binance:BTCUSDT", "--from", "2026-01-01", "--estimator", "path-only")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--from", "soon"], "'soon' is not a time; write a day like 2026-01-31"),
        (["--to", "2026-13-01"], "'2026-13-01' is not a time"),
        (["--from", "9999-12-31T23:59-23:59"], "is not a time"),
        (["--to", "0001-01-01T00:00+23:59"], "is not a time"),
        (["--from", "2026-01-02", "--to", "2026-01-01"], r"--from \(2026-01-02 00:00 UTC\) has to lie before --to"),
        (["--from", "2026-01-01T06:00", "--to", "2026-01-01T06:00"], "for example --from 2026-01-01 --to 2026-02-01"),
        (["--from", "2030-01-01"], "ends at 2026-01-01 08:20 UTC; give an earlier one, for example --from 2025-12-31"),
        (["--to", "0001-01-01"], "begins at 2026-01-01 00:00 UTC; give a later one, for example --to 2026-01-02"),
    ],
)
def test_build_heatmap_refuses_a_span_of_nothing(arguments: list[str], sentence: str) -> None:
    make_market(steps=100)
    with pytest.raises(CommandError, match=sentence):
        command("binance:BTCUSDT", *arguments)
    assert Heatmap.objects.count() == 0


@pytest.mark.django_db
def test_build_heatmap_says_how_to_go_on_after_an_interruption(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_progress: object) -> None:
        raise KeyboardInterrupt

    make_market(steps=100)
    monkeypatch.setattr("heatmaps.management.commands.build_heatmap._Progress.show_reached", interrupt)
    with pytest.raises(CommandError, match=r"`python3 manage\.py build_heatmap binance:BTCUSDT` goes on") as end:
        command("binance:BTCUSDT", "--from", "2026-01-01")
    assert end.value.returncode == 130
    assert Heatmap.objects.filter(built_through=at_step(100)).count() == 2


@pytest.mark.django_db
def test_build_heatmap_names_what_it_knows() -> None:
    with pytest.raises(CommandError, match="Known: none yet"):
        command("binance:BTCUSDT")
    make_market(steps=1)
    with pytest.raises(CommandError, match=r"Known: binance:BTCUSDT\."):
        command("binance:NOTHING")


@pytest.mark.django_db
def test_tasks_call_their_operation(now: dt.datetime) -> None:
    instrument = make_market(steps=900)
    tasks.advance(instrument_ids=[instrument.pk], now=now)
    tasks.track_zones(instrument_ids=[instrument.pk], now=now)
    heatmap = Heatmap.objects.get(release__slug="open-interest")
    assert heatmap.built_through == heatmap.zones_through == at_step(900)


@pytest.mark.django_db
def test_build_heatmap_says_what_to_do_with_earlier_history() -> None:
    instrument, window = make_instrument(), make_window(steps=400)
    put(instrument, cut(window, since_ms=START_MS + 300 * STEP_MS, until_ms=START_MS + 400 * STEP_MS))
    assert "before this map begins" not in command("binance:BTCUSDT")
    put(instrument, window)
    said = command("binance:BTCUSDT", "--estimator", "path-only")
    assert "path-only: open interest is stored from 2026-01-01 00:05 UTC on" in said
    assert "`build_heatmap binance:BTCUSDT --from 2026-01-01` builds the whole map again." in said
    assert Heatmap.objects.get(release__slug="path-only").built_from == at_step(300)
    again = command("binance:BTCUSDT", "--estimator", "path-only", "--from", "2026-01-01")
    assert "path-only 2: 400 steps" in again
    assert "before this map begins" not in again
    assert Heatmap.objects.get(release__slug="path-only").built_from == at_step(0)


@pytest.mark.django_db
def test_bench_of_stored_bars_leaves_everything_as_it_was(now: dt.datetime) -> None:
    instrument = make_market(steps=400)
    tasks.advance(instrument_ids=[instrument.pk], now=now)
    before = built(instrument)
    out = StringIO()
    call_command("bench", "heatmap", "--instrument", "binance:BTCUSDT", "--steps", "300", "--json", stdout=out)
    figures = json.loads(out.getvalue())
    assert (figures["instrument"], figures["stored_steps"], figures["steps"]) == ("binance:BTCUSDT", 300, 300)
    assert figures["stored_tiles"] > 10
    assert figures["peak_rss_mb"] >= figures["rss_mb_before"] > 0
    assert built(instrument) == before
    assert list(EstimatorRelease.objects.order_by("slug").values_list("slug", flat=True)) == [
        "open-interest",
        "path-only",
    ]


@pytest.mark.django_db
def test_bench_prints_words_as_well_as_numbers() -> None:
    make_market(steps=20)
    out = StringIO()
    call_command("bench", "heatmap", "--instrument", "binance:BTCUSDT", "--steps", "15", stdout=out)
    figures = dict(line.rsplit("  ", 1) for line in out.getvalue().splitlines())
    assert {name.strip(): text.strip() for name, text in figures.items()}["instrument"] == "binance:BTCUSDT"
    with pytest.raises(CommandError, match="no instrument 'binance:NO'"):
        call_command("bench", "heatmap", "--instrument", "binance:NO", stdout=out)


def test_benchmark_gives_every_figure() -> None:
    figures = run(steps=300)
    assert json.loads(json.dumps(figures)) == figures
    assert figures["steps"] == 300
    assert min(float(figure) for figure in figures.values()) > 0


def test_bench_of_zones_gives_every_figure() -> None:
    figures = run_zones(steps=600)
    assert (figures["steps"], figures["slices"]) == (600, 50)
    assert min(figures.values()) > 0


@pytest.mark.django_db
def test_bench_of_layers_gives_every_layer() -> None:
    make_market(steps=20)
    figures = run_layers(key="binance:BTCUSDT", repeats=1)
    assert list(figures["each_layer_ms"]) == list(LAYERS)
    assert min(figures[name] for name in ("layers_ms", "stored_layers_ms", "stored_load_ms")) > 0
