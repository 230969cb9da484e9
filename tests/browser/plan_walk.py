"""One plan from a zone's page to the statistics, by forms and links alone: what a trader does, without scripts.

    python -m tests.browser.plan_walk http://127.0.0.1:8000 LOGIN-LINK simulated:SIMBTC-USDT DIRECTORY

plays it on a running product, whose own market triggers and closes the plan, and leaves a picture of each step.
"""

from __future__ import annotations

import argparse
import datetime as dt
import re
import shutil
import time
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Final

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

HEADER: Final = "Time,Symbol,Side,Price,Quantity,Amount,Fee,Realized Profit,Buyer,Maker,Trade ID,Order ID"
LONGEST_S: Final = 900
# Entry, invalidation and target lie so far from the last price.
AWAY: Final = (0.0003, -0.0022, 0.0035)


@dataclass
class Walk:
    """A page without scripts, the symbol of the fills, and who looks at each step."""

    page: Page
    origin: str
    symbol: str
    look: Callable[[Page, str], None]
    steps: list[str] = field(default_factory=list)

    def seen(self, step: str, *words: str) -> str:
        """Look at a step; return its text, in which the words stand."""
        self.steps.append(step)
        self.look(self.page, f"{len(self.steps):02d}-{step}")
        text = self.page.locator("main").inner_text()
        for one in words:
            assert one.lower() in text.lower(), (step, one, text)
        return text

    def press(self, name: str) -> None:
        """Send a form by its button."""
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def follow(self, name: str) -> None:
        """Follow a link of the page's own."""
        self.page.locator("main").get_by_role("link", name=name).first.click()

    def fill(self, **values: str) -> None:
        """Type into fields, opening what is folded around them."""
        for name, value in values.items():
            folded = self.page.locator(f"details:not([open]):has([name={name}]) > summary")
            if folded.count():
                folded.first.click()
            place = self.page.locator(f"[name={name}]:not([type=radio])")
            if self.page.locator(f"select[name={name}]").count():
                place.select_option(value)
            elif place.count():
                place.fill(value)
            else:
                self.page.locator(f"[name={name}][value={value}]").check()


def write_and_arm(walk: Walk, zone: str) -> float:
    """Write a plan from a zone, once with something wrong, and arm it; return the last price that the form told."""
    walk.page.goto(walk.origin + zone)
    walk.seen("zone", "Write a plan for")
    walk.follow("Write a plan for")
    found = re.search(r"Last price ([\d,]+(?:\.\d+)?)", walk.seen("form", "Scenario", "Further targets"))
    assert found is not None
    last = float(found[1].replace(",", ""))
    entry, stop, target = (f"{last * (1 + away):.1f}" for away in AWAY)
    walk.fill(direction="long", thesis="The zone above draws the price.", wrong_if="A close below the last hour's low.",
              entry_kind="stop", entry=entry, invalidation=target, target=target, risk_pct="0.5",
              equity="10000", belief_pct="45", setups="breakout", max_chase="0.5")  # fmt: skip
    walk.press("Save draft")
    walk.seen("form-with-an-error", "Not saved")
    walk.fill(invalidation=stop)
    walk.press("Save draft")
    walk.seen("draft", "Draft", "The zone above draws the price.")
    walk.press("Arm the plan")
    walk.seen("armed", "Armed plans can not be changed", "waiting")
    return last


