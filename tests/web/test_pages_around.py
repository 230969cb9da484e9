"""What stands around the chart: what changed, the heat as a table, panes and leverage of the chart's document."""

from __future__ import annotations

import base64
import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import pytest

from heatmaps import queries
from heatmaps.core.doubts import Doubt
from heatmaps.models import ZoneEvent
from heatmaps.pages import changes, figures, terminal, twin
from market import operations as market
from market import series as s
from market.models import Instrument
from tests.factories import make_user
from tests.pages import client_of
from tests.world import World, lasting_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.test import Client
    from pytest_django import DjangoDbBlocker

pytestmark = pytest.mark.django_db
END = dt.datetime(2026, 1, 15, 12, 0, tzinfo=dt.UTC)
KEY = "binance:BTCUSDT"
HALF_HOUR = dt.timedelta(minutes=30)


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    with lasting_world(django_db_blocker, end=END) as made:
        yield made


@pytest.fixture
def member() -> Client:
    return client_of(make_user())


def test_changes_tell_each_zone_once_by_its_newest_event(world: World) -> None:
    since = END - dt.timedelta(days=30)
    page = changes.load(key=KEY, now=END, since=since)
    events = ZoneEvent.objects.filter(zone__heatmap=world.heatmap).order_by("zone", "-number").distinct("zone")
    ended = {event.zone_id for event in events if event.kind == "ended"}
    told = {row.pk: row.what for row in page.rows}
    assert len(told) == len(page.rows)
    assert len(told) + page.left_out == len(events)
    # Over so long a span a zone that still lives is one that formed.
    assert {pk for pk, what in told.items() if what != "Formed"} == ended & told.keys()


def test_changes_as_of_a_moment_know_nothing_later(world: World) -> None:
    then = END - dt.timedelta(hours=20)
    page = changes.load(key=KEY, now=END, at=then)
    assert page.until_text == "14 Jan 16:00"
    later = ZoneEvent.objects.filter(zone__heatmap=world.heatmap, at__gt=then, kind="formed")
    assert {row.pk for row in page.rows}.isdisjoint(later.values_list("zone", flat=True))


def test_a_visit_ends_after_half_an_hour() -> None:
    first = changes.note_visit(cookie="", now=END)
    assert changes.last_visit(cookie=first) is None
    second = changes.note_visit(cookie=first, now=END + HALF_HOUR - dt.timedelta(seconds=1))
    assert changes.last_visit(cookie=second) is None
    again = END + 3 * HALF_HOUR
    assert changes.last_visit(cookie=changes.note_visit(cookie=second, now=again)) == END + HALF_HOUR - dt.timedelta(
        seconds=1
    )
    assert changes.last_visit(cookie="1.x") is None
    assert changes.last_visit(cookie="9" * 40 + ".1") is None


def test_terminal_remembers_a_visit_for_its_own_pages_only(world: World, member: Client) -> None:
    cookie = member.get(f"/t/{KEY}/").cookies["visit"]
    assert (cookie["path"], cookie["httponly"]) == (f"/t/{KEY}/", True)
    assert b"Since your last visit" not in member.get(f"/t/{KEY}/changes/").content


def test_the_table_holds_what_the_map_holds(world: World) -> None:
    page = twin.load(key=KEY, now=END)
    newest = queries.latest_slice(heatmap=world.heatmap)
    assert newest is not None
    inside = np.abs(newest.prices / newest.close - 1.0) < 0.2
    told = [", ".join(band.cells[0]) for band in page.bands]
    sums = [
        float(part.split("$")[1].split(" ")[0].rstrip("BMK"))
        for cell in told
        for part in cell.split(", ")
        if "$" in part
    ]
    units = [
        {"B": 1e9, "M": 1e6, "K": 1e3}.get(part.split("$")[1].split(" ")[0][-1], 1.0)
        for cell in told
        for part in cell.split(", ")
        if "$" in part
    ]
    # Three digits each.
    assert sum(a * b for a, b in zip(sums, units, strict=True)) == pytest.approx(newest.usd[inside].sum(), rel=0.01)
    assert [band.distance for band in page.bands][:1] == ["+10.0% to +20.0%"]
    assert page.columns[0] == ("newest", "15 Jan 12:00")


def test_sums_and_cells_widen_with_the_age_of_the_map_as_zones_do(world: World) -> None:
    newest = queries.latest_slice(heatmap=world.heatmap)
    assert newest is not None
    intervals = []
    for hours in (0.0, 12.0):
        Instrument.objects.filter(pk=world.instrument.pk).update(is_live=hours > 0)
        now = END + dt.timedelta(hours=hours)
        aged = queries.aged_slice(newest=newest, age=Doubt(age_hours=hours))
        assert aged is not None
        longs, _ = queries.within_distance(slice=aged, close=newest.close, pct=5.0)
        intervals.append(figures.usd_range(longs.low, longs.high))
        strip = terminal.load(key=KEY, timeframe="1h", now=now).strip
        assert (strip.kpis[0].label, strip.kpis[0].note) == ("Longs within −5%", intervals[-1])
        told = [one for band in twin.load(key=KEY, now=now).bands for one in band.cells[0]]
        inside = (newest.prices >= newest.close * 0.98) & (newest.prices < newest.close * 0.99)
        away = np.abs(newest.prices[inside] / newest.close - 1.0) * 100.0
        cell = aged.factors.band_sum(newest.usd[inside], 1, away)
        assert f"longs {figures.usd(cell.usd)} ({figures.usd_range(cell.low, cell.high)})" in told
    assert intervals[0] != intervals[1]
    Instrument.objects.filter(pk=world.instrument.pk).update(is_live=False)


def test_chart_tells_liquidations_flow_and_leverage(world: World, member: Client) -> None:
    prints = np.zeros(3, s.LIQUIDATION)
    prints["time"] = [s.epoch_ms(END) - minutes * s.MINUTE_MS for minutes in (61, 50, 40)]
    prints["position_side"], prints["price"], prints["quantity"] = [1, 1, -1], [50_000, 60_000, 61_000], [1, 2, 3]
    pk = world.instrument.pk
    market.store(instrument_id=pk, series="liquidations", rows=prints, timeframe=0, now=END)
    found = member.get(f"/t/{KEY}/chart.json").json()
    bars, leverage = found["bars"], found["leverage"]
    assert bars["liquidated_longs"][-2:] == [50_000, 120_000]
    assert (bars["liquidated_shorts"][-2:], bars["short_price"][-1]) == ([None, 183_000], 61_000)
    # In the made-up market takers buy half of everything.
    assert set(bars["delta"]) == {0.0}
    percent = np.frombuffer(base64.b64decode(leverage["percent"]), np.uint8).reshape(len(leverage["labels"]), -1)
    sums = percent.sum(axis=0, dtype=int)
    assert ((sums == 0) | (abs(sums - 100) <= len(leverage["labels"]) // 2)).all()
    assert (sums > 0).any()


def test_a_map_that_is_not_built_is_refused(world: World, member: Client) -> None:
    answer = member.get(f"/t/{KEY}/chart.json?map=ladder")
    assert answer.status_code == 400
    assert member.get(f"/t/{KEY}/chart.json?map=path-only").status_code == 200
