"""What arrives while the hand moves: it waits, is handed over together, and what is awaited reads as such."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Final

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
# --bg2 of the dark theme, in which the stretch of bars that are on their way is drawn.
AWAITED: Final = (19, 23, 28)
# Three days of five minutes.
ALL_BARS: Final = 864
# Arrivals with stand-ins for the chart and the wire: 400 bars in view, of which the first 100 are not there.
STAND_INS: Final = """
    const { Arrivals } = await import(path);
    const range = { from: -100, to: 300 };
    const view = {
      moving: true,
      bars: { start: 1000, step: 1, reachedStart: false, olderQuery: (until) => until },
      chart: { timeScale: () => ({ getVisibleLogicalRange: () => range }) },
    };
    const [asked, older, newer] = [[], [], []];
    const requests = {
      isBusy: false,
      hasFailed: false,
      add(query, take) {
        asked.push(query);
        Object.assign(requests, { isBusy: true, take });
      },
    };
    const arrivals = new Arrivals(view, requests, {
      onOlder: (documents) => {
        older.push(documents.map(({ start_ms: start }) => start));
        const added = view.bars.start - documents.at(-1).start_ms;
        view.bars.start -= added;
        range.from += added;
      },
      onNewer: (document) => newer.push(document),
    });
    const answer = (start, open = [1]) => {
      requests.isBusy = false;
      requests.take({ start_ms: start, bars: { open } });
      arrivals.look();
    };
"""


def play(page: Page, script: str) -> object:
    """Run a scene with the stand-ins."""
    return page.evaluate(f"async (path) => {{ {STAND_INS} {script} }}", script_of("arrivals"))


def test_what_comes_while_the_hand_moves_waits_and_comes_together(visit: Open, world: World) -> None:
    page = visit().terminal()
    told = play(
        page,
        """
        arrivals.look();
        answer(950);
        answer(800);
        arrivals.bring('first');
        arrivals.bring('second');
        const meanwhile = [older.length, newer.length];
        view.moving = false;
        arrivals.settle();
        arrivals.settle();
        return [asked, meanwhile, older, newer];
        """,
    )
    # Asked for until the view and a tenth of it are covered, each time from where the last answer began.
    assert told == [[1000, 950], [0, 0], [[950, 800]], ["second"]]


def test_nothing_waits_for_long_and_nothing_at_rest_once_the_view_is_full(visit: Open, world: World) -> None:
    page = visit().terminal()
    told = play(
        page,
        """
        arrivals.look();
        answer(950);
        arrivals.since = performance.now() - 1500;
        arrivals.look();
        const early = older.length;
        arrivals.since = performance.now() - 2500;
        arrivals.look();
        const late = older.length;
        view.moving = false;
        answer(940);
        const piece = older.length;
        answer(700);
        return [early, late, piece, older];
        """,
    )
    assert told == [0, 1, 1, [[950], [940, 700]]]


def test_a_failure_is_tried_again_at_rest_and_a_new_time_frame_forgets_what_waits(visit: Open, world: World) -> None:
    page = visit().terminal()
    told = play(
        page,
        """
        requests.hasFailed = true;
        arrivals.look();
        const moving = asked.length;
        view.moving = false;
        arrivals.settle();
        const resting = asked.length;
        view.moving = true;
        answer(900);
        arrivals.clear();
        arrivals.settle();
        requests.hasFailed = false;
        arrivals.look();
        answer(1000, []);
        return [moving, resting, older.length, view.bars.reachedStart, asked.length];
        """,
    )
    assert told == [0, 1, 0, True, 2]


def test_several_answers_are_put_in_front_at_once_with_holes_between(visit: Open, world: World) -> None:
    page = visit().terminal()
    told = page.evaluate(
        """async (path) => {
          const { Bars } = await import(path);
          const names = ['open', 'high', 'low', 'close', 'volume', 'delta', 'open_interest', 'funding',
            'liquidated_longs', 'liquidated_shorts', 'long_price', 'short_price'];
          const of = (start_ms, ...values) => (
            { start_ms, step_ms: 10, bars: Object.fromEntries(names.map((name) => [name, [...values]])) });
          const bars = new Bars('');
          bars.replace({ ...of(100, 7, 8), timeframe: '1h', digits: 1 });
          bars.prepend([of(80, 5, 6), of(40, 1, 2)]);
          const { close, cvd } = bars.columns;
          return [bars.start, bars.count, close, cvd, bars.candles(5).map(({ time }) => time)];
        }""",
        script_of("bars"),
    )
    assert told == [40, 8, [1, 2, None, None, 5, 6, 7, 8], [1, 3, None, None, 8, 14, 21, 29], [0.09, 0.1, 0.11]]


def drag(page: Page, share: float) -> None:
    """Drag the chart to the right by so much of its width."""
    box = page.locator("#chart").bounding_box()
    assert box is not None
    x, y = box["x"] + 150, box["y"] + 300
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + share * box["width"], y, steps=6)
    page.mouse.up()


def awaited(page: Page) -> float:
    """Return how much of the plot is drawn as on its way."""
    shot = np.asarray(Image.open(io.BytesIO(page.locator("#chart").screenshot())).convert("RGB")).astype(int)
    return float((abs(shot[60:400, 20:-90] - AWAITED) <= 1).all(axis=2).mean())


def test_a_stretch_that_is_waited_for_reads_as_loading_and_what_is_in_view_stays(visit: Open, world: World) -> None:
    opened = visit()
    page = opened.terminal(query="?tf=5m")
    held: list[Route] = []
    page.route("**/chart.json?*until=*", lambda route: route.continue_() if held else held.append(route))
    drag(page, 0.5)
    page.wait_for_timeout(500)
    assert (len(held), page.locator("#terminal").get_attribute("data-bars")) == (1, "360")
    assert awaited(page) > 0.08
    under = page.locator("#read-bar").inner_text()
    held[0].continue_()
    page.locator('#terminal:not([data-bars="360"])').wait_for(state="attached", timeout=10_000)
    page.wait_for_timeout(600)
    assert awaited(page) < 0.02
    box = page.locator("#chart").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 150 + 0.5 * box["width"], box["y"] + 301)
    page.wait_for_timeout(200)
    assert moment(page.locator("#read-bar").inner_text()) == moment(under)
    assert opened.problems == []


def moment(text: str) -> str:
    found = re.match(r"\d\d \w{3}, \d\d:\d\d UTC", text)
    assert found, text
    return found.group()


def test_a_view_zoomed_out_fills_by_itself_until_the_record_begins(visit: Open, world: World) -> None:
    opened = visit()
    page = opened.terminal(query="?tf=5m")
    box = page.locator("#chart").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 400, box["y"] + 200)
    for _ in range(20):
        page.mouse.wheel(0, 240)
    page.locator(f'#terminal[data-bars="{ALL_BARS}"]').wait_for(state="attached", timeout=15_000)
    page.wait_for_timeout(800)
    assert awaited(page) < 0.02
    asked = [url for url in opened.requests if "until=" in url]
    page.wait_for_timeout(500)
    # The last answer had nothing in it, and then nobody asks again.
    assert [url for url in opened.requests if "until=" in url] == asked
    assert opened.problems == []
