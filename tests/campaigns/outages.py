"""Processes of a live product end or hang while a page is open: the page never calls fresh what is old.

    python -m tests.campaigns.outages --outages 60

A product follows the venue double faster than the wall's clock, eight times unless told otherwise, and so do the
stopwatch and the clock of the browser, of which the latter is up to ten minutes ahead or behind, and jumps in between.
In a seeded order the feed, the workers, the beat, Valkey, PostgreSQL and the web server are killed or stopped for a
while; the browser is cut off, its line or the event stream alone is cut or falls silent; the tab sleeps, with and
without its stopwatch, or is put behind another. Meanwhile the page is asked again and again what its panels say and
up to when its figures and its chart reach; the venue's clock judges.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from playwright.sync_api import sync_playwright

from tests.campaigns.kills import VICTIMS, Killer
from tests.campaigns.looks import ALLOWED, BROKEN, HASTEN, LIVE, SAID, TIMEFRAME, Looks
from tests.campaigns.stage import Play, Stage, seeded_market, staged
from tests.campaigns.wire import CUT, HANG, OPEN, Wire, wired
from tests.double.clock import FOREVER
from tests.running import children, wait_for

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from playwright.sync_api import Browser, BrowserContext, Page

SPEED: Final = 8.0
KEY: Final = "binance:BTCUSDT"
WEB: Final = "web"
# Each as often as the others.
KINDS: Final = (
    *((name, way) for name in (*VICTIMS, WEB) for way in ("kill", "stop")),
    ("browser", "off line"), ("line", "silent"), ("stream", "cut"), ("stream", "silent"),
    ("tab", "asleep"), ("tab", "asleep, no stopwatch"), ("tab", "behind"),
)  # fmt: skip
SKEW_MS: Final = 600_000
# How long one lasts, and how long the page is watched afterwards; then it is waited for until it is live [s of the
# product], but not for ever [s].
LASTS_S, REST_S, LONGEST_S = (48.0, 128.0), 20.0, 60.0
# How often it is asked [s].
ASK_S: Final = 0.2
# The server tells the time so often [s of the product].
HEARTBEAT_S: Final = 15.0
# The page looks at its stopwatch each second of the product; a busy machine may be a second late with it [ms].
LATE_MS: Final = 1000
FLAGS: Final = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
NAMES: Final = ("chromium", "chromium-browser", "google-chrome")


@dataclass
class Hunt:
    """One open page, what is done to its product, and what it said."""

    stage: Stage
    page: Page
    wire: Wire
    looks: Looks
    chance: random.Random
    speed: float
    done: Counter[str] = field(default_factory=Counter)
    # How many of them met a page that was live, and how long it took until it was live again [s].
    met: Counter[str] = field(default_factory=Counter)
    back_s: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def run(self, count: int, kinds: list[tuple[str, str]]) -> None:
        """Let so many outages happen, each kind as often as the others."""
        for number in range(count):
            if number % len(kinds) == 0:
                self.chance.shuffle(kinds)
            victim, way = kinds[number % len(kinds)]
            name = f"{victim} {way}"
            self.met[name] += self._ask(name) == LIVE
            self.done[name] += 1
            with self._outage(victim, way):
                self._last(name, is_asleep="asleep" in way)
            self._wait_until_live(name)
            back_s, wrong = self.back_s[name][-1], len(self.looks.false)
            sys.stderr.write(
                f"{name}: {self.met.total()} of {number + 1} met live, live after {back_s:.1f} s, {wrong} false\n"
            )

    @contextmanager
    def _outage(self, victim: str, way: str) -> Iterator[None]:
        happen = {"browser": self._off_line, "line": self._on_wire, "stream": self._on_wire, "tab": self._in_tab}
        with happen.get(victim, self._to_process)(victim, way):
            yield
        if victim == "tab":
            self._ask(f"{victim} {way}", is_at_once=True)

    @contextmanager
    def _to_process(self, victim: str, way: str) -> Iterator[None]:
        pid = Killer(self.stage, 0, 0.0, victims={**VICTIMS, WEB: "bhweb.server:app"}).wait_for(victim)
        # Those that do the work are its children; they end with it.
        hanging = [pid, *children(pid)] if way == "stop" else []
        tell([pid] if way == "kill" else hanging, signal.SIGKILL if way == "kill" else signal.SIGSTOP)
        try:
            yield
        finally:
            tell(hanging, signal.SIGCONT)

    @contextmanager
    def _off_line(self, _victim: str, _way: str) -> Iterator[None]:
        # The browser lets an open stream go on.
        self.page.context.set_offline(True)
        self.wire.set(CUT, is_all=True)
        yield
        self.wire.set(OPEN)
        self.page.context.set_offline(False)

    @contextmanager
    def _on_wire(self, victim: str, way: str) -> Iterator[None]:
        self.wire.set(CUT if way == "cut" else HANG, is_all=victim == "line")
        yield
        self.wire.set(OPEN)

    @contextmanager
    def _in_tab(self, _victim: str, way: str) -> Iterator[None]:
        if way == "behind":
            self.page.evaluate("leave(true)")
            yield
            self.page.evaluate("leave(false)")
            return
        self.page.evaluate("(stops) => { window.stops = stops; }", way.endswith("no stopwatch"))
        drawing = renderers(self.page.context.browser)
        tell(drawing, signal.SIGSTOP)
        try:
            yield
        finally:
            tell(drawing, signal.SIGCONT)

    def _last(self, name: str, *, is_asleep: bool) -> None:
        """Let it last; in half of them the visitor's clock jumps meanwhile."""
        lasts_s = self.chance.uniform(*LASTS_S) / self.speed
        first_s = lasts_s * self.chance.random()
        if is_asleep:  # nobody can be asked
            time.sleep(lasts_s)
            return
        self._watch(first_s, name)
        if self.chance.random() < 0.5:
            self._jump()
        self._watch(lasts_s - first_s, name)

    def _jump(self) -> None:
        self.page.evaluate("(ms) => { window.skew = ms; }", self.chance.uniform(-SKEW_MS, SKEW_MS))

    def _wait_until_live(self, name: str) -> None:
        began = time.monotonic()
        while self._ask(name) != LIVE and time.monotonic() < began + LONGEST_S:
            time.sleep(ASK_S)
        self.back_s[name].append(time.monotonic() - began)
        self._watch(REST_S / self.speed, name)
        self._jump()
        while self._ask(name) != LIVE and time.monotonic() < began + LONGEST_S:
            time.sleep(ASK_S)

    def _watch(self, seconds: float, name: str) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._ask(name)
            time.sleep(ASK_S)

    def _ask(self, name: str, *, is_at_once: bool = False) -> str:
        # Before the page is asked: it may not be judged by a moment that it has not seen.
        now_ms = self.stage.clock.now_ms()
        said = self.page.evaluate(SAID, is_at_once)
        self.looks.judge(said, now_ms, name)
        return str(said["kind"])

    def figures(self) -> dict[str, Any]:
        """Return what came of it, in all and by kind."""
        kinds = {
            name: {
                "outages": count,
                "met_live": self.met[name],
                "looks": dict(self.looks.during[name]),
                "oldest_called_live_s": round(self.looks.oldest_ms[name] / 1000),
                "live_again_s": [round(statistics.median(self.back_s[name]), 1), round(max(self.back_s[name]), 1)],
            }
            for name, count in sorted(self.done.items())
        }
        return {
            "outages": self.done.total(), "met_live": self.met.total(), "looks": dict(self.looks.counts),
            "oldest_called_live_s": round(max(self.looks.oldest_ms.values()) / 1000),
            "allowed_s": self.looks.most_ms // 1000, "false_fresh": len(self.looks.false),
            "chart_dated": self.looks.known, "kinds": kinds,
        }  # fmt: skip


