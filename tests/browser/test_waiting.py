"""An open page comes alive by itself again: what failed, fell silent or can not be trusted is asked for once more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import END
from tests.browser.test_requests import LIVE, tell

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page, Route

    from tests.browser.conftest import Visit
    from tests.world import World

    Open = Callable[..., Visit]

pytestmark = pytest.mark.django_db(transaction=False)
# The tests' market is history: the page is told that it is live, by a stream that tests speak for and that is counted,
# and by ticks of its newest moment.
COUNTED = """
    window.opened = 0;
    window.EventSource = class extends window.EventSource { constructor() { super(); window.opened += 1; } };
"""
END_MS = int(END.timestamp() * 1000)
SAYS_LIVE = '#fresh[data-kind="live"]'


def open_live(visit: Open) -> Page:
    opened = visit()
    page = opened.page
    context = page.context
    context.add_init_script(LIVE)
    context.add_init_script(COUNTED)
    page.clock.install()
    page.route("**/tick/**", answer)
    opened.terminal()
    page.clock.run_for(1500)
    page.locator(SAYS_LIVE).wait_for()
    return page


def answer(route: Route) -> None:
    """Answer as of a market whose newest bar has just ended; the server is not asked, so that nothing is left over."""
    tick = {"instrument": "binance:BTCUSDT", "v": 0, "now_ms": END_MS + 1000}
    route.fulfill(json=tick | {"as_of_ms": END_MS, "stale_after_ms": END_MS + 75_000})


def pass_seconds(page: Page, seconds: int) -> None:
    """Let time pass, second by second, so that each timer sees its own."""
    for _ in range(seconds):
        page.clock.fast_forward(1000)


def test_a_doubt_is_asked_about_until_it_is_answered_though_the_stream_speaks(visit: Open, world: World) -> None:
    page = open_live(visit)
    page.unroute("**/tick/**")
    page.route("**/tick/**", lambda route: route.abort())
    page.evaluate("() => { const now = Date.now; Date.now = () => now() + 600000; }")
    page.clock.run_for(1500)
    page.locator('#fresh[data-kind="doubtful"]').wait_for()
    page.unroute("**/tick/**")
    page.route("**/tick/**", answer)
    page.evaluate("window.bhStream.dispatchEvent(new Event('open'))")
    pass_seconds(page, 12)
    page.locator(SAYS_LIVE).wait_for(timeout=5_000)


def test_a_stream_that_falls_silent_is_opened_anew(visit: Open, world: World) -> None:
    page = open_live(visit)
    page.evaluate("window.bhStream.dispatchEvent(new Event('open'))")
    assert page.evaluate("window.opened") == 1
    pass_seconds(page, 35)
    assert page.evaluate("window.opened") == 1
    pass_seconds(page, 20)
    assert page.evaluate("window.opened") == 2


def test_figures_that_failed_are_asked_for_again_without_news(visit: Open, world: World) -> None:
    page = open_live(visit)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/live/" in request.url else None)
    page.route("**/live/*", lambda route: route.fulfill(status=503, body=""))
    assert page.locator("#strip").get_attribute("data-as-of-ms") == str(END_MS)
    tell(page, END_MS + 60_000)
    page.wait_for_timeout(300)
    assert len(asked) == 1
    pass_seconds(page, 11)
    page.wait_for_timeout(300)
    assert len(asked) == 2


def test_the_replay_s_edge_is_live_only_while_the_page_is(visit: Open, world: World) -> None:
    page = open_live(visit)
    edge = page.locator("#replay-text")
    assert edge.inner_text() == "Live edge"
    page.unroute("**/tick/**")
    page.route("**/tick/**", lambda route: route.abort())
    pass_seconds(page, 90)
    page.locator('#fresh[data-kind="stale"]').wait_for()
    assert edge.inner_text() == "Newest data"
    assert page.get_by_role("slider", name="Moment shown").get_attribute("aria-valuetext") == "Newest data"
