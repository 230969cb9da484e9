"""Draw pages and their states to look at: ``python -m tests.browser.looks URL LOGIN-LINK VENUE:SYMBOL DIRECTORY``.

Needs a running ``manage.py up``, one unused login link (or the session that ``--session`` kept) and an instrument with
a map. What the data decides (a pair, one with a member missing, stale, without data, without an estimate) is drawn of
the instruments that are named after the directory. With ``--ask`` the member asks for alerts that hold at once and
watches everything first, so that the page of alerts has something to show.
"""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from playwright.sync_api import sync_playwright

from tests.browser import look_states
from tests.browser.look_states import HOUR_MS, Look, drawn, nothing
from tests.browser.measure import FLAGS, NAMES, signed_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.sync_api import Browser, BrowserContext, Page, StorageState

SIZES: Final = ((1440, 900), (1920, 1080), (390, 844))
THEMES: Final = ("dark", "light")
PAST_HOURS: Final = 60
# Zones of each state that a page is drawn of, where there is one.
ZONES: Final = ("active", "approached", "partly_swept", "swept", "expired", "merged")
SEEN: Final = "[...document.images].filter((one) => one.checkVisibility())"
# A picture of a whole page has no bar under the thumb in its midst, and pictures that wait for a reader.
WHOLE: Final = """
for (const one of document.images) if (one.checkVisibility()) one.loading = 'eager';
const nav = document.querySelector('.nav');
if (nav && getComputedStyle(nav).position === 'fixed') {
  document.body.style.position = 'relative';
  nav.style.position = 'absolute';
}
"""
# An alert is looked at each minute.
TOLD_MS: Final = 150_000


def ask(page: Page, url: str, key: str) -> None:
    """Ask for alerts that hold already, watch every instrument, and wait until something is told."""
    for kind, threshold in (("near", "45"), ("chance", "1"), ("swept", ""), ("crowding", "")):
        page.goto(f"{url}/alerts/?instrument={key}")
        page.get_by_label("Tell me when").select_option(kind)
        page.get_by_label("Threshold, %").fill(threshold)
        page.get_by_role("button", name="Save alert").click()
    offered = page.locator("#watch-instrument option").evaluate_all("all => all.map((one) => one.value)")
    for one in offered:
        page.locator("#watch-instrument").select_option(one)
        page.get_by_role("button", name="Add", exact=True).click()
    for _ in range(TOLD_MS // 5000):
        if page.locator(".notices li").count():
            return
        page.wait_for_timeout(5000)
        page.reload()


def zone_pages(page: Page, url: str, key: str) -> Mapping[str, Look]:
    """Find a zone of each state."""
    found = {}
    for state in ZONES:
        page.goto(f"{url}/zones/?state={state}&text={key.partition(':')[2]}&sort=newest")
        links = page.locator('#found tbody th a[href*="/zones/"]')
        if links.count():
            found[f"zone-{state}"] = Look(str(links.first.get_attribute("href")), nothing)
    return found


def wanted_of(page: Page, url: str, key: str, others: list[str]) -> Mapping[str, Look]:
    """Return every picture by its name."""
    page.goto(f"{url}/t/{key}/")
    as_of_ms = int(page.locator("#terminal").get_attribute("data-as-of") or 0)
    names = page.locator("[data-layer]").evaluate_all("all => all.map((one) => one.dataset.layer)")
    symbol = page.locator("h1").first.inner_text().split()[0]
    named = {}
    for one in others:
        address, name = f"/t/{one}/", one.replace(":", "-")
        page.goto(url + address)
        has_chart = page.locator('#terminal[data-heatmap="ready"]').count() > 0
        named[name] = Look(address, drawn if has_chart else nothing)
    return {
        **look_states.terminals(key, as_of_ms // HOUR_MS * HOUR_MS - PAST_HOURS * HOUR_MS, names),
        **look_states.screens(),
        **look_states.public(symbol),
        **zone_pages(page, url, key),
        **named,
    }


def draw(context: BrowserContext, url: str, look: Look, path: Path) -> None:
    """Draw one picture."""
    page = context.new_page()
    page.goto(url + look.address)
    look.reach(page)
    if look.whole:
        page.evaluate(WHOLE)
        page.wait_for_function(f"{SEEN}.every((one) => one.complete)")
    page.screenshot(path=path, full_page=look.whole)
    page.unroute_all(behavior="ignoreErrors")
    page.close()


def draw_all(
    browser: Browser, url: str, state: StorageState, wanted: Mapping[str, Look], args: argparse.Namespace
) -> None:
    """Draw every picture in every size and theme."""
    for width, height in SIZES:
        for theme in THEMES:
            look_name = f"{width}-{theme}"
            if args.looks and look_name not in args.looks:
                continue
            for name, look in wanted.items():
                path = Path(args.directory) / f"{name}-{look_name}.png"
                if (args.only and name not in args.only) or (args.rest and path.exists()):
                    continue
                context = browser.new_context(
                    viewport={"width": width, "height": height},
                    java_script_enabled=look.scripts,
                    storage_state=state if look.member else None,
                )
                context.add_cookies([{"name": "theme", "value": theme, "url": url}])
                draw(context, url, look, path)
                context.close()


def session(browser: Browser, args: argparse.Namespace) -> StorageState:
    """Log in, or go on with a session that was kept."""
    if args.session and args.session.exists():
        return browser.new_context(storage_state=args.session).storage_state()
    state = signed_in(browser, args.login)
    if args.session:
        browser.new_context(storage_state=state).storage_state(path=args.session)
    return state


def main() -> None:
    """Draw what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("url", "login", "key", "directory"):
        parser.add_argument(name)
    parser.add_argument("others", nargs="*", help="further instruments, VENUE:SYMBOL")
    parser.add_argument("--session", type=Path, help="where the session is kept for another run")
    parser.add_argument("--ask", action="store_true", help="ask for alerts and watch everything first")
    parser.add_argument("--only", action="append", help="the name of a picture; may be repeated")
    parser.add_argument("--rest", action="store_true", help="leave pictures that are there already")
    parser.add_argument("--looks", action="append", help="a size and theme, like 390-dark; may be repeated")
    args = parser.parse_args()
    path = os.environ.get("BH_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)))
    Path(args.directory).mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        state = session(browser, args)
        page = browser.new_context(storage_state=state).new_page()
        if args.ask:
            ask(page, args.url, args.key)
        draw_all(browser, args.url, state, wanted_of(page, args.url, args.key, args.others), args)
        browser.close()


if __name__ == "__main__":
    main()