def tell(pids: Sequence[int], number: signal.Signals) -> None:
    """Send a signal to those that still run."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def renderers(browser: Browser | None) -> list[int]:
    """Return the processes that run the pages of a browser."""
    assert browser is not None
    found = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")
    return [int(one["id"]) for one in found["processInfo"] if one["type"] == "renderer"]


def open_page(context: BrowserContext, stage: Stage, origin: str) -> Page:
    """Log in, and open the terminal once it is live."""
    page = context.new_page()
    page.goto(origin + stage.product.login_link())
    page.locator("main form button").first.click()
    page.wait_for_load_state()
    page.goto(f"{origin}/t/{KEY}/?tf={TIMEFRAME}")
    page.locator('#fresh[data-kind="live"]').wait_for(timeout=60_000)
    page.locator('#terminal[data-chart="ready"]').wait_for(timeout=60_000)
    return page


def campaign(
    place: Path,
    *,
    outages: int,
    seed: int,
    speed: float = SPEED,
    kinds: Collection[str] | None = None,
    broken: str | None = None,
) -> dict[str, Any]:
    """Hunt, and return figures; raise AssertionError where a page said too much, or never said anything else."""
    play = Play(seeded_market(1), ("BTCUSDT",), FOREVER, speed)
    with staged(place, play) as stage, sync_playwright() as playwright, wired(stage.product.port) as wire:
        stage.begin(BH_EVENTS_HEARTBEAT_S=str(HEARTBEAT_S / speed))
        wait_for(stage.has_history, what="the history", within=120)
        path = os.environ.get("BH_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)))
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        context, clock = browser.new_context(), stage.clock
        context.add_init_script(HASTEN % (speed, clock.start_ms, SKEW_MS, round(clock.started_at * 1000)))
        context.add_init_script(f"(() => {{ {BROKEN[broken] if broken else ''} }})();")
        page = open_page(context, stage, f"http://127.0.0.1:{wire.port}")
        looks = Looks(page.evaluate(ALLOWED) + round(LATE_MS * speed))
        hunt = Hunt(stage, page, wire, looks, random.Random(seed), speed)
        hunt.run(outages, [one for one in KINDS if kinds is None or " ".join(one) in kinds])
        browser.close()
    figures = hunt.figures()
    assert not looks.false, json.dumps({"first": looks.false[:3], **figures}, indent=1)
    # It is no page that never says live, nor one that always does.
    assert min(looks.counts[LIVE], looks.counts["stale"]) > 0, figures
    return figures


def main() -> None:
    """Hunt and print figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outages", type=int, default=60)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--speed", type=float, default=SPEED, help="slower where the machine can not keep up")
    names = [" ".join(one) for one in KINDS]
    parser.add_argument("--kinds", nargs="+", choices=names, help="these alone")
    parser.add_argument("--broken", choices=sorted(BROKEN), help="hunt a page that is wrong on purpose")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bh-outages-") as place:
        figures = campaign(Path(place), **vars(chosen))
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
