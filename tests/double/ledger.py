"""What the double remembers: requests, bans, and every row that it delivered whole."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.double.clock import AnyClock
    from tests.double.venue import Answer

WINDOW_MS: Final = 60_000
WEIGHTS: Final = {"bars": 5, "marks": 5, "depth": 20, "funding_now": 10, "instruments": 1}


@dataclass
class Request:
    """One request; ban_ms is its time in the ledger's time of bans, status is 0 while it is not answered."""

    ban_ms: int
    virtual_ms: int
    slug: str
    path: str
    query: dict[str, Any]
    endpoint: str
    status: int = 0


@dataclass(frozen=True, slots=True)
class Ban:
    """A stretch of time in which a venue wants no request, in ``Ledger.ban_ms``."""

    slug: str
    since_ms: int
    until_ms: int


def wall_ms() -> int:
    """Return the time that leases and budgets go by [ms]; its zero means nothing."""
    return time.monotonic_ns() // 1_000_000


class Ledger:
    """Everything the double remembers."""

    def __init__(self, clock: AnyClock, ban_ms: Callable[[], int] = wall_ms) -> None:
        self.clock, self.ban_ms = clock, ban_ms
        self.requests: list[Request] = []
        self.connects: list[tuple[int, str, str]] = []
        self.bans: list[Ban] = []
        self.acknowledged: dict[tuple[str, str, str], dict[Any, int]] = defaultdict(dict)
        self._weights: dict[str, list[tuple[int, int]]] = defaultdict(list)

    def arrived(self, slug: str, path: str, query: dict[str, Any], endpoint: str) -> Request:
        """Note a request."""
        entry = Request(self.ban_ms(), self.clock.now_ms(), slug, path, query, endpoint)
        self.requests.append(entry)
        return entry

    def connected(self, slug: str, path: str) -> None:
        """Note that a websocket was opened: virtual time [ms], venue, path."""
        self.connects.append((self.clock.now_ms(), slug, path))

    def forget(self) -> None:
        """Begin anew: nothing asked, banned, delivered or used."""
        self.requests, self.connects, self.bans = [], [], []
        self.acknowledged.clear()
        self._weights.clear()

    def acknowledge(self, slug: str, answer: Answer) -> None:
        """Note rows that went out whole."""
        known = self.acknowledged[slug, answer.symbol, answer.series]
        for key in answer.keys:
            known.setdefault(key, self.clock.now_ms())

    def ban(self, slug: str, seconds: int) -> int:
        """Note that a venue told its clients to stay away; return until when."""
        now = self.ban_ms()
        self.bans.append(Ban(slug, now, now + seconds * 1000))
        return self.bans[-1].until_ms

    def during_bans(self) -> list[Request]:
        """Return the requests that came while their venue wanted none."""
        return [
            entry
            for entry in self.requests
            if any(ban.slug == entry.slug and ban.since_ms < entry.ban_ms < ban.until_ms for ban in self.bans)
        ]

    def headers(self, slug: str, endpoint: str) -> dict[str, str]:
        """Return the headers by which Binance tells the weight used in the last minute of the time of bans."""
        if not slug.startswith("binance"):
            return {}
        now = self.ban_ms()
        used = [(at, weight) for at, weight in self._weights[slug] if at > now - WINDOW_MS]
        used.append((now, WEIGHTS.get(endpoint, 1)))
        self._weights[slug] = used
        return {"X-MBX-USED-WEIGHT-1M": str(sum(weight for _, weight in used))}
