"""Requests for access in a real browser: with and without scripts, and the proof of work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from access.models import Ask, SpentProof
from tests.browser.conftest import PHONE

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.browser.conftest import Visit
    from tests.world import World

    Open = Callable[..., Visit]

pytestmark = pytest.mark.django_db
SHIFT = """() => new Promise(done => {
    let sum = 0;
    new PerformanceObserver(list => list.getEntries().forEach(one => { sum += one.value; }))
        .observe({type: 'layout-shift', buffered: true});
    setTimeout(() => done(sum), 600);
})"""


def send(page: Page, address: str) -> None:
    page.wait_for_timeout(2_100)  # a person takes at least two seconds
    page.fill("#request_address", address)
    page.check("#request_agree")
    page.locator("form.request button[type=submit]").click()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_request_is_sent_from_the_landing_page(scripts: bool, visit: Open, world: World) -> None:
    opened = visit(scripts=scripts, size=PHONE)
    opened.page.context.clear_cookies()
    page = opened.go("/?utm_source=browser")
    if scripts:
        assert page.evaluate(SHIFT) <= 0.02
    send(page, "reader@example.com")
    page.wait_for_url("**/early-access/sent/")
    ask = Ask.objects.order_by("-pk")[0]
    assert (ask.address, ask.data["touch"]["source"]) == ("reader@example.com", "browser")
    assert (opened.problems, opened.foreign) == ([], [])


def test_a_busy_network_is_shown_the_proof_of_work(visit: Open, world: World) -> None:
    opened = visit()
    opened.page.context.clear_cookies()
    page = opened.go("/early-access/")
    for number in range(5):
        send(page, f"{number}@example.com")
        page.locator("h1", has_text="mailbox").or_(page.locator("altcha-widget")).first.wait_for()
        if page.locator("altcha-widget").count():
            break
        page = opened.go("/early-access/")
    page.locator("input[name=altcha]").wait_for(state="attached", timeout=20_000)
    expect(page.locator("input[name=altcha]")).not_to_have_value("", timeout=30_000)
    # What the browser worked out is taken: the request goes through, marked for a look.
    send(page, "proven@example.com")
    page.wait_for_url("**/early-access/sent/")
    ask = Ask.objects.order_by("-pk")[0]
    assert (ask.address, ask.is_suspect) == ("proven@example.com", True)
    assert SpentProof.objects.count() == 1
    assert ([one for one in opened.problems if "422" not in one], opened.foreign) == ([], [])
