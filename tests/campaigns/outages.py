"""Processes of a live product end or hang while a page is open: the page never calls fresh what is old.

    python -m tests.campaigns.outages --outages 60

A product follows the venue double faster than the wall's clock, eight times unless told otherwise, and so do the
stopwatch and the clock of the browser, of which the latter is ten minutes ahead or behind, and jumps in between. In a
seeded order the feed, the workers, the beat, Valkey, PostgreSQL and the web server are killed or stopped for a while,
or the browser is cut off.
Meanwhile the page is asked again and again what it says and up to when its figures reach; the venue's clock judges.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from playwright.sync_api import sync_playwright

from tests.campaigns.kills import VICTIMS, Killer
from tests.campaigns.stage import Play, Stage, seeded_market, staged
from tests.double.clock import FOREVER
from tests.running import children, wait_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import BrowserContext, Page

SPEED: Final = 8.0
KEY: Final = "binance:BTCUSDT"
BROWSER: Final = "browser"
WEB: Final = "web"
LIVE: Final = "live"
WAYS: Final = ("kill", "stop")
SKEW_MS: Final = 600_000
# How long one lasts, and how long the page is watched afterwards: until it is live again, which what comes next may
# take from it, but not for ever [s of the product].
LASTS_S, REST_S = (48.0, 128.0), (16.0, 200.0)
# How often it is asked [s].
ASK_S: Final = 0.2
# The page looks at its stopwatch each second of the product; a busy machine may be a second late with it [ms].
LATE_MS: Final = 1000
FLAGS: Final = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
# Time runs as in the product, that of timers, too.
HASTEN: Final = """
(() => {
  const [speed, start, made] = [%d, %d, Date.now()];
  const elapsed = performance.now.bind(performance);
  const [later, again] = [window.setTimeout.bind(window), window.setInterval.bind(window)];
  window.skew = %d;
  performance.now = () => elapsed() * speed;
  Date.now = () => start + (made - %d) * speed + elapsed() * speed + window.skew;
  window.setTimeout = (work, ms = 0, ...all) => later(work, ms / speed, ...all);
  window.setInterval = (work, ms = 0, ...all) => again(work, ms / speed, ...all);
})();
"""
# How old the server lets the newest bar be [ms].
ALLOWED: Final = """() => {
  const { asOfMs, staleAfterMs } = document.querySelector('#fresh').dataset;
  return Number(staleAfterMs) - Number(asOfMs);
}"""
SAID: Final = """() => ({
  kind: document.querySelector('#fresh').dataset.kind,
  text: document.querySelector('#fresh').innerText,
  asOf: Number(document.querySelector('#strip').dataset.asOfMs),
  isBannerShown: !document.querySelector('#stale').hidden,
})"""


@dataclass
class Hunt:
    """One open page, what is done to its product, and what it said."""

    stage: Stage
    page: Page
    chance: random.Random
    # How old what is called fresh may be [ms].
    most_ms: int
    speed: float
    done: Counter[str] = field(default_factory=Counter)
    # How many of them met a page that was live.
    met_live: int = 0
    said: Counter[str] = field(default_factory=Counter)
    false: list[dict[str, Any]] = field(default_factory=list)
    oldest_live_ms: int = 0

    def run(self, count: int) -> None:
        """Let so many outages happen, each victim as often as the others."""
        victims = [(name, way) for name in (*VICTIMS, WEB) for way in WAYS] + [(BROWSER, "cut")]
        for number in range(count):
            if number % len(victims) == 0:
                self.chance.shuffle(victims)
            victim, way = victims[number % len(victims)]
            self.page.evaluate("(ms) => { window.skew = ms; }", self.chance.uniform(-SKEW_MS, SKEW_MS))
            self.met_live += self._ask(f"before {victim} {way}") == LIVE
            self._let_happen(victim, way)
            self.done[f"{victim} {way}"] += 1
            self._rest(f"after {victim} {way}")

    def _let_happen(self, victim: str, way: str) -> None:
        lasts_s = self.chance.uniform(*LASTS_S) / self.speed
        if victim == BROWSER:
            self.page.context.set_offline(True)
            self._watch(lasts_s, victim)
            self.page.context.set_offline(False)
            return
        pid = Killer(self.stage, 0, 0.0, victims={**VICTIMS, WEB: "bhweb.server:app"}).wait_for(victim)
        # Those that do the work are its children; they end with it.
        hanging = [pid, *children(pid)] if way == "stop" else []
        tell([pid] if way == "kill" else hanging, signal.SIGKILL if way == "kill" else signal.SIGSTOP)
        try:
            self._watch(lasts_s, f"{victim} {way}")
        finally:
            tell(hanging, signal.SIGCONT)

    def _rest(self, during: str) -> None:
        least, most = (seconds / self.speed for seconds in REST_S)
        self._watch(least, during)
        until = time.monotonic() + most - least
        while self._ask(during) != LIVE and time.monotonic() < until:
            time.sleep(ASK_S)

    def _watch(self, seconds: float, during: str) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._ask(during)
            time.sleep(ASK_S)

    def _ask(self, during: str) -> str:
        # Before the page is asked: it may not be judged by a moment that it has not seen.
        now_ms = self.stage.clock.now_ms()
        said = self.page.evaluate(SAID)
        self.said[said["kind"]] += 1
        self._judge(said, now_ms, during)
        return str(said["kind"])

    def _judge(self, said: dict[str, Any], now_ms: int, during: str) -> None:
        age_ms = now_ms - said["asOf"]
        is_fresh = said["kind"] not in {"stale", "doubtful"}
        if is_fresh:
            self.oldest_live_ms = max(self.oldest_live_ms, age_ms)
        if is_fresh and age_ms > self.most_ms:
            self.false.append({**said, "age_ms": age_ms, "during": during})


def tell(pids: Sequence[int], number: signal.Signals) -> None:
    """Send a signal to those that still run."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def open_page(context: BrowserContext, stage: Stage) -> Page:
    """Log in, and open the terminal once it is live."""
    page = context.new_page()
    page.goto(stage.product.url + stage.product.login_link())
    page.locator("main form button").first.click()
    page.wait_for_load_state()
    page.goto(f"{stage.product.url}/t/{KEY}/")
    page.locator('#fresh[data-kind="live"]').wait_for(timeout=60_000)
    return page


