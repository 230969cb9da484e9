"""An asset pair with a venue down, in the browser: the table, the notice, the read-out; with scripts and without."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.management import call_command

from tests.browser.conftest import END, LOOKS, script_of
from tests.browser.test_accessibility import RULES
from tests.world import World, lasting_world, make_pair

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_django import DjangoDbBlocker

    from tests.browser.conftest import Visit

    Open = Callable[..., Visit]

pytestmark = pytest.mark.django_db
KEY = "pair:BTC-USDT"


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """Make a pair in the place of the one market: OKX was heard of last 80 minutes before the end."""
    with lasting_world(django_db_blocker, end=END, make=partial(make_pair, down_hours=4 / 3, hours=240)) as made:
        yield made
    with django_db_blocker.unblock():
        call_command("flush", interactive=False, verbosity=0)


@pytest.mark.parametrize(("theme", "size"), LOOKS)
def test_pair_has_no_violation_and_does_not_widen_the_page(
    theme: str, size: tuple[int, int], visit: Open, world: World
) -> None:
    opened = visit(theme=theme, size=size)
    page = opened.terminal(KEY)
    found = Axe().run(page, options=RULES)
    assert [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found.response["violations"]] == []
    assert opened.problems == []
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]


def test_read_out_says_who_is_missing_from_the_column(visit: Open, world: World) -> None:
    page = visit().terminal(KEY, "?tf=5m")
    page.locator("#chart").focus()
    page.keyboard.press("ArrowLeft")
    page.locator("#read-heat", has_text="partial: without OKX BTC-USDT-SWAP").wait_for()
    for _ in range(3):
        page.keyboard.press("Shift+ArrowLeft")
    assert "partial" not in page.locator("#read-heat").inner_text()


def test_pair_can_be_read_without_scripts(visit: Open, world: World) -> None:
    page = visit(scripts=False).go(f"/t/{KEY}/")
    assert "OKX has been missing since 11:00 UTC" in page.locator(".notices").inner_text()
    assert page.locator("#members tbody tr").count() == 4
    assert page.locator(".still img").evaluate("(image) => image.complete && image.naturalWidth > 0")


def test_a_member_s_age_goes_on_and_ends_its_being_live(visit: Open, world: World) -> None:
    page = visit().terminal(KEY)
    words = page.evaluate(
        """async (path) => {
            const { showMembers } = await import(path);
            const row = document.querySelector('#members tbody tr');
            Object.assign(row.dataset, { asOfMs: 1000000, staleAfterMs: 1075000 });
            const said = (seconds, doubtfulSince) => {
                showMembers({ now: () => 1000000 + seconds * 1000, doubtfulSince });
                const text = (name) => row.querySelector(`[data-${name}]`).textContent;
                return [text('state'), text('age'), row.querySelector('.dot').className];
            };
            return [said(20, null), said(20, 5), said(76, null), said(10, null)];
        }""",
        script_of("members"),
    )
    assert words == [
        ["In", "20 s", "dot dot-ok"],
        ["In", "20 s", "dot"],
        ["In, its data is late", "76 s", "dot dot-warn"],
        ["In", "10 s", "dot dot-ok"],
    ]
