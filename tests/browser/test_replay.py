"""Replay, panes and scales as a visitor works them in a real browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import END, PHONE

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.browser.conftest import Visit
    from tests.world import World

    Open = Callable[..., Visit]

pytestmark = pytest.mark.django_db(transaction=False)
FIGURES = ("#strip", "#clusters", "#context-gauge", "#zone-list", "#read-bar")


def figures(page: Page) -> dict[str, str]:
    """Return what the parts of the page say."""
    return {name: page.locator(name).inner_text() for name in FIGURES}


def settle(page: Page) -> str:
    """Wait until figures and chart show the moment that the address names, and return it [ms]; empty is now."""
    at = str(page.locator("#terminal").get_attribute("data-at"))
    page.locator(f'#strip[data-at="{at}"]').wait_for(timeout=20_000)
    page.locator(f'#terminal[data-drawn-at="{at}"]').wait_for(timeout=20_000)
    return at


def test_replay_by_slider_keys_and_link_shows_one_and_the_same_page(visit: Open, world: World) -> None:
    opened = visit()
    page = opened.terminal()
    now = figures(page)
    slider = page.get_by_role("slider", name="Moment shown")
    slider.focus()
    for _ in range(6):
        page.keyboard.press("ArrowLeft")
    settle(page)
    page.locator("#chart").focus()
    page.keyboard.press("[")
    at = settle(page)
    assert re.fullmatch(r"As known 15 Jan, 0\d:00 UTC", page.locator("#replay-text").inner_text())
    then = figures(page)
    assert all(then[name] != now[name] for name in FIGURES)
    assert "at=2026-01-15T0" in page.url
    shared = visit()
    copy = shared.terminal(query="?" + page.url.partition("?")[2])
    assert (settle(copy), figures(copy)) == (at, then)
    page.get_by_role("link", name="Back to now").click()
    assert settle(page) == ""
    assert figures(page) == now
    assert "at=" not in page.url
    assert (opened.problems, shared.problems, opened.foreign) == ([], [], [])


def test_play_moves_the_page_on_until_it_is_stopped(visit: Open, world: World) -> None:
    page = visit().terminal(query=f"?at={END:%Y-%m-%d}T02:00Z")
    page.get_by_role("button", name="Play replay").click()
    page.locator("#replay-text", has_text="04:00").wait_for(timeout=20_000)
    page.get_by_role("button", name="Pause replay").click()
    assert page.get_by_role("button", name="Play replay").get_attribute("aria-pressed") == "false"


def test_replay_needs_no_scripts(visit: Open, world: World) -> None:
    page = visit(scripts=False).go("/t/binance:BTCUSDT/")
    now = page.locator("#strip").inner_text()
    page.get_by_label("As known at, UTC").fill("2026-01-14T12:00")
    page.get_by_role("button", name="Show").click()
    assert "As known 14 Jan 12:00 UTC" in page.locator("#replay").inner_text()
    assert page.locator("#strip").inner_text() != now
    assert "&at=" in str(page.locator(".still img").get_attribute("src"))


def test_panes_are_chosen_and_remembered(visit: Open, world: World) -> None:
    opened = visit()
    page = opened.terminal()
    assert [one.inner_text() for one in page.locator(".pane-label b").all()] == [
        "Open interest",
        "Funding",
        "Cumulative volume delta",
    ]
    page.get_by_role("button", name="Panes").click()
    page.get_by_label("Realised volatility").check()
    page.get_by_label("Liquidations", exact=True).check()
    page.get_by_label("Funding").uncheck()
    page.keyboard.press("Escape")
    page.reload()
    page.locator('#terminal[data-drawn="true"]').wait_for(state="attached")
    labels = [one.inner_text() for one in page.locator(".pane-label").all()]
    assert labels[0].startswith("Open interest")
    assert re.search(r"Realised volatility.*\d+%$", " ".join(labels[2].split()))
    assert "none reported" in labels[3]
    assert opened.problems == []


@pytest.mark.parametrize("size", [(1440, 900), PHONE])
def test_scale_is_moved_and_given_back(size: tuple[int, int], visit: Open, world: World) -> None:
    opened = visit(size=size)
    page = opened.terminal()
    own, ticks = page.locator("#own-scale"), page.locator(".ticks").first
    before = ticks.inner_text()
    page.get_by_role("button", name="Scale", exact=True).click()
    page.get_by_label("Ceiling").focus()
    for _ in range(8):
        page.keyboard.press("ArrowRight")
    assert own.is_visible()
    assert ticks.inner_text() != before
    page.get_by_label("Logarithmic price").check()
    page.get_by_label("One hue for both sides").check()
    assert page.locator("html").get_attribute("data-hue") == "one"
    page.get_by_role("button", name="Scale of this instrument").click()
    assert (own.is_visible(), ticks.inner_text()) == (False, before)
    assert opened.problems == []
