"""States of pages, not only pages: menus, dialogs, replay, rivals, stale, empty and broken ones, without a violation.

One page goes through many states, because opening it takes longer than judging it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from axe_playwright_python.sync_playwright import Axe

from heatmaps import operations as heatmaps
from tests.browser.conftest import END, LOOKS
from tests.browser.test_accessibility import RULES, TERMINAL
from tests.factories import make_instrument
from tests.world import add_bars

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page
    from pytest_django import DjangoDbBlocker

    from tests.browser.conftest import Visit
    from tests.world import World

    Open = Callable[..., Visit]

pytestmark = pytest.mark.django_db
# What a page says of itself, by its address.
TOLD: Final = {
    "/t/binance:ETHUSDT/": "Data is",
    "/t/binance:SOLUSDT/": "No data yet",
    "/t/binance:XRPUSDT/": "No estimate yet",
    f"{TERMINAL}changes/": "What changed",
    f"{TERMINAL}table/": "The heat as a table",
    "/screener/?coverage=99&q=nothing": "",
    "/screener/?page=x": "",
    "/zones/?instrument=binance:NOPE": "",
    "/t/binance:NOPE/": "There is nothing here",
    "/plans/?state=closed": "No plan is in this state",
}


@pytest.fixture(scope="module")
def states(world: World, django_db_blocker: DjangoDbBlocker) -> World:
    """Add instruments that are stale, empty and without an estimate."""
    with django_db_blocker.unblock():
        stale = make_instrument(symbol="ETHUSDT", is_live=True)
        add_bars(instrument=stale, end=END, hours=30)
        heatmaps.advance(instrument_id=stale.pk, now=END)
        make_instrument(symbol="SOLUSDT", is_live=True)
        add_bars(instrument=make_instrument(symbol="XRPUSDT"), end=END, hours=30)
    return world


def judged(page: Page, state: str) -> list[tuple[str, str, list[str]]]:
    """Return what axe holds against a page in a state."""
    found = Axe().run(page, options=RULES).response["violations"]
    return [(state, one["id"], [node["html"][:160] for node in one["nodes"]]) for one in found]


@pytest.mark.parametrize(("theme", "size"), LOOKS)
def test_states_of_the_terminal(theme: str, size: tuple[int, int], visit: Open, world: World) -> None:
    opened = visit(theme=theme, size=size)
    page, found = opened.terminal(), []
    for name in ("Map", "Panes", "Scale"):
        page.get_by_role("button", name=name, exact=True).click()
        if name == "Panes":
            for pane in page.locator("[data-pane]").all():
                pane.check()
        found += judged(page, name)
        page.keyboard.press("Escape")
    for mode in ("other", "difference"):
        page.get_by_role("button", name="Map", exact=True).click()
        page.locator(f'[name="map-mode"][value="{mode}"]').check()
        page.keyboard.press("Escape")
        page.wait_for_timeout(200)
        found += judged(page, mode)
    page.locator("#chart").focus()
    page.keyboard.press("?")
    found += judged(page, "help")
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowLeft")
    page.locator("#chart").press("[")
    page.locator("#replay.is-past").wait_for()
    page.get_by_role("link", name="Bands of price by moments").click()
    page.locator("#twin table").wait_for()
    found += judged(page, "replay with the table")
    assert (found, opened.problems, opened.foreign) == ([], [], [])


@pytest.mark.parametrize(("theme", "size"), LOOKS)
def test_states_of_pages(theme: str, size: tuple[int, int], visit: Open, states: World) -> None:
    opened, found = visit(theme=theme, size=size), []
    for address, told in TOLD.items():
        page = opened.go(address)
        assert told in page.locator("body").inner_text()
        found += judged(page, address)
    said_of(opened, found)


@pytest.mark.parametrize(("theme", "size"), LOOKS)
def test_terminal_without_its_chart(theme: str, size: tuple[int, int], visit: Open, states: World) -> None:
    opened = visit(theme=theme, size=size)
    opened.page.route("**/lightweight-charts*", lambda route: route.abort())
    page = opened.go(TERMINAL)
    page.locator("#chart-error").wait_for()
    said_of(opened, judged(page, "without the chart's library"))


def said_of(opened: Visit, found: list[tuple[str, str, list[str]]]) -> None:
    """Assert that nothing was found, and that nothing unexpected was said or asked for."""
    # Refused addresses and the library that was kept away are told to the console, nothing else is.
    expected = ("status of 404", "status of 400", "ERR_FAILED", "The chart could not be started")
    assert [one for one in opened.problems if not any(part in one for part in expected)] == []
    assert (found, opened.foreign) == ([], [])
