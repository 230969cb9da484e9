"""Every page, in both themes and two sizes: no axe violation, no breach of the policy, nothing from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import LOOKS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import Visit
    from tests.world import World

    Open = Callable[..., Visit]

pytestmark = pytest.mark.django_db
TERMINAL = "/t/binance:BTCUSDT/"
PAGES = (
    "/",
    "/method/",
    "/glossary/",
    "/welcome/",
    "/early-access/sent/",
    "/early-access/yours/x/",
    "/research/",
    "/research/reading-the-scorecard/",
    "/scorecard/",
    "/instruments/",
    "/screener/",
    "/screener/?view=pictures",
    "/zones/",
    TERMINAL,
    f"{TERMINAL}rivals/?a=open-interest&b=volume-profile",
    "zone",
    "/alerts/",
    "/plans/",
    "plan",
    "/account/",
    "/account/security/",
    "/account/sessions/",
    "/account/preferences/",
    "/tools/",
    "/tools/size/",
    "/tools/ruin/",
    "/nowhere/",
)
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def address(page: str, world: World) -> str:
    zone = world.zone.pk
    return {"zone": f"/zones/{zone}/", "plan": f"/plans/new/?zone={zone}"}.get(page, page)


@pytest.mark.parametrize(("theme", "size"), LOOKS)
@pytest.mark.parametrize("name", PAGES)
def test_page_has_no_violation(name: str, theme: str, size: tuple[int, int], visit: Open, world: World) -> None:
    opened = visit(theme=theme, size=size)
    page = opened.terminal() if name == TERMINAL else opened.go(address(name, world))
    found = Axe().run(page, options=RULES)
    assert [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found.response["violations"]] == []
    expected = ["404"] if name == "/nowhere/" else []
    assert [problem for problem in opened.problems if not any(code in problem for code in expected)] == []
    assert opened.foreign == []


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("name", ["/login/", "/reset/", "/", "/early-access/"])
def test_page_of_strangers_has_no_violation(name: str, theme: str, visit: Open, world: World) -> None:
    opened = visit(theme=theme)
    opened.page.context.clear_cookies()
    page = opened.go(name)
    found = Axe().run(page, options=RULES)
    assert [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found.response["violations"]] == []
    assert (opened.problems, opened.foreign) == ([], [])


def test_a_breach_of_the_policy_is_noticed(visit: Open, world: World) -> None:
    opened = visit()
    page = opened.go("/")
    page.evaluate("() => { const p = document.createElement('p'); p.setAttribute('style', 'color: red'); }")
    page.wait_for_timeout(100)
    assert any("style-src" in problem for problem in opened.problems)