def take_in_trades(walk: Walk, plan: str, at: dt.datetime, prices: tuple[float, float]) -> None:
    """See that a plan has closed, take in a file of what was done, and see it beside the plan."""
    walk.page.goto(walk.origin + plan)
    walk.seen("closed", "closed", "entered")
    then = at + dt.timedelta(seconds=1)
    rows = (
        f"{at:%Y-%m-%d %H:%M:%S},{walk.symbol},BUY,{prices[0]:.1f},0.05,0,0.5 USDT,0,true,false,9001,1",
        f"{then:%Y-%m-%d %H:%M:%S},{walk.symbol},SELL,{prices[1]:.1f},0.05,0,0.5 USDT,0,true,false,9002,2",
    )
    walk.page.goto(f"{walk.origin}/trades/")
    walk.seen("no-trades", "No trades yet")
    walk.follow("Add a file")
    content = "\n".join([HEADER, *rows, ""]).encode()
    walk.page.locator("[name=file]").set_input_files({"name": "trades.csv", "mimeType": "text/csv", "buffer": content})
    walk.press("Look at the file")
    walk.seen("file", "time zone")
    walk.fill(zone="UTC")
    walk.press("Read it again")
    walk.seen("file-read", "2 of 2 rows are fills")
    walk.press("Take them in")
    walk.seen("file-taken", "Taken in", "New")
    walk.follow("Trades")
    walk.seen("trades", walk.symbol)
    walk.page.locator("main td a.link").first.click()
    if "beside the plan" not in walk.seen("trade", "Fills", "Which plan was it?"):
        walk.fill(plan=re.sub(r"\D", "", plan))
        walk.press("Keep the answer")
        walk.seen("trade-answered", "beside the plan")


def review(walk: Walk, plan: str) -> None:
    """Review a plan, once with something missing, and its week, up to the statistics."""
    walk.page.goto(f"{walk.origin}{plan}review/")
    walk.seen("review-form", "beside the plan", "Keep the review")
    walk.press("Keep the review")
    walk.seen("review-with-an-error", "beside the plan")
    walk.fill(what_happened="It broke out and came back.", lesson="Wait for the close.", mistakes="late")
    walk.press("Keep the review")
    walk.seen("reviewed", "Reviewed", "Wait for the close.")
    walk.page.goto(f"{walk.origin}/review/")
    walk.seen("statistics", "How far they came")
    walk.follow("Week")
    walk.seen("week", "One note on the week")
    walk.fill(note="A quiet week.")
    walk.press("Keep the note")
    walk.seen("week-noted", "One note on the week")
    assert walk.page.locator("[name=note]").input_value() == "A quiet week."


def arm_until_closed(walk: Walk, zone: str) -> tuple[float, str]:
    """Write plans until the market has entered and closed one; return the price that it began from, and its address."""
    until = time.monotonic() + LONGEST_S
    while True:
        last = write_and_arm(walk, zone)
        plan = walk.page.url.removeprefix(walk.origin)
        while (said := walk.page.locator(".page-head").inner_text()) and ("waiting" in said or "open" in said):
            assert time.monotonic() < until, "no plan has closed"
            time.sleep(5)
            walk.page.goto(walk.origin + plan)
        if "closed" in said:
            return last, plan
        walk.steps.clear()


def main() -> None:
    """Play it on a running product."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("origin", "login", "instrument", "directory"):
        parser.add_argument(name)
    asked = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(java_script_enabled=False, viewport={"width": 1440, "height": 900})
        page = context.new_page()
        page.goto(asked.login)
        page.locator("main form button").first.click()
        walk = Walk(page, asked.origin, asked.instrument.rpartition(":")[2], pictures(Path(asked.directory)))
        page.goto(f"{asked.origin}/t/{asked.instrument}/")
        zone = str(page.locator("[data-zone] a.link").first.get_attribute("href"))
        last, plan = arm_until_closed(walk, zone)
        at = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=2)
        take_in_trades(walk, plan, at, (last * 1.0005, last * 1.003))
        review(walk, plan)
        browser.close()


def pictures(directory: Path) -> Callable[[Page, str], None]:
    """Return what takes four pictures of a step: wide and narrow, dark and light."""
    directory.mkdir(parents=True, exist_ok=True)

    def look(page: Page, name: str) -> None:
        for (width, height), theme in product(((390, 844), (1440, 900)), ("light", "dark")):
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]  # one of the two
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(400)  # a theme and a width may have pictures of their own
            page.screenshot(path=directory / f"{name}-{width}-{theme}.png", full_page=True)

    return look


if __name__ == "__main__":
    main()
