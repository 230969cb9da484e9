"""A page that stays open: news come by themselves, silence is called stale, and news end that."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

import pytest

from heatmaps import operations as heatmaps
from heatmaps.pages.state import tick
from market import operations as market
from market.queries import load_bars
from tests.factories import make_instrument, make_user
from tests.pages import client_of
from tests.world import add_bars, make_world

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page, Route

    from tests.browser.conftest import Visit
    from tests.running import Broker
    from tests.world import World

    Open = Callable[..., Visit]

STEP = dt.timedelta(minutes=5)
CHANNEL = "bh:events"


pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None) -> World:
    """Make a live market whose newest bar has just ended, committed for the server to see."""
    now = dt.datetime.now(dt.UTC)
    end = dt.datetime.fromtimestamp(now.timestamp() // 300 * 300, tz=dt.UTC)
    return make_world(end=end, is_live=True)


@pytest.fixture
def session_cookie(world: World) -> str:
    return str(client_of(make_user()).cookies["sessionid"].value)


def add_bar(world: World, *, close: float) -> None:
    """Store one more bar, as the pipeline would, and redraw the map."""
    instrument = world.instrument
    end = dt.datetime.fromtimestamp(tick(key=instrument.key, now=dt.datetime.now(dt.UTC))["as_of_ms"] / 1000, tz=dt.UTC)
    bar = load_bars(instrument_id=instrument.pk, since=end - STEP, until=end, timeframe=300)
    bar["open_time"] += 300_000
    bar["open"] = bar["close"]
    bar["close"] = close
    bar["high"], bar["low"] = max(close, bar["open"][0]), min(close, bar["open"][0])
    now = end + STEP
    market.store(instrument_id=instrument.pk, series="bars", rows=bar, timeframe=300, now=now)
    heatmaps.advance(instrument_id=instrument.pk, now=now)


def await_refresh(page: Page, count: int) -> None:
    page.locator(f'#terminal[data-refreshed="{count}"]').wait_for(state="attached", timeout=25_000)


def test_news_arrive_without_a_reload(visit: Open, world: World, server: tuple[str, Broker]) -> None:
    opened = visit()
    page = opened.terminal(query="?tf=5m")
    before = page.locator("#read-bar").inner_text()
    add_bar(world, close=61_234.5)
    server[1].client().publish(CHANNEL, f'{{"instrument": "{world.instrument.key}", "stage": "zones", "v": 1}}')
    await_refresh(page, 1)
    page.locator(".last", has_text="61,234.5").wait_for(timeout=10_000)
    assert "61,234.5" in page.locator("#read-bar").inner_text() != before
    assert sum(url.endswith("/?tf=5m") for url in opened.requests) == 1
    assert opened.problems == []


def test_polling_takes_over_where_there_is_no_stream(visit: Open, world: World) -> None:
    opened = visit()
    opened.page.route("**/events?*", lambda route: route.fulfill(status=503, body=""))
    page = opened.terminal(query="?tf=5m")
    add_bar(world, close=61_500.5)
    await_refresh(page, 1)
    assert "61,500.5" in page.locator("#read-bar").inner_text()


def test_silence_is_called_stale_and_news_end_it(visit: Open, world: World) -> None:
    opened = visit()
    allowed = {"ms": 3_600_000}

    def answer(route: Route) -> None:
        body = route.fetch().json()
        route.fulfill(json=body | {"stale_after_ms": body["as_of_ms"] + allowed["ms"]})

    opened.page.route("**/events?*", lambda route: route.fulfill(status=503, body=""))
    opened.page.route("**/tick/**", answer)
    page = opened.terminal()
    page.locator("#fresh", has_text="Updated").wait_for()
    assert not page.locator("#stale").is_visible()
    allowed["ms"] = 0
    page.locator("#stale", has_text="Data is").wait_for(timeout=20_000)
    assert re.fullmatch(r"Data is \d+ (s|min) old", page.locator("#fresh").inner_text())
    allowed["ms"] = 3_600_000
    page.locator("#stale").wait_for(state="hidden", timeout=20_000)
    assert "Updated" in page.locator("#fresh").inner_text()


def test_a_page_is_as_old_as_its_oldest_part(visit: Open, world: World) -> None:
    opened = visit()
    opened.page.route("**/events?*", lambda route: route.fulfill(status=503, body=""))
    opened.page.route("**/live/*", lambda route: route.fulfill(status=503, body=""))
    page = opened.terminal(query="?tf=5m")
    before = page.locator("#strip").get_attribute("data-as-of-ms")
    # As old as the server lets it be and no older, if only the newest bar counted.
    opened.page.route("**/tick/**", lambda route: tighten(route, 240_000))
    add_bar(world, close=61_700.5)
    await_refresh(page, 1)
    page.locator("#stale").wait_for(timeout=20_000)
    assert page.locator("#strip").get_attribute("data-as-of-ms") == before
    opened.page.unroute("**/live/*")


def tighten(route: Route, ms: int) -> None:
    body = route.fetch().json()
    route.fulfill(json=body | {"stale_after_ms": body["as_of_ms"] + ms, "now_ms": body["as_of_ms"] + 1000})


def test_of_two_tabs_one_holds_the_stream_and_both_hear(visit: Open, world: World, server: tuple[str, Broker]) -> None:
    first = visit()
    leader = first.terminal(query="?tf=5m")
    follower = leader.context.new_page()
    streams: list[str] = []
    follower.on("request", lambda request: streams.append(request.url) if "/events" in request.url else None)
    follower.goto(leader.url)
    follower.locator('#terminal[data-drawn="true"]').wait_for(state="attached", timeout=20_000)
    add_bar(world, close=61_900.5)
    server[1].client().publish(CHANNEL, f'{{"instrument": "{world.instrument.key}", "stage": "zones", "v": 1}}')
    for page in (leader, follower):
        page.locator(".last", has_text="61,900.5").wait_for(timeout=20_000)
    assert streams == []
    leader.close()
    follower.wait_for_timeout(1500)
    assert len(streams) == 1


def test_only_the_state_is_said_aloud(visit: Open, world: World) -> None:
    opened = visit()
    opened.page.clock.install()
    opened.page.route("**/events?*", lambda route: route.fulfill(status=503, body=""))
    opened.page.route("**/tick/**", lambda route: route.abort())
    page = opened.go(f"/t/{world.instrument.key}/")
    page.clock.fast_forward(11 * 60_000)
    page.locator("#stale").wait_for(timeout=5_000)
    before, age = page.locator("#stale .vh").inner_text(), page.locator("[data-stale-age]").inner_text()
    page.clock.fast_forward(5 * 60_000)
    page.locator("[data-stale-age]", has_text=age).wait_for(state="detached")
    assert (before, page.locator("#stale .vh").inner_text()) == ("Data is stale.", "Data is stale.")
    assert page.locator("[data-stale-age]").get_attribute("aria-hidden") == "true"


def test_a_page_opened_before_the_first_bar_comes_alive(visit: Open, world: World) -> None:
    early = make_instrument(symbol="ETHUSDT", is_live=True)
    opened = visit()
    opened.page.route("**/events?*", lambda route: route.fulfill(status=503, body=""))
    page = opened.go(f"/t/{early.key}/")
    assert page.locator("#fresh").inner_text() == "No data yet"
    now = dt.datetime.now(dt.UTC)
    add_bars(instrument=early, end=now, hours=30)
    page.locator('#terminal[data-chart="ready"]').wait_for(state="attached", timeout=25_000)
    assert page.locator("#terminal").get_attribute("data-heatmap") == "none"
    heatmaps.advance(instrument_id=early.pk, now=now)
    page.locator('#terminal[data-heatmap="ready"][data-drawn="true"]').wait_for(state="attached", timeout=25_000)
    # In seconds or in minutes, in time or late: it counts.
    assert re.match(r"(Updated|Data is) \d+ (s|min) (ago|old)$", page.locator("#fresh").inner_text())


def test_the_stopwatch_alone_finds_silence(visit: Open, world: World) -> None:
    opened = visit()
    opened.page.clock.install()
    opened.page.route("**/events?*", lambda route: route.fulfill(status=503, body=""))
    opened.page.route("**/tick/**", lambda route: route.abort())
    page = opened.go(f"/t/{world.instrument.key}/")
    page.clock.fast_forward(11 * 60_000)
    page.locator("#stale").wait_for(timeout=5_000)
    assert "min old" in page.locator("#fresh").inner_text()