def campaign(place: Path, *, outages: int, seed: int, speed: float = SPEED) -> dict[str, Any]:
    """Hunt, and return figures; raise AssertionError where a page said too much, or never said anything else."""
    play = Play(seeded_market(1), ("BTCUSDT",), FOREVER, speed)
    with staged(place, play) as stage, sync_playwright() as playwright:
        stage.begin()
        wait_for(stage.has_history, what="the history", within=120)
        path = os.environ.get("BH_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)))
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        context = browser.new_context()
        clock = stage.clock
        context.add_init_script(HASTEN % (speed, clock.start_ms, SKEW_MS, round(clock.started_at * 1000)))
        page = open_page(context, stage)
        hunt = Hunt(stage, page, random.Random(seed), page.evaluate(ALLOWED) + round(LATE_MS * speed), speed)
        hunt.run(outages)
        browser.close()
    figures = {
        "outages": outages, "by_kind": dict(sorted(hunt.done.items())), "met_live": hunt.met_live,
        "said": dict(hunt.said),
        "oldest_called_live_s": round(hunt.oldest_live_ms / 1000), "allowed_s": hunt.most_ms // 1000,
        "false_fresh": len(hunt.false),
    }  # fmt: skip
    assert not hunt.false, json.dumps({"first": hunt.false[:3], **figures}, indent=1)
    # It is no page that never says live, nor one that always does.
    assert min(hunt.said[LIVE], hunt.said["stale"]) > 0, figures
    return figures


def main() -> None:
    """Hunt and print figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outages", type=int, default=60)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--speed", type=float, default=SPEED, help="slower where the machine can not keep up")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bh-outages-") as place:
        figures = campaign(Path(place), **vars(chosen))
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
