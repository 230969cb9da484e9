"""The pages for staff in a real browser: no axe violation, nothing wider than the window, and news by themselves."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

from market.models import VenueState
from tests.browser.conftest import LOOKS
from tests.browser.test_accessibility import RULES
from tests.factories import make_user
from tests.market.states import make_states
from tests.pages import client_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import Visit

    Open = Callable[..., Visit]

pytestmark = pytest.mark.django_db(transaction=True)
PAGES = (
    "/data/",
    "/data/?days=90&shown=all",
    "/data/quarantine/",
    "/data/quarantine/?state=released",
    "/data/quarantine/decide/?reason=the+price+leaps",
    "/instruments/",
)


@pytest.fixture
def world(transactional_db: None) -> None:
    make_states(now=dt.datetime.now(dt.UTC))


@pytest.fixture
def session_cookie(world: None) -> str:
    return str(client_of(make_user(is_staff=True)).cookies["sessionid"].value)


@pytest.mark.parametrize(("theme", "size"), LOOKS)
def test_pages_for_staff_have_no_violation(theme: str, size: tuple[int, int], visit: Open) -> None:
    opened = visit(theme=theme, size=size)
    for address in PAGES:
        page = opened.go(address)
        found = Axe().run(page, options=RULES)
        violations = [
            (one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found.response["violations"]
        ]
        assert (address, violations) == (address, [])
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert (opened.problems, opened.foreign) == ([], [])


def test_strips_are_told_apart_without_colour(visit: Open) -> None:
    page = visit().go("/data/")
    fills = page.evaluate("[...document.querySelectorAll('.strip rect')].map((rect) => getComputedStyle(rect).fill)")
    patterns = {f'url("#{state}")' for state in ("waiting", "absent", "lost", "unknown")}
    assert patterns <= set(fills)
    assert len(set(fills)) == len(patterns) + 1


def test_venues_come_again_by_themselves(visit: Open) -> None:
    opened = visit()
    page = opened.go("/data/")
    assert page.locator("#venues .badge-bad").count() == 2
    VenueState.objects.filter(venue="bybit").update(unreachable_since=None, retry_at=None)
    page.evaluate("htmx.ajax('GET', '/data/venues/', {target: '#venues', swap: 'outerHTML'})")
    page.locator("#venues .badge-ok").nth(1).wait_for()
    assert (page.locator("#venues").count(), opened.problems) == (1, [])


def test_rows_are_released_without_scripts(visit: Open) -> None:
    page = visit(scripts=False).go("/data/quarantine/")
    page.get_by_role("link", name="Decide about 3 rows: the price leaps, binance:BTCUSDT").click()
    page.get_by_role("button", name="Release 3 rows").click()
    assert page.get_by_text("3 rows were released.").count() == 1


def test_the_real_server_tells_its_metrics_on_this_machine(visit: Open) -> None:
    opened = visit()
    answer = opened.page.request.get(f"{opened.origin}/metrics")
    assert (answer.status, 'bh_venue_banned{venue="okx"} 1.0' in answer.text()) == (200, True)
    assert opened.page.request.get(f"{opened.origin}/metrics", headers={"X-Forwarded-For": "192.0.2.7"}).status == 404
