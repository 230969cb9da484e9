"""The journal with something in it: plans, what the path made of them, trades and reviews."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import transaction

from journal import operations, queries
from market.queries import load_bars
from tests.browser.conftest import DESKTOP, LOOKS, PHONE
from tests.browser.test_accessibility import RULES
from tests.factories import make_plan, make_user
from tests.journal.test_results import closed
from tests.journal.test_settling import add, first_minute, settle
from tests.journal.test_trades import binance, line, take
from tests.pages import client_of
from tests.world import World, armed_world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_django import DjangoDbBlocker

    from journal.models import Plan
    from tests.browser.conftest import Visit

    Open = Callable[..., Visit]

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)
# Words of the scatter that lie on one of its marks, and how many marks it has.
COVERED = """() => {
  const boxes = (what) => [...document.querySelectorAll(what)].map((one) => [one, one.getBoundingClientRect()]);
  const marks = boxes(".scatter g");
  const meets = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  const words = boxes(".scatter text").filter(([, box]) => marks.some(([, mark]) => meets(box, mark)));
  return [marks.length, words.map(([one]) => one.textContent)];
}"""
DAYS = dt.timedelta(days=1)


@dataclass(frozen=True)
class Journal:
    """A member's journal, and the pages that show it."""

    cookie: str
    pages: tuple[str, ...]


@pytest.fixture(scope="module")
def journal(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Journal]:
    with armed_world(django_db_blocker) as world:
        with django_db_blocker.unblock():
            made = fill_journal(world)
        yield made


@pytest.fixture(scope="module")
def session_cookie(journal: Journal) -> str:
    return journal.cookie


def fill_journal(world: World) -> Journal:
    """Write a plan with a trade and a draft with a review to come, after sixty plans that have ended."""
    owner, now, zone = make_user(), dt.datetime.now(dt.UTC), world.zone
    plan = make_plan(owner=owner, zone=zone, expires_at=now + 10 * DAYS, thesis="The zone holds.")
    last = Decimal(
        str(load_bars(instrument_id=world.instrument.pk, since=now - DAYS, until=now, timeframe=300)["close"][-1])
    )
    plan.entry, plan.invalidation = round(last * Decimal("0.99"), 1), round(last * Decimal("0.98"), 1)
    plan.targets = [[str(round(last * Decimal("1.02"), 1)), "0.5"], [str(round(last * Decimal("1.04"), 1)), "0.5"]]
    plan.equity, plan.belief_pct = Decimal(10_000), 55
    plan.save()
    operations.arm_plan(owner_id=owner.pk, number=plan.number, now=now)
    trade = trade_it(world, plan, float(last))
    make_plan(owner=owner, zone=zone, expires_at=now + 10 * DAYS, number=2)
    with transaction.atomic():
        closed(owner, zone, [(1.8, 1.8), (-1.0, -1.0), (-1.0, 1.2)] * 20, "retest", first=10)
    file = queries.list_files(owner_id=owner.pk)[0]
    cookie = str(client_of(owner).cookies["sessionid"].value)
    pages = (
        "/plans/", "/plans/1/", "/plans/1/review/", "/plans/2/", "/trades/",
        "/trades/fills/new/", f"/trades/{trade}/", "/trades/files/",
        f"/trades/files/{file.pk}/", "/review/", "/review/course/", "/review/calendar/", "/review/week/",
    )  # fmt: skip
    return Journal(cookie, pages)


def trade_it(world: World, plan: Plan, last: float) -> int:
    """Let the price fall to the entry and rise to the targets, with a trade on the way; return the trade's key."""
    plan.refresh_from_db()
    start = first_minute(plan)
    add(world.zone, start, [(last, last, last * 0.985, last), (last, last * 1.05, last, last * 1.05)])
    settle(world.zone, start + 10 * MINUTE)
    at = start + MINUTE / 2
    rows = (
        line(at, "BUY", f"{last * 0.991:.1f}", "0.05", 1),
        line(at + MINUTE, "SELL", f"{last * 1.02:.1f}", "0.05", 2),
    )
    take(plan.owner, binance(*rows), start + 60 * MINUTE)
    return queries.trades_of_plan(owner_id=plan.owner_id, plan_id=plan.pk)[0].pk


@pytest.mark.parametrize(("theme", "size"), LOOKS)
def test_pages_have_no_violation(size: tuple[int, int], theme: str, visit: Open, journal: Journal) -> None:
    opened = visit(theme=theme, size=size)
    for path in journal.pages:
        page = opened.go(path)
        found = Axe().run(page, options=RULES)
        said = [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found.response["violations"]]
        assert (path, said) == (path, [])
        assert (path, page.evaluate("document.documentElement.scrollWidth")) == (path, size[0])
        assert (path, opened.problems, opened.foreign) == (path, [], [])


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_no_word_lies_on_a_mark(size: tuple[int, int], visit: Open, journal: Journal) -> None:
    opened = visit(theme="dark", size=size)
    assert opened.go("/review/").evaluate(COVERED) == [61, []]
    if directory := os.environ.get("BH_PICTURES"):
        opened.page.locator(".scatter").screenshot(path=f"{directory}/scatter-{size[0]}.png")
