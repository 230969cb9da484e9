"""The screener and alerts as a member uses them: filter, sort, ask to be told, and be told."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from django.core.management import call_command
from django.db import connection

from alerts.operations import look
from heatmaps.operations import stand
from tests.browser.conftest import END, PHONE
from tests.world import World, lasting_world, make_world

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page
    from pytest_django import DjangoDbBlocker

    from tests.browser.conftest import Visit

    Open = Callable[..., Visit]

pytestmark = pytest.mark.django_db


def make_two(*, end: dt.datetime) -> World:
    """Store BTC, which is live, and ETH, which is history."""
    worlds = [make_world(end=end, symbol=symbol, is_live=symbol == "BTCUSDT") for symbol in ("BTCUSDT", "ETHUSDT")]
    for one in worlds:
        stand(instrument_id=one.instrument.pk, now=end)
    return worlds[0]


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    with lasting_world(django_db_blocker, end=END, make=make_two) as made:
        yield made
    with django_db_blocker.unblock():
        call_command("flush", interactive=False, verbosity=0)


def names(page: Page) -> list[str]:
    return [text.split("\n")[0] for text in page.locator("tbody th").all_inner_texts()]


def test_filtering_and_sorting_swap_the_table_and_keep_the_address(visit: Open, world: World) -> None:
    opened = visit()
    page = opened.go("/screener/?sort=name")
    page.evaluate("() => { document.body.dataset.kept = 'yes'; }")
    page.get_by_label("Name").fill("eth")
    page.get_by_label("Name").press("Enter")
    page.wait_for_url("**/screener/?text=eth&**")
    page.get_by_text("1 instrument").wait_for()
    assert names(page) == ["ETH-USDT"]
    page.get_by_label("Name").fill("")
    page.get_by_label("Name").press("Enter")
    page.get_by_text("2 instruments").wait_for()
    page.get_by_role("link", name="Instrument").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**sort=-name**")
    page.locator('th[aria-sort="descending"]').wait_for()
    assert page.evaluate("document.activeElement.id") == "sort-name"
    assert page.evaluate("document.body.dataset.kept") == "yes"
    assert opened.problems == []
    assert opened.foreign == []


def test_without_scripts_the_filter_is_a_form_and_the_order_a_link(visit: Open, world: World) -> None:
    page = visit(scripts=False).go("/screener/")
    page.get_by_label("Name").fill("eth")
    page.get_by_role("button", name="Apply").click()
    assert names(page) == ["ETH-USDT"]
    page.get_by_role("link", name="Clear").click()
    page.get_by_role("link", name="Instrument").click()
    page.wait_for_url("**sort=name**")
    assert sorted(names(page)) == ["BTC-USDT", "ETH-USDT"]
    page.locator("tbody td a").first.click()
    page.wait_for_url("**/zones/*/")


def test_on_a_phone_the_table_is_cards_that_can_be_sorted_and_nothing_scrolls_sideways(
    visit: Open, world: World
) -> None:
    opened = visit(size=PHONE)
    page = opened.go("/screener/?sort=name")
    widths = "() => [document.documentElement, ...document.querySelectorAll('.table-scroll')].map(e => e.scrollWidth)"
    assert max(page.evaluate(widths)) <= PHONE[0]
    assert page.locator("tbody tr").first.locator("[data-l=Lean]").is_visible()
    page.get_by_role("link", name="Instrument").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**sort=-name**")
    assert opened.problems == []


def elsewhere(work: Callable[[], object]) -> None:
    """Do work as another process would: on a connection of its own that commits."""

    def run() -> None:
        work()
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


@pytest.mark.parametrize("scripts", [True, False])
def test_an_alert_is_set_and_received(scripts: bool, visit: Open, world: World) -> None:
    opened = visit(scripts=scripts, size=PHONE if scripts else (1440, 900))
    page = opened.go("/alerts/?instrument=binance:BTCUSDT")
    page.get_by_label("Tell me when").select_option("near")
    page.get_by_label("Threshold, %").fill("45")
    page.get_by_role("button", name="Save alert").click()
    page.get_by_text("Alert saved").wait_for()
    page.locator(".rules").get_by_text("Price within 45% of a zone").first.wait_for()
    elsewhere(lambda: look(instrument_id=world.instrument.pk, now=END))
    page.reload()
    assert page.locator(".notices li").count() > 0
    said = page.locator(".notices li p").first.inner_text()
    assert said.startswith("BTC-USDT at Binance: price is ")
    assert "80% interval" in said
    page.get_by_role("button", name="Mark all as read").click()
    page.get_by_text("unread").first.wait_for(state="detached")
    page.get_by_role("button", name="Remove").first.click()
    page.get_by_text("Alert removed").wait_for()
    assert opened.problems == []
