"""A plan goes from its zone to the statistics by forms and links alone, without scripts and with them."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.db import connection

from journal.models import Plan
from tests.browser.conftest import PHONE
from tests.browser.plan_walk import Walk, pictures, review, take_in_trades, write_and_arm
from tests.factories import make_user
from tests.journal.test_settling import MINUTE, add, first_minute, settle
from tests.pages import client_of
from tests.world import World, armed_world

pytestmark = pytest.mark.django_db

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page
    from pytest_django import DjangoDbBlocker

    from access.models import User
    from heatmaps.models import Zone
    from tests.browser.conftest import Visit


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "scripted"])
def scripts(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(scope="module")
def market(scripts: bool, django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    with armed_world(django_db_blocker) as world:
        yield world


@pytest.fixture(scope="module")
def trader(market: World, django_db_blocker: DjangoDbBlocker) -> User:
    with django_db_blocker.unblock():
        return make_user()


@pytest.fixture(scope="module")
def session_cookie(trader: User, django_db_blocker: DjangoDbBlocker) -> str:
    with django_db_blocker.unblock():
        return str(client_of(trader).cookies["sessionid"].value)


def fits(page: Page, name: str) -> None:
    """See that nothing is wider than a phone; with BH_PICTURES=DIRECTORY pictures are left of each step."""
    if directory := os.environ.get("BH_PICTURES"):
        pictures(Path(directory))(page, name)
    wide = page.viewport_size
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    assert (name, page.evaluate("document.documentElement.scrollWidth")) == (name, PHONE[0])
    assert wide is not None
    page.set_viewport_size(wide)


def play(zone: Zone, start: dt.datetime, last: float) -> None:
    """Let price enter and reach the target."""
    rows = [(last, last * 1.001, last * 0.9995, last * 1.0008), (last * 1.0008, last * 1.004, last, last * 1.004)]
    add(zone, start, rows)
    settle(zone, start + 10 * MINUTE)
    connection.close()


def test_a_plan_goes_from_its_zone_to_the_statistics(
    visit: Callable[..., Visit], market: World, trader: User, scripts: bool
) -> None:
    opened = visit(scripts=scripts, theme="")
    walk = Walk(opened.page, opened.origin, "BTCUSDT", fits)
    zone = market.zone
    last = write_and_arm(walk, f"/zones/{zone.pk}/")
    plan = Plan.objects.owned_by(trader.pk).get()
    start = first_minute(plan)
    with ThreadPoolExecutor(1) as beside:  # what this thread writes is its transaction's, and hidden from the server
        beside.submit(play, zone, start, last).result()
    assert plan.armed_at is not None
    # Bars may be made of minutes to come, trades not: this trader was early.
    take_in_trades(walk, f"/plans/{plan.number}/", plan.armed_at, (last * 1.0002, last * 1.003))
    review(walk, f"/plans/{plan.number}/")
    assert len(walk.steps) >= 16
    # The form with something wrong is answered 422, which a browser notes; nothing else goes wrong.
    assert ([one for one in opened.problems if "422" not in one], opened.foreign) == ([], [])
