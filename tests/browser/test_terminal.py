"""The terminal in a real browser: what is drawn, what it weighs, how it is worked by keyboard."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from heatmaps import palette
from tests.browser.conftest import DESKTOP, PHONE, script_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.browser.conftest import Visit
    from tests.world import World

    Open = Callable[..., Visit]

pytestmark = pytest.mark.django_db(transaction=False)
FIRST_VIEW_BYTES = 170_000


def plot_of(page: Page) -> np.ndarray:  # type: ignore[type-arg]  # uint8
    """Return the pixels of the chart."""
    return np.asarray(Image.open(io.BytesIO(page.locator("#chart").screenshot())).convert("RGB")).astype(int)


def coloured(pixels: np.ndarray) -> tuple[float, float]:  # type: ignore[type-arg]
    """Return the shares of amber and of blue pixels."""
    amber = (pixels[..., 0] > pixels[..., 2] + 30).mean()
    blue = (pixels[..., 2] > pixels[..., 0] + 30).mean()
    return float(amber), float(blue)


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_heat_is_drawn_on_both_sides(size: tuple[int, int], theme: str, visit: Open, world: World) -> None:
    opened = visit(size=size, theme=theme)
    amber, blue = coloured(plot_of(opened.terminal()))
    assert amber > 0.03
    assert blue > 0.03
    assert (opened.problems, opened.foreign) == ([], [])


def test_heat_and_zones_can_be_put_away(visit: Open, world: World) -> None:
    page = visit().terminal()
    whole = plot_of(page)
    page.get_by_role("button", name="Zones").click()
    page.wait_for_timeout(300)
    without_zones = plot_of(page)
    assert (whole != without_zones).any()
    page.get_by_role("button", name="Heat").click()
    page.wait_for_timeout(300)
    assert max(coloured(plot_of(page))) < 0.02
    assert page.get_by_role("button", name="Heat").get_attribute("aria-pressed") == "false"


def test_keyboard_reads_a_level_aloud(visit: Open, world: World) -> None:
    page = visit().terminal()
    page.locator("#chart").focus()
    for key in ("ArrowLeft", "Shift+ArrowDown", "Shift+ArrowDown", "Shift+ArrowDown", "Shift+ArrowDown"):
        page.keyboard.press(key)
    heat = page.locator("#read-heat").inner_text()
    assert re.search(r"At [\d,.]+ · est\. longs \$[\d.]+[KMB]? per 0\.1%", heat), heat
    page.wait_for_timeout(600)
    assert heat.split("·")[0].strip() in page.locator("#spoken").inner_text()
    page.keyboard.press("Escape")
    assert "Hover" in page.locator("#read-heat").inner_text()


def test_question_mark_opens_the_help_and_escape_closes_it(visit: Open, world: World) -> None:
    page = visit().terminal()
    page.locator("#chart").focus()
    page.keyboard.press("?")
    assert page.get_by_role("dialog").is_visible()
    page.keyboard.press("Escape")
    assert not page.get_by_role("dialog").is_visible()


@pytest.mark.parametrize("timeframe", ["5m", "15m", "4h", "1d"])
def test_each_time_frame_draws_its_heat(timeframe: str, visit: Open, world: World) -> None:
    opened = visit()
    page = opened.terminal()
    page.get_by_role("link", name=timeframe, exact=True).click()
    page.locator(f'[data-timeframe-link="{timeframe}"][aria-current]').wait_for()
    page.wait_for_timeout(700)
    assert max(coloured(plot_of(page))) > 0.01
    assert page.url.endswith(f"?tf={timeframe}")
    assert opened.problems == []


def test_theme_switch_repaints_and_is_kept(visit: Open, world: World) -> None:
    opened = visit()
    page = opened.terminal()
    dark = plot_of(page)
    page.get_by_role("button", name="Switch between dark and light").click()
    page.wait_for_timeout(400)
    assert plot_of(page).mean() > dark.mean() + 60
    assert opened.go("/instruments/").locator("html").get_attribute("data-theme") == "light"


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_without_scripts_the_picture_and_the_table_say_the_same(
    size: tuple[int, int], visit: Open, world: World
) -> None:
    page = visit(size=size, scripts=False).go("/t/binance:BTCUSDT/")
    picture = page.locator(".still img")
    assert picture.bounding_box() is not None
    amber, blue = coloured(plot_of(page))
    assert amber > 0.02
    assert blue > 0.02
    assert page.locator("#zone-list tbody tr").count() >= 1
    assert not page.locator("#stale").is_visible()


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_picture_stands_where_the_chart_is_slow(size: tuple[int, int], visit: Open, world: World) -> None:
    opened = visit(size=size)
    opened.page.route("**/chart.json*", lambda _: None)
    with opened.page.expect_response("**/picture.png*", timeout=20_000):
        page = opened.go("/t/binance:BTCUSDT/")
    page.locator(".still").evaluate("(still) => Promise.all(still.getAnimations().map((one) => one.finished))")
    chart, picture = page.locator("#chart").bounding_box(), page.locator(".still").bounding_box()
    assert picture == chart


def test_first_view_is_light(visit: Open, world: World) -> None:
    for library in ("brotli", "fontTools"):
        pytest.importorskip(library, reason="files are compressed and the font is cut with them")
    opened = visit()
    opened.terminal()
    opened.page.wait_for_load_state("networkidle")
    weights = opened.weights
    assert sum(weight for url, weight in weights.items() if "/tiles/" not in url) < FIRST_VIEW_BYTES, weights
    assert (len(weights) < 24, any("picture.png" in url for url in weights)) == (True, False)


def test_page_does_not_scroll_sideways_on_a_phone(visit: Open, world: World) -> None:
    page = visit(size=PHONE).terminal()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def test_phone_shows_the_nearest_zones_first(visit: Open, world: World) -> None:
    page = visit(size=PHONE, scripts=False).go("/t/binance:BTCUSDT/")
    rows, far = page.locator("#zone-list tbody tr"), page.locator("#zone-list tbody tr.far")
    assert (rows.count() > far.count() > 0, far.first.is_visible()) == (True, False)
    page.get_by_label("All zones, not only the nearest of each side").check()
    assert far.first.is_visible()


def test_picture_and_chart_share_their_colours(visit: Open, world: World) -> None:
    page = visit().terminal()
    script = script_of("colour")
    values = [0.05, 0.3, 0.62, 1.0]
    themes: tuple[palette.Theme, ...] = ("dark", "light")
    cases = [
        [side, value, width, theme] for side in (0, 1) for value in values for width in range(3) for theme in themes
    ]
    drawn = page.evaluate(
        "async ([path, cases]) => { const { ramp } = await import(path); return cases.map((c) => ramp(...c)); }",
        [script, cases],
    )
    expected = [
        list(palette.ramp(side, value, theme, width))
        for side in (0, 1)
        for value in values
        for width in range(3)
        for theme in themes
    ]
    assert drawn == expected


def test_uncertainty_greys_the_heat_and_can_be_turned_off(visit: Open, world: World) -> None:
    page = visit().terminal()
    button = page.locator('[data-layer="uncertainty"]')
    ramp = "() => document.querySelector('canvas.ramp').toDataURL()"

    def colour() -> float:
        """Mean distance between the strongest and the weakest channel over the heat."""
        shot = np.asarray(Image.open(io.BytesIO(page.locator("#chart").screenshot())).convert("RGB")).astype(float)
        return float((shot.max(axis=2) - shot.min(axis=2)).mean())

    page.locator("#terminal[data-drawn]").wait_for()
    assert button.get_attribute("aria-pressed") == "true"
    classed, legend = colour(), page.evaluate(ramp)
    page.locator("#chart").focus()
    page.keyboard.press("u")
    page.wait_for_timeout(300)
    assert button.get_attribute("aria-pressed") == "false"
    assert colour() > classed * 1.05
    assert page.evaluate(ramp) != legend
    # What the legend would explain is not drawn.
    assert not page.locator(".legend .key").is_visible()
    page.keyboard.press("h")
    assert not page.locator(".ramp-box").first.is_visible()
    page.keyboard.press("h")
    assert page.locator(".ramp-box").first.is_visible()


def test_side_map_follows_panes_and_the_scale_of_prices(visit: Open, world: World) -> None:
    page = visit().terminal()
    side = "() => document.querySelector('#side').toDataURL()"
    for menu, box in (("Panes", '[data-pane="volatility"]'), ("Scale", "#scale-log")):
        former = page.evaluate(side)
        page.get_by_role("button", name=menu, exact=True).click()
        page.locator(box).check()
        page.wait_for_function(f"(former) => ({side})() !== former", arg=former)
        page.keyboard.press("Escape")


def test_crosshair_shows_the_interval(visit: Open, world: World) -> None:
    page = visit().terminal()
    page.mouse.move(500, 540)
    page.wait_for_timeout(300)
    assert "80% interval" in page.locator("#read-heat").inner_text()


def test_without_the_chart_library_the_picture_stays(visit: Open, world: World) -> None:
    opened = visit()
    opened.page.route("**/lightweight-charts*", lambda route: route.abort())
    page = opened.go("/t/binance:BTCUSDT/")
    page.locator("#chart-error").wait_for(timeout=10_000)
    assert page.locator(".still img").bounding_box() is not None
    assert page.locator("#zone-list tbody tr").count() >= 1
