"""Draw pages and their states to look at: ``python -m tests.browser.looks URL LOGIN-LINK VENUE:SYMBOL DIRECTORY``.

Needs a running ``manage.py up``, one unused login link and an instrument with a map. What the data decides (stale,
without data, without an estimate) is drawn of the instruments that are named after the directory.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from playwright.sync_api import sync_playwright

from tests.browser.measure import FLAGS, NAMES, signed_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from playwright.sync_api import BrowserContext, Page

    State = Callable[[Page], None]

SIZES: Final = ((1440, 900), (1920, 1080), (390, 844))
THEMES: Final = ("dark", "light")
# Until a page that has nothing to wait for stands, and until the server's picture takes the chart's place [ms].
PAUSE_MS, LATE_MS = 700, 7000


def nothing(page: Page) -> None:
    """Leave a page as it opens."""
    page.wait_for_timeout(PAUSE_MS)


def drawn(page: Page) -> None:
    """Wait for a terminal's heat."""
    page.locator('#terminal[data-drawn="true"]').wait_for(state="attached", timeout=60_000)
    page.wait_for_timeout(PAUSE_MS)


def menu(name: str) -> State:
    """Return what opens a menu of the terminal."""

    def do(page: Page) -> None:
        drawn(page)
        page.get_by_role("button", name=name, exact=True).click()

    return do


def mode(name: str) -> State:
    """Return what chooses another map."""

    def do(page: Page) -> None:
        menu("Map")(page)
        page.locator(f'[name="map-mode"][value="{name}"]').check()
        page.keyboard.press("Escape")
        page.wait_for_timeout(PAUSE_MS)

    return do


def panes(page: Page) -> None:
    """Show every pane."""
    menu("Panes")(page)
    for pane in page.locator("[data-pane]").all():
        pane.check()
    page.keyboard.press("Escape")
    page.wait_for_timeout(PAUSE_MS)


def keys(*pressed: str) -> State:
    """Return what presses keys on the chart."""

    def do(page: Page) -> None:
        drawn(page)
        page.locator("#chart").focus()
        for key in pressed:
            page.keyboard.press(key)
        page.wait_for_timeout(PAUSE_MS)

    return do


def without(pattern: str) -> State:
    """Return what opens a page again while some of what it asks for never comes."""

    def do(page: Page) -> None:
        page.route(pattern, lambda _: None)
        page.reload(wait_until="domcontentloaded")
        page.wait_for_timeout(LATE_MS)

    return do


def states(key: str, zone: str) -> Mapping[str, tuple[str, State]]:
    """Return address and state of each picture by its name."""
    terminal = f"/t/{key}/"
    return {
        "terminal": (terminal, drawn), "replay": (terminal, keys("[", "[")), "panes": (terminal, panes),
        "readout": (terminal, keys(*["ArrowLeft"] * 9, *["ArrowUp"] * 5)), "help": (terminal, keys("?")),
        "other": (terminal, mode("other")), "difference": (terminal, mode("difference")),
        "menu": (terminal, menu("Map")), "scale": (terminal, menu("Scale")),
        "slow": (terminal, without("**/chart.json*")), "rivals": (f"{terminal}rivals/", nothing),
        "changes": (f"{terminal}changes/", nothing), "table": (f"{terminal}table/", nothing),
        "screener": ("/screener/", nothing), "pictures": ("/screener/?view=pictures", nothing),
        "none": ("/screener/?text=nothing", nothing), "refused": ("/screener/?page=x", nothing),
        "zones": ("/zones/", nothing), "zone": (zone, nothing), "scorecard": ("/scorecard/", nothing),
        "alerts": ("/alerts/", nothing), "instruments": ("/instruments/", nothing), "data": ("/data/", nothing),
        "landing": ("/", nothing), "embed": (f"/embed/{key}/", nothing), "missing": ("/t/binance:NOPE/", nothing),
    }  # fmt: skip


def draw(context: BrowserContext, url: str, wanted: Mapping[str, tuple[str, State]], into: Path, look: str) -> None:
    """Draw all pictures of one look."""
    for name, (address, reach) in wanted.items():
        page = context.new_page()
        page.goto(url + address)
        reach(page)
        page.screenshot(path=into / f"{name}-{look}.png", full_page=name not in {"help", "menu", "scale"})
        page.unroute_all(behavior="ignoreErrors")
        page.close()


def main(url: str, login: str, key: str, directory: str, *others: str) -> None:
    """Draw every state in every size and theme."""
    path = os.environ.get("BH_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)))
    into = Path(directory)
    into.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        state = signed_in(browser, login)
        page = browser.new_context(storage_state=state).new_page()
        page.goto(f"{url}/t/{key}/")
        zone = str(page.locator("#zone-list tbody a").first.get_attribute("href"))
        wanted = {**states(key, zone), **{one.replace(":", "-"): (f"/t/{one}/", nothing) for one in others}}
        for width, height in SIZES:
            for theme in THEMES:
                context = browser.new_context(viewport={"width": width, "height": height}, storage_state=state)
                context.add_cookies([{"name": "theme", "value": theme, "url": url}])
                draw(context, url, wanted, into, f"{width}-{theme}")
                context.close()
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
