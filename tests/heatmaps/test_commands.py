from __future__ import annotations

import json
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command

from heatmaps import tasks
from heatmaps.benchmark import run
from heatmaps.models import Heatmap, Zone

from .markets import at_step, make_market

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
    assert "open-interest 1: 900 steps" in said
    assert "path-only 1: 900 steps" in said
    assert "through 2026-01-04 03:00 UTC, 100.0 % of open interest allocated" in said
    assert f"zones: {Zone.objects.count()} formed" in said
    assert Zone.objects.count() > 0
    again = command("binance:BTCUSDT")
    assert "0 tiles written" in again
    assert "zones: 0 formed" in again


@pytest.mark.django_db
def test_build_heatmap_takes_a_span_and_an_estimator() -> None:
    make_market(steps=400)
    until = at_step(200).strftime("%Y-%m-%d %H:%M")
    said = command("binance:BTCUSDT", "--to", until, "--estimator", "path-only")
    assert "path-only 1: 200 steps" in said
    assert "open-interest" not in said
    assert Heatmap.objects.get().built_through == at_step(200)
    assert "path-only 1: 400 steps" in command("binance:BTCUSDT", "--from", "2026-01-01", "--estimator", "path-only")


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
    tasks.advance(instrument_id=instrument.pk, now=now)
    tasks.track_zones(instrument_id=instrument.pk, now=now)
    heatmap = Heatmap.objects.get(release__slug="open-interest")
    assert heatmap.built_through == heatmap.zones_through == at_step(900)


def test_benchmark_gives_every_figure() -> None:
    figures = run(steps=300)
    assert json.loads(json.dumps(figures)) == figures
    assert figures["steps"] == 300
    assert min(float(figure) for figure in figures.values()) > 0
