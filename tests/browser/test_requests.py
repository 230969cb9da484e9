"""The chart's requests: what overtakes what, what a failure leaves standing, and that nothing drawn is lost."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from tests.browser.conftest import script_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page, Route

    from tests.browser.conftest import Visit
    from tests.world import World

    Open = Callable[..., Visit]

pytestmark = pytest.mark.django_db(transaction=False)


def current(page: Page) -> list[str]:
    return page.locator("[data-timeframe-link][aria-current]").all_inner_texts()


def choose(page: Page, timeframe: str) -> None:
    page.get_by_role("link", name=timeframe, exact=True).click()


def plot_of(page: Page) -> np.ndarray:  # type: ignore[type-arg]  # uint8
    return np.asarray(Image.open(io.BytesIO(page.locator("#chart").screenshot())).convert("RGB")).astype(int)


def tell(page: Page, v: int) -> None:
    """Let a tick come, as the event stream brings it."""
    tick = {"v": v, "now_ms": v, "as_of_ms": v, "stale_after_ms": None, "instrument": "binance:BTCUSDT"}
    page.evaluate(
        "(tick) => window.bhStream.dispatchEvent(new MessageEvent('tick', {data: JSON.stringify(tick)}))", tick
    )


# The market of these tests is history, which nothing is heard of: the page is told that it is live.
LIVE = """
    window.EventSource = class extends EventTarget {
      static OPEN = 1; static CLOSED = 2; readyState = 1;
      constructor() { super(); window.bhStream = this; }
      close() {}
    };
    document.addEventListener('readystatechange', () => { document.querySelector('#fresh').dataset.kind = 'live'; });
"""


def open_live(visit: Open) -> tuple[Visit, Page]:
    opened = visit()
    opened.page.context.add_init_script(LIVE)
    return opened, opened.terminal()


def test_the_time_frame_chosen_last_wins_whatever_comes_first(visit: Open, world: World) -> None:
    opened = visit()
    page = opened.terminal()
    held: list[Route] = []
    page.route("**/chart.json?tf=5m*", lambda route: held.append(route))  # noqa: PLW0108  # it wraps plain functions only
    choose(page, "5m")
    page.wait_for_timeout(200)
    assert current(page) == ["1h"]
    choose(page, "4h")
    page.locator('[data-timeframe-link="4h"][aria-current]').wait_for()
    drawn = page.locator("#read-bar").inner_text()
    assert len(held) == 1
    page.wait_for_timeout(300)
    assert (current(page), page.locator("#read-bar").inner_text()) == (["4h"], drawn)
    assert page.url.endswith("?tf=4h")
    assert opened.problems == []


def test_a_time_frame_that_does_not_come_leaves_the_one_that_stands(visit: Open, world: World) -> None:
    opened = visit()
    page = opened.terminal()
    before = (page.url, page.locator("#read-bar").inner_text())
    page.route("**/chart.json?tf=15m*", lambda route: route.fulfill(status=503, body=""))
    choose(page, "15m")
    page.locator("#chart-error", has_text="could not be fetched").wait_for(timeout=5_000)
    assert current(page) == ["1h"]
    assert (page.url, page.locator("#read-bar").inner_text()) == before
    choose(page, "4h")
    page.locator('[data-timeframe-link="4h"][aria-current]').wait_for()
    assert not page.locator("#chart-error").is_visible()
    assert not [problem for problem in opened.problems if "Uncaught" in problem]


def test_a_tick_during_a_request_is_not_lost(visit: Open, world: World) -> None:
    _, page = open_live(visit)
    held: list[Route] = []
    page.route("**/chart.json?*since=*", lambda route: held.append(route) if not held else route.continue_())
    tell(page, 4_000_000_000_001)
    tell(page, 4_000_000_000_002)
    page.wait_for_timeout(200)
    assert len(held) == 1
    held[0].continue_()
    page.locator('#terminal[data-refreshed="2"]').wait_for(state="attached", timeout=5_000)


def ended_zone(document: dict[str, Any]) -> dict[str, Any]:
    """Return a swept zone over the newest bars, well away from price."""
    step, bars = document["step_ms"], document["bars"]["close"]
    last = document["start_ms"] + (len(bars) - 1) * step
    low, high = (max(bars) * share for share in (1.004, 1.008))
    life = {"born_ms": last - 30 * step, "tested_ms": None, "ended_ms": last - 10 * step}
    size = {"low": low, "high": high, "usd": 1e6, "usd_low": 1e6, "usd_high": 1e6}
    return {"id": 77, "label": "Z-77", "side": -1, "state": "swept", **size, **life}


def zone_pixels(page: Page) -> int:
    """Count the pixels that go when zones are put away."""
    return int(zone_mask(page).sum())


def zone_mask(page: Page) -> np.ndarray:  # type: ignore[type-arg]  # bool
    page.wait_for_timeout(300)
    whole = plot_of(page)
    page.get_by_role("button", name="Zones").click()
    page.wait_for_timeout(300)
    bare = plot_of(page)
    page.get_by_role("button", name="Zones").click()
    mask: np.ndarray = (whole != bare).any(axis=2)  # type: ignore[type-arg]  # bool
    return mask


def test_a_tick_leaves_zones_that_ended_before_it(visit: Open, world: World) -> None:
    opened = visit()
    opened.page.context.add_init_script(LIVE)

    def answer(route: Route) -> None:
        document = route.fetch().json()
        whole = "since=" not in route.request.url and "until=" not in route.request.url
        document["zones"] = [ended_zone(document)] if whole else []
        route.fulfill(json=document)

    opened.page.route("**/chart.json?*", answer)
    page = opened.terminal()
    page.get_by_role("button", name="Heat").click()
    before = zone_pixels(page)
    tell(page, 4_000_000_000_001)
    page.locator('#terminal[data-refreshed="1"]').wait_for(state="attached", timeout=5_000)
    assert (before > 100, zone_pixels(page)) == (True, before)


def test_zones_are_known_by_their_number(visit: Open, world: World) -> None:
    page = visit().terminal()
    script = script_of("zones")
    told = page.evaluate(
        """async (path) => {
          const { ZoneBook } = await import(path);
          const book = new ZoneBook();
          const zone = (id, state) => ({ id, state, ended_ms: state === 'active' ? null : 1 });
          book.replace([zone(1, 'active'), zone(2, 'swept'), zone(3, 'active')]);
          book.add([zone(4, 'faded')]);
          book.update([zone(3, 'swept'), zone(5, 'active')]);
          return book.all.map(({ id, state }) => `${id} ${state}`);
        }""",
        script,
    )
    assert told == ["2 swept", "3 swept", "4 faded", "5 active"]


def test_a_row_under_the_pointer_leaves_what_was_clicked(visit: Open, world: World) -> None:
    opened = visit()

    def answer(route: Route) -> None:
        document = route.fetch().json()
        document["zones"] = [ended_zone(document)] if "until=" not in route.request.url else []
        route.fulfill(json=document)

    opened.page.route("**/chart.json?*", answer)
    page = opened.terminal()
    page.get_by_role("button", name="Heat").click()
    plain = zone_pixels(page)
    box = page.locator("#chart").bounding_box()
    assert box is not None
    ys, xs = np.nonzero(zone_mask(page))
    page.mouse.click(box["x"] + float(xs.mean()), box["y"] + float(ys.mean()))
    page.locator("#clusters h2").hover()
    thick = zone_pixels(page)
    page.locator("#zone-list h2").dispatch_event("mouseover")
    assert thick > plain
    assert zone_pixels(page) == thick
