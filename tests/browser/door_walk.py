"""A newcomer's way from the landing page to a first plan, by forms and links alone, with mails read from the outbox.

    python -m tests.browser.door_walk http://127.0.0.1:8000 LOGIN-LINK DIRECTORY

plays it on a running product whose sign-up is by invitation, with and without scripts, leaves a picture of each step.
"""

from __future__ import annotations

import argparse
import re
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from playwright.sync_api import sync_playwright

from tests.browser.measure import signed_in
from tests.browser.plan_walk import pictures

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

PASSWORD: Final = "a sentence is better"  # of an account that is made up
TRIES: Final = 60


@dataclass
class Newcomer:
    """A stranger's page and the operator's, what lets the workers work, and who looks at each step."""

    page: Page
    desk: Page
    origin: str
    address: str
    work: Callable[[], None]
    look: Callable[[Page, str], None]
    steps: list[str] = field(default_factory=list)

    def seen(self, step: str, *, page: Page | None = None) -> None:
        """Look at a step."""
        self.steps.append(step)
        self.look(page or self.page, f"{len(self.steps):02d}-{step}")

    def press(self, form: str = "main form") -> None:
        """Send a form by its first button."""
        self.page.locator(f"{form} button").first.click()
        self.page.wait_for_load_state()

    def ask(self) -> None:
        """Ask for access on the landing page."""
        self.page.goto(self.origin + "/")
        self.seen("landing")
        self.page.wait_for_timeout(2_100)  # a person takes at least two seconds
        self.page.fill("#request_address", self.address)
        self.page.check("#request_agree")
        self.press("form.request")
        self.seen("asked")

    def follow_mail(self, kind: str) -> None:
        """Wait for a mail of a kind, as the operator reads it, and open its link."""
        for _ in range(TRIES):
            self.work()
            self.desk.goto(f"{self.origin}/outbox/")
            mine = self.desk.locator("main tr", has_text=self.address)
            if mine.count():
                mine.first.locator("a").first.click()
                text = self.desk.locator("main").inner_text()
                if found := re.search(rf"https?://[^/\s]+(/early-access/{kind}/\S+)", text):
                    self.seen(f"mail-to-{kind}", page=self.desk)
                    self.page.goto(self.origin + found[1])
                    return
        raise AssertionError(kind)

    def confirm(self) -> None:
        """Confirm the address."""
        self.follow_mail("confirm")
        self.seen("confirm")
        self.press()
        self.seen("confirmed")

    def send_wave(self) -> None:
        """Invite who waits, in two steps, as the operator does."""
        desk = self.desk
        desk.goto(f"{self.origin}/early-access/operator/")
        desk.locator("details:has(#wave_name) > summary").click()
        desk.fill("#wave_name", "first")
        desk.fill("#wave_size", "10")
        self.seen("operator", page=desk)
        desk.locator("form:has(#wave_name) button").click()
        count = re.search(r"invite now: (\d+)", desk.locator("main").inner_text())
        assert count is not None
        desk.fill("[name=count]", count[1])
        desk.fill("form:has([name=count]) [name=reason]", "first readers")
        self.seen("wave", page=desk)
        desk.locator("form:has([name=count]) button").click()
        desk.locator(".badge", has_text="Scheduled").wait_for()
        self.seen("wave-scheduled", page=desk)

    def join(self) -> None:
        """Take the invitation up and make an account."""
        self.follow_mail("invite")
        self.seen("invitation")
        self.press()
        assert self.page.locator("#id_email").input_value() == self.address
        self.seen("sign-up")
        self.page.fill("#id_password1", PASSWORD)
        self.press()

    def settle_in(self) -> None:
        """Choose a market and read how to read the map."""
        page = self.page
        self.seen("welcome")
        page.locator("input[name=pair]").first.check()
        self.press("form:has(input[name=pair])")
        self.seen("chosen")
        self.press("form[action='/welcome/read/']")
        self.seen("read")

    def plan(self) -> None:
        """Write a first plan, to observe."""
        page = self.page
        page.locator("main a[href^='/plans/new/']").click()
        self.seen("plan-form")
        page.locator("label", has_text="Observe").first.click()
        page.fill("#id_thesis", "Price meets the zone and turns. If it goes through, I was wrong.")
        self.seen("plan-filled")
        page.locator("main form button[type=submit]").last.click()
        page.wait_for_url(re.compile(r"/plans/\d+/$"))
        self.seen("plan")

    def walk(self) -> None:
        """Go all the way."""
        for part in (self.ask, self.confirm, self.send_wave, self.join, self.settle_in, self.plan):
            part()


def main() -> None:
    """Play it on a running product."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("origin", "login", "directory"):
        parser.add_argument(name)
    asked = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        desk = browser.new_context(storage_state=signed_in(browser, asked.login)).new_page()
        for scripts in (True, False):
            page = browser.new_context(java_script_enabled=scripts).new_page()
            look = pictures(Path(asked.directory) / ("scripts" if scripts else "plain"))
            address = f"reader{time.time():.0f}@example.com"
            Newcomer(page, desk, asked.origin, address, lambda: time.sleep(3), look).walk()
        browser.close()


if __name__ == "__main__":
    main()
