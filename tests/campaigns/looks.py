"""What an open terminal page says of its age, panel by panel, and whether that is true."""

from __future__ import annotations

import re
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

LIVE: Final = "live"
# Of the chart that is looked at.
TIMEFRAME: Final = "5m"
BAR_MS: Final = 300_000
# Time runs as in the product, that of timers, too. `skew` is by how much the visitor's clock is wrong; `stops` lets
# the stopwatch stand while the whole page sleeps, as some machines' do.
HASTEN: Final = """
(() => {
  const [speed, start, made] = [%d, %d, Date.now()];
  const elapsed = performance.now.bind(performance);
  const [later, again] = [window.setTimeout.bind(window), window.setInterval.bind(window)];
  Object.assign(window, { skew: %d, stops: false });
  let [seen, lost] = [elapsed(), 0];
  performance.now = () => {
    const now = elapsed();
    if (window.stops && now - seen > 1500) lost += now - seen;
    seen = now;
    return (now - lost) * speed;
  };
  Date.now = () => start + (made - %d) * speed + elapsed() * speed + window.skew;
  window.setTimeout = (work, ms = 0, ...all) => later(work, ms / speed, ...all);
  window.setInterval = (work, ms = 0, ...all) => again(work, ms / speed, ...all);
  const { get, set } = Object.getOwnPropertyDescriptor(XMLHttpRequest.prototype, 'timeout');
  const timeout = { get() { return get.call(this); }, set(ms) { set.call(this, ms / speed); } };
  Object.defineProperty(XMLHttpRequest.prototype, 'timeout', timeout);
  window.turn = () => new Promise((done) => later(done, 0));
  window.isAway = false;
  Object.defineProperty(document, 'hidden', { get: () => window.isAway });
  window.leave = (isAway) => {
    window.isAway = isAway;
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
  };
})();
"""
# Pages that are wrong on purpose, by what is wrong with them: the hunt must find each.
BROKEN: Final[Mapping[str, str]] = {
    "late": """
        const parse = JSON.parse;
        JSON.parse = (...all) => {
          const said = parse(...all);
          if (said?.stale_after_ms) said.stale_after_ms += 600000;
          return said;
        };
        Response.prototype.json = async function json() { return JSON.parse(await this.text()); };
    """,
    "blind": "const made = Date.now() - performance.now(); Date.now = () => made + performance.now();",
    "panel": """
        const edge = () => document.querySelector('#replay-text');
        setInterval(() => edge() && (edge().textContent = 'Live edge'), 100);
    """,
}
# How old the server lets the newest bar be [ms].
ALLOWED: Final = """() => {
  const { asOfMs, staleAfterMs } = document.querySelector('#fresh').dataset;
  return Number(staleAfterMs) - Number(asOfMs);
}"""
SAID: Final = """async (isAtOnce) => {
  if (isAtOnce) await window.turn();
  const text = (path) => document.querySelector(path)?.innerText ?? '';
  const fresh = document.querySelector('#fresh');
  return {
    kind: fresh.dataset.kind,
    text: fresh.innerText,
    isGreen: fresh.querySelector('.dot').classList.contains('dot-ok'),
    edge: text('#replay-text'),
    bar: text('#read-bar b'),
    last: document.querySelector('.last')?.firstChild.textContent.trim(),
    drawn: [...document.querySelectorAll('#read-bar i')].find(({ innerText }) => innerText === 'C')?.nextSibling.data,
    asOf: Number(document.querySelector('#strip').dataset.asOfMs),
    isBannerShown: !document.querySelector('#stale').hidden,
  };
}"""
_WORDS: Final = re.compile(r"Updated \d+ (s|min) ago$")


def boasts(said: Mapping[str, Any]) -> dict[str, bool]:
    """Tell of each panel whether it looks fresh."""
    return {
        "state": said["kind"] not in {"stale", "doubtful"},
        "dot": bool(said["isGreen"]),
        "words": _WORDS.match(said["text"]) is not None,
        "edge": said["edge"] == "Live edge",
        "banner": said["kind"] == "stale" and not said["isBannerShown"],
    }


def bar_at(end_ms: int) -> str:
    """Name the bar of the chart that what ended at a moment is part of, as it is read out."""
    start_s = (end_ms - 1) // BAR_MS * BAR_MS / 1000
    return time.strftime("%d %b, %H:%M UTC", time.gmtime(start_s))


@dataclass
class Looks:
    """All looks at one page."""

    # How old what is called fresh may be [ms].
    most_ms: int
    counts: Counter[str] = field(default_factory=Counter)
    oldest_ms: Counter[str] = field(default_factory=Counter)
    during: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    false: list[dict[str, Any]] = field(default_factory=list)
    # The newest moment of each price of the figures by the chart's bar that it falls into: the chart tells its own by
    # its newest bar.
    moments: dict[tuple[str, str], int] = field(default_factory=dict)
    # How often the chart's moment was known by that, and the newest of them [ms].
    known: int = 0
    drawn_ms: int = 0

    def judge(self, said: dict[str, Any], now_ms: int, during: str) -> None:
        """Count a look, and keep it where a panel looks fresh that shows old data, or that the page calls old."""
        kind = str(said["kind"])
        self.counts[kind] += 1
        self.during[during][kind] += 1
        self.moments[bar_at(said["asOf"]), said["last"]] = said["asOf"]
        # A price that the figures have not had yet is newer than theirs; one that came twice is no way back.
        drawn = self.moments.get((said["bar"], said["drawn"]))
        self.known += drawn is not None
        self.drawn_ms = max(self.drawn_ms, drawn or 0)
        age_ms = now_ms - (said["asOf"] if drawn is None else min(said["asOf"], self.drawn_ms))
        fresh = [name for name, is_so in boasts(said).items() if is_so]
        if kind == LIVE:
            self.oldest_ms[during] = max(self.oldest_ms[during], age_ms)
        if fresh and (age_ms > self.most_ms or kind != LIVE):
            self.false.append({**said, "age_ms": age_ms, "during": during, "fresh": fresh})
