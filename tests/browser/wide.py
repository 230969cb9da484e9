"""A chart whose window holds 10,000 candles and 2,000 bins, which is farther out than a visitor can zoom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

# The narrowest bar of the page's script, and one that lets 10,000 in [px].
LIMIT, NARROW = "minBarSpacing: 0.25", "minBarSpacing: 0.0795"
SETTLED_MS: Final = 2500


def let_narrow(page: Page) -> None:
    """Let bars of this page be narrower than its script allows."""
    page.route("**/*.js", _narrow)


def _narrow(route: Route) -> None:
    answer = route.fetch()
    headers = {name: value for name, value in answer.headers.items() if not name.startswith("content-")}
    kind = answer.headers["content-type"]
    route.fulfill(body=answer.text().replace(LIMIT, NARROW), headers={**headers, "content-type": kind})


def widen(page: Page) -> None:
    """Pull prices together along their axis, zoom out, and go to the newest bar."""
    box = page.locator("#chart").bounding_box()
    assert box is not None
    axis, middle = box["x"] + box["width"] - 30, box["y"] + box["height"] / 3
    for _ in range(3):
        page.mouse.move(axis, middle - 80)
        page.mouse.down()
        page.mouse.move(axis, middle + 120, steps=6)
        page.mouse.up()
    page.mouse.move(box["x"] + box["width"] * 0.8, middle)
    for _ in range(40):
        page.mouse.wheel(0, 240)
    page.wait_for_timeout(SETTLED_MS)
    page.locator("#chart").focus()
    page.keyboard.press("End")
    page.wait_for_timeout(SETTLED_MS)
