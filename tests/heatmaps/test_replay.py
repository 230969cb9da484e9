"""Replay: the page as of a past moment is the page that was stored then, in every figure."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from django.core.cache import cache
from django.core.management import call_command

from heatmaps import operations as heatmaps
from heatmaps.pages import chart, replay, terminal
from market import operations, queries
from tests.factories import make_instrument
from tests.history import HISTORY, needs_history
from tests.world import add_bars

if TYPE_CHECKING:
    from market.models import Instrument
    from market.series import Records, SeriesName

pytestmark = pytest.mark.django_db
START = dt.datetime(2026, 1, 10, tzinfo=dt.UTC)
STEP = dt.timedelta(minutes=5)
MOMENTS = 20
# What is told of now whatever the moment, and what says that the moment is not now.
OF_NOW = {"as_of_ms", "at_ms"}
# The colour scale and the map's extent are those of the whole map: they draw it, they are no figures of it.
OF_THE_MAP = {"version", "provisional_through_ms", "floor_usd", "ceiling_usd", "bin_lo", "bin_hi"}


def test_twenty_random_past_moments_are_shown_as_they_were_stored() -> None:
    whole = make_instrument(symbol="WHOLE")
    add_bars(instrument=whole, end=START + dt.timedelta(hours=72), hours=72)
    relive(whole, START, np.random.default_rng(11))


@needs_history
def test_twenty_random_moments_of_a_real_market_are_shown_as_they_were_stored() -> None:
    whole = make_instrument(venue="bybit", symbol="BTCUSDT")
    files = [HISTORY / f"BTCUSDT-{name}.csv.gz" for name in ("candles-5m", "open-interest-5m", "funding-8h")]
    call_command("import_history", *map(str, files), instrument=[whole.key], verbosity=0)
    relive(whole, dt.datetime(2025, 12, 3, tzinfo=dt.UTC), np.random.default_rng(12))


def relive(whole: Instrument, start: dt.datetime, random: np.random.Generator) -> None:
    """Let a market go by, note the page at random moments, and ask for each of them again afterwards."""
    growing = make_instrument(symbol="BTCUSDT")
    steps = np.sort(random.choice(np.arange(400, 860), MOMENTS, replace=False))
    moments, told, former = [start + int(step) * STEP for step in steps], [], start
    for moment in moments:
        live(whole, growing, former, moment)
        told.append(page(moment, at=None))
        former = moment
    now = moments[-1] + dt.timedelta(days=1)
    live(whole, growing, former, min(now, start + dt.timedelta(hours=72)), now)
    cache.clear()
    for moment, then in zip(moments, told, strict=True):
        # A moment within a step is that of the step's beginning.
        assert page(now, at=moment + dt.timedelta(seconds=70)) == then, moment


def live(
    source: Instrument, target: Instrument, since: dt.datetime, until: dt.datetime, now: dt.datetime | None = None
) -> None:
    """Store what the market reported in a span and nothing later, and follow it as the pipeline does."""
    hand_on(source, target, since, until)
    heatmaps.advance(instrument_id=target.pk, now=now or until)
    heatmaps.track_zones(instrument_id=target.pk, now=now or until)


def hand_on(source: Instrument, target: Instrument, since: dt.datetime, until: dt.datetime) -> None:
    pk, now = source.pk, until
    found: dict[SeriesName, Records] = {
        "bars": queries.load_bars(instrument_id=pk, since=since, until=until, timeframe=300),
        "open_interest": queries.load_open_interest(instrument_id=pk, since=since, until=until),
        "funding": queries.load_funding(instrument_id=pk, since=since, until=until),
    }
    for series, rows in found.items():
        timeframe = 300 if series == "bars" else 0
        operations.store(instrument_id=target.pk, series=series, rows=rows, timeframe=timeframe, now=now)


def page(now: dt.datetime, *, at: dt.datetime | None) -> dict[str, Any]:
    """Return all that the page shows: its figures and the chart's document."""
    shown = terminal.load(key="binance:BTCUSDT", timeframe="1h", now=now, at=at)
    document = chart.data(key="binance:BTCUSDT", timeframe="1h", now=now, at=at)
    heat = {name: value for name, value in document.pop("heat").items() if name not in OF_THE_MAP}
    rest = {name: value for name, value in document.items() if name not in OF_NOW}
    return {"words": words_of(shown), "heat": heat, "chart": rest}


def words_of(shown: terminal.Terminal) -> dict[str, Any]:
    parts = {"strip": shown.strip, "clusters": shown.clusters, "zones": shown.zones, "refusal": shown.refusal}
    context = shown.context
    assert context is not None
    parts["context"] = (context.at_text, context.rows, context.levels)
    return {name: repr(part) for name, part in parts.items()}


def test_a_moment_that_is_now_or_later_is_no_replay() -> None:
    assert replay.known_at(at=START + STEP, newest=START) is None
    assert replay.known_at(at=START, newest=START) is None
    assert replay.known_at(at=None, newest=START) is None
    assert replay.known_at(at=START - dt.timedelta(seconds=1), newest=START) == START - STEP
