"""A full scorecard: no axe violation, no breach of the policy, no sideways scroll, in both themes and two sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client

from tests.browser.conftest import LOOKS
from tests.browser.test_accessibility import RULES
from tests.web.scored import fill

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_django import Settings

    from tests.browser.conftest import Visit
    from tests.world import World

    Open = Callable[..., Visit]

pytestmark = pytest.mark.django_db


@pytest.fixture
def collected(static_root: Path, settings: Settings) -> None:
    """Name the static files that the server has collected."""
    settings.STATIC_ROOT = str(static_root / "static")


@pytest.mark.usefixtures("collected")
@pytest.mark.parametrize(("theme", "size"), LOOKS)
def test_full_page_has_no_violation(theme: str, size: tuple[int, int], visit: Open, world: World) -> None:
    """Score runs can not be taken back, so they live in this test's transaction and their page is handed over."""
    fill(world.instrument)
    answer = Client(headers={"Cookie": f"theme={theme}"}).get("/scorecard/")
    opened = visit(theme=theme, size=size)
    opened.page.route(
        "**/scorecard/", lambda route: route.fulfill(body=answer.content, headers=dict(answer.headers.items()))
    )
    page = opened.go("/scorecard/")
    page.locator("summary").first.click()
    found = Axe().run(page, options=RULES)
    assert [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found.response["violations"]] == []
    assert page.locator(".diagrams svg").count() == 4
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert (opened.problems, opened.foreign) == ([], [])
