"""The whole way in, in a real browser, with and without scripts: request, mail, wave, account, first plan."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from access.early import asking, waves
from access.mail.sending import send_due
from access.models import Signup
from journal.models import Plan
from market.models import Instrument
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.test_accessibility import RULES
from tests.factories import make_user
from tests.pages import client_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.browser.conftest import Visit
    from tests.world import World

    Open = Callable[..., Visit]

pytestmark = pytest.mark.django_db
PASSWORD = "a sentence is better"


def aside(act: Callable[[], Any]) -> Any:  # noqa: ANN401  # whatever it returns
    """Do something beside the test's transaction, so that the server sees it; it goes with the world."""

    def acted() -> Any:  # noqa: ANN401  # as above
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as worker:
        return worker.submit(acted).result()


@pytest.fixture
def desk(visit: Open, world: World) -> Page:
    """Open the operator's browser."""
    opened = visit(size=DESKTOP)
    email = f"boss{timezone.now():%H%M%S%f}@example.com"
    aside(lambda: Instrument.objects.update(is_live=True))
    cookie = aside(lambda: client_of(make_user(email=email, is_staff=True)).cookies["sessionid"].value)
    opened.page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": opened.origin}])
    return opened.go("/early-access/operator/")


def work() -> None:
    """Do what the workers do each minute."""
    asking.answer(now=timezone.now())
    waves.advance(now=timezone.now())
    with override_settings(EMAIL_BACKEND="access.mail.local.LocalBackend"):
        send_due()


def read_mail(desk: Page, address: str) -> str:
    """Return where the newest mail to an address leads, as the operator reads it."""
    aside(work)
    origin = re.match(r"https?://[^/]+", desk.url)
    assert origin is not None
    desk.goto(f"{origin[0]}/outbox/")
    desk.locator("main tr", has_text=address).first.locator("a").first.click()
    found = re.search(r"https?://[^/\s]+(/early-access/(?:confirm|invite)/\S+)", desk.locator("main").inner_text())
    assert found is not None
    return found[1]


def send_wave(desk: Page) -> None:
    """Invite who waits, in two steps."""
    desk.goto(re.sub(r"/outbox/.*", "/early-access/operator/", desk.url))
    desk.locator("details:has(#wave_name) > summary").click()
    desk.fill("#wave_name", "first")
    desk.fill("#wave_size", "10")
    desk.locator("form:has(#wave_name) button").click()
    count = re.search(r"invite now: (\d+)", desk.locator("main").inner_text())
    assert count is not None
    desk.fill("[name=count]", count[1])
    desk.fill("form:has([name=count]) [name=reason]", "first readers")
    desk.locator("form:has([name=count]) button").click()
    desk.locator(".badge", has_text="Scheduled").wait_for()
    desk.goto(re.sub(r"/early-access/.*", "/outbox/", desk.url))


def press(page: Page, form: str = "main form") -> None:
    page.locator(f"{form} button").first.click()
    page.wait_for_load_state()


def look(page: Page) -> list[str]:
    """Return what axe finds on a page."""
    return [one["id"] for one in Axe().run(page, options=RULES).response["violations"]]


@pytest.mark.parametrize("scripts", [True, False])
def test_from_the_landing_page_to_a_first_plan(scripts: bool, visit: Open, world: World, desk: Page) -> None:
    address = f"reader{scripts:d}@example.com"
    opened = visit(scripts=scripts, size=PHONE)
    opened.page.context.clear_cookies()
    page = opened.go("/")
    page.wait_for_timeout(2_100)  # a person takes at least two seconds
    page.fill("#request_address", address)
    page.check("#request_agree")
    press(page, "form.request")
    opened.go(read_mail(desk, address))
    press(page)
    send_wave(desk)
    opened.go(read_mail(desk, address))
    press(page)
    assert page.locator("#id_email").input_value() == address
    assert not scripts or look(page) == []
    page.fill("#id_password1", PASSWORD)
    press(page)
    page.locator("input[name=pair]").first.check()
    press(page, "form:has(input[name=pair])")
    press(page, "form[action='/welcome/read/']")
    page.locator("a[href^='/plans/new/']").click()
    page.locator("label", has_text="Observe").first.click()
    page.fill("#id_thesis", "Price meets the zone and turns. If it goes through, I was wrong.")
    page.locator("main form button[type=submit]").last.click()
    page.wait_for_url("**/plans/1/")
    user = Signup.objects.get(address=address, state="accepted").user
    assert user is not None
    assert Plan.objects.owned_by(user.pk).get().direction == "observe"
    assert (opened.problems, opened.foreign) == ([], [])
