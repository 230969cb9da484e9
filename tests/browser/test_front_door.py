"""The whole way in, in a real browser, with and without scripts: request, mail, wave, account, first plan."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
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
from tests.browser.door_walk import Newcomer
from tests.browser.plan_walk import pictures
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


def look(page: Page) -> list[str]:
    """Return what axe finds on a page."""
    return [one["id"] for one in Axe().run(page, options=RULES).response["violations"]]


@pytest.mark.parametrize("scripts", [True, False])
def test_from_the_landing_page_to_a_first_plan(scripts: bool, visit: Open, world: World, desk: Page) -> None:
    address = f"reader{scripts:d}@example.com"
    opened = visit(scripts=scripts, size=PHONE)
    opened.page.context.clear_cookies()

    def see(page: Page, step: str) -> None:
        if directory := os.environ.get("BH_PICTURES"):
            pictures(Path(directory) / f"scripts-{scripts:d}")(page, step)
        assert not scripts or (step, look(page)) == (step, [])

    walk = Newcomer(opened.page, desk, opened.origin, address, lambda: aside(work), see)
    walk.walk()
    assert len(walk.steps) == 17
    user = Signup.objects.get(address=address, state="accepted").user
    assert user is not None
    assert Plan.objects.owned_by(user.pk).get().direction == "observe"
    assert (opened.problems, opened.foreign) == ([], [])
