"""Scripted faults: what one is, and the set that is in force."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any, ClassVar, Final

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.double.ledger import Ledger
    from tests.double.market import Market
    from tests.double.venue import Answer


ROWS: Final = ("bars", "marks", "interest", "interest_now", "funding", "ratio")
WS_ROWS: Final = ("ws.bars", "ws.marks", "ws.liquidations", "ws.interest")
# Everything but the list of contracts, which a reader needs before anything can go wrong; name it to reach it.
REST: Final = (*ROWS, "funding_now", "funding_info", "depth", "brackets", "ticker")


@dataclass(frozen=True, slots=True)
class Call:
    """One request as a fault sees it."""

    slug: str
    endpoint: str
    path: str
    query: dict[str, Any]
    body: dict[str, Any]
    now: int
    request: web.Request


class Fault:
    """Something that goes wrong ``times`` times (None: always) at ``slug`` within ``for_ms`` of virtual time.

    on: patterns of endpoints it reaches. REST: instruments, time, bars, marks, interest, interest_now, funding,
    funding_now, funding_info, depth, ratio, brackets, ticker; websocket: ws.bars, ws.marks, ws.liquidations, ws.ticker,
    ws.interest, ws.trades, ws.subscribe, ws.pong.
    """

    name: ClassVar[str] = ""
    default_on: ClassVar[tuple[str, ...]] = ("*",)
    default_times: ClassVar[int | None] = 1
    mutes: ClassVar[bool] = False  # nothing at all is sent, not even a pong
    delivers: ClassVar[bool] = False  # the body is sent in another way

    def __init__(
        self,
        *,
        slug: str = "*",
        on: str | tuple[str, ...] = (),
        times: int | None = 0,
        for_ms: int | None = None,
        seed: int = 0,
    ) -> None:
        self.slug = slug
        self.on = (on,) if isinstance(on, str) else on or self.default_on
        self.times = self.default_times if times == 0 else times
        self.for_ms, self.since_ms = for_ms, 0
        self.random = random.Random(f"{self.name}:{slug}:{seed}")
        self.happened = 0

    def begin(self, market: Market, now: int) -> None:
        """Come into force; a fault of the market itself changes it here."""
        del market
        self.since_ms = now

    def reaches(self, slug: str, endpoint: str, now: int) -> bool:
        """Tell whether it is in force for an endpoint."""
        is_over = self.for_ms is not None and now >= self.since_ms + self.for_ms
        if is_over or self.times == 0 or not fnmatch(slug, self.slug):
            return False
        return any(fnmatch(endpoint, pattern) for pattern in self.on)

    def spend(self) -> None:
        """Note that it happened once."""
        self.happened += 1
        if self.times is not None:
            self.times -= 1

    async def instead(self, call: Call, ledger: Ledger) -> web.StreamResponse | None:
        """Answer in the venue's place; None where it doesn't."""
        del call, ledger
        return None

    def alter(self, answer: Answer) -> bool:
        """Change an answer or a push; tell whether it did."""
        del answer
        return False

    async def deliver(self, call: Call, body: bytes) -> web.StreamResponse:
        """Send a body in another way."""
        raise NotImplementedError

    def frames(self, answers: list[Answer]) -> list[Answer] | None:
        """Change a batch of pushes; None where it doesn't."""
        del answers
        return None


class Faults:
    """The faults in force, in the order in which they came."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self.active = list(faults)

    def reaching(self, slug: str, endpoint: str, now: int) -> list[Fault]:
        """Return those in force for an endpoint."""
        return [fault for fault in list(self.active) if fault.reaches(slug, endpoint, now)]

    def skew_ms(self, slug: str, now: int) -> int:
        """Return how wrong a venue's clock is."""
        return sum(getattr(fault, "skew_ms", 0) for fault in self.reaching(slug, "time", now))

    def muted(self, slug: str, endpoint: str, now: int) -> bool:
        """Tell whether a websocket stands silent; it counts as happening."""
        found = [fault for fault in self.reaching(slug, endpoint, now) if fault.mutes]
        for fault in found:
            fault.spend()
        return bool(found)

    async def instead(self, call: Call, ledger: Ledger) -> web.StreamResponse | None:
        """Return the first answer that a fault gives in the venue's place."""
        for fault in self.reaching(call.slug, call.endpoint, call.now):
            response = await fault.instead(call, ledger)
            if response is not None:
                return response
        return None

    def alter(self, call: Call, answer: Answer) -> None:
        """Let faults change an answer."""
        self.alter_at(call.slug, call.endpoint, call.now, answer)

    def alter_at(self, slug: str, endpoint: str, now: int, answer: Answer) -> None:
        """Let faults change an answer or a push."""
        for fault in self.reaching(slug, endpoint, now):
            if fault.alter(answer):
                fault.spend()

    def frames(self, slug: str, endpoint: str, now: int, answers: list[Answer]) -> list[Answer]:
        """Let faults change a batch of pushes."""
        for fault in self.reaching(slug, endpoint, now):
            changed = fault.frames(answers) if answers else None
            if changed is not None:
                fault.spend()
                answers = changed
        return answers

    async def send(self, call: Call, answer: Answer, headers: dict[str, str]) -> web.StreamResponse:
        """Send an answer whole, or as a fault sends it (which spoils it)."""
        is_text = isinstance(answer.payload, str)
        body = answer.payload.encode() if is_text else json.dumps(answer.payload, separators=(",", ":")).encode()
        for fault in self.reaching(call.slug, call.endpoint, call.now):
            if fault.delivers:
                fault.spend()  # before, since the client may leave in the middle
                answer.spoilt = True
                return await fault.deliver(call, body)
        kind = "text/html" if is_text else "application/json"
        return web.Response(body=body, status=answer.status, headers={**headers, **answer.headers}, content_type=kind)
