"""A calculator in the browser: it answers while one types, names errors beside the field, works without scripts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from risk.forms import TOOLS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import Visit
    from tests.world import World

    Open = Callable[..., Visit]

pytestmark = pytest.mark.django_db
# Over the wire, compressed, headers and all, with nothing cached: a member's page, which has more than a stranger's.
BYTES_MOST = 100_000


def test_answer_follows_what_is_typed(visit: Open, world: World) -> None:
    opened = visit()
    page = opened.go("/tools/size/")
    expect(page.locator(".headline b")).to_have_text("0.104 base")
    page.get_by_label("Risk, % of the account").fill("2")
    expect(page.locator(".headline b")).to_have_text("0.209 base")
    expect(page).to_have_url(re.compile("risk=2"))
    page.get_by_label("Stop price").fill("61000")
    expect(page.locator("#id_stop_error")).to_have_text("The stop of a long lies below its entry. Change one of them.")
    page.get_by_label("Stop price").fill("59000")
    expect(page.locator("#id_stop_error")).to_have_text("")
    expect(page.get_by_label("Stop price")).to_be_focused()
    # A refusal is a status, and a request that what was typed next replaced ends early: htmx tells of both.
    told = ("422", "htmx:afterRequest", "htmx:sendAbort")
    assert [problem for problem in opened.problems if not any(one in problem for one in told)] == []


@pytest.mark.parametrize("slug", list(TOOLS))
def test_first_view_weighs_at_most_a_hundred_kilobytes(slug: str, visit: Open, world: World) -> None:
    opened = visit()
    opened.go(f"/tools/{slug}/").wait_for_load_state("networkidle")
    assert sum(opened.weights.values()) <= BYTES_MOST, opened.weights
    assert (opened.problems, opened.foreign) == ([], [])


def test_answer_without_scripts(visit: Open, world: World) -> None:
    opened = visit(scripts=False)
    page = opened.go("/tools/size/")
    page.get_by_label("Risk, % of the account").fill("2")
    page.get_by_role("button", name="Calculate").click()
    expect(page.locator(".headline b")).to_have_text("0.209 base")
