"""The server: five venues behind one port of loopback, in a thread of its own."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import contextmanager, suppress
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from tests.double.binance import CoinM, UsdM
from tests.double.bybit import Bybit
from tests.double.faults import Call, Faults
from tests.double.hyperliquid import Hyperliquid
from tests.double.ledger import Ledger, Request, wall_ms
from tests.double.okx import Okx
from tests.double.streams import Streams
from tests.double.venue import Answer, RefusalError, Venue

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Iterator

    from tests.double.clock import AnyClock
    from tests.double.faults import Fault
    from tests.double.market import Market

HOST: Final = "127.0.0.1"
START_SECONDS: Final = 10
VENUES: Final[tuple[type[Venue], ...]] = (UsdM, CoinM, Bybit, Okx, Hyperliquid)


class Double:
    """A handle on the running server: what was asked, what was delivered, and the switches."""

    def __init__(
        self,
        market: Market,
        clock: AnyClock,
        faults: Iterable[Fault] = (),
        port: int = 0,
        ban_ms: Callable[[], int] = wall_ms,
    ) -> None:
        self.market, self.clock, self.port = market, clock, port
        self.ledger = Ledger(clock, ban_ms)
        self.faults = Faults(faults)
        self.venues = {venue.slug: venue(market, clock) for venue in VENUES}
        self.streams = Streams(self.venues, self.ledger, self.faults, clock)
        for slug, venue in self.venues.items():
            venue.skew = lambda slug=slug: self.faults.skew_ms(slug, clock.now_ms())  # type: ignore[misc]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="venue-double", daemon=True)
        self._runner: web.AppRunner | None = None
        self._thread.start()
        for fault in self.faults.active:
            fault.begin(market, clock.now_ms())

    @property
    def address(self) -> str:
        """Where a client finds the venues: address/slug/path."""
        return f"http://{HOST}:{self.port}"

    @property
    def requests(self) -> list[Request]:
        """Every request in order of arrival."""
        return self.ledger.requests

    @property
    def acknowledged(self) -> dict[tuple[str, str, str], dict[Any, int]]:
        """(slug, symbol, series) -> key of each row delivered whole and true -> virtual time of its first delivery."""
        return self.ledger.acknowledged

    def inject(self, *faults: Fault) -> None:
        """Put faults into force from now on."""
        for fault in faults:
            fault.begin(self.market, self.clock.now_ms())
            self.faults.active.append(fault)

    def clear(self) -> None:
        """End all faults; what they changed in the market stays changed."""
        self.faults.active.clear()

    def forget(self) -> None:
        """End all faults and forget what was asked and told."""
        self.clear()
        self.ledger.forget()

    def rewind(self) -> None:
        """Let the websockets go on from the clock's time, which a test has set back while none was open."""
        self.streams.go_on_from(self.clock.now_ms())

    def has_told(self, now: int) -> bool:
        """Tell whether all that happened by ``now`` has been handed to the open websockets."""
        return self.streams.has_told(now)

    def handed(self, slug: str) -> list[int]:
        """Return how many texts each of a venue's open websockets will have told its reader in the end."""
        return [connection.handed for connection in self.streams.of(slug)]

    def websockets(self, slug: str) -> int:
        """Count a venue's open websockets."""
        return len(self.streams.of(slug))

    def drop_connections(self, slug: str) -> int:
        """Cut a venue's websockets without a farewell; return how many."""
        return int(self._run(self.streams.drop(slug)))

    def start(self) -> None:
        """Listen, on the same port as before."""
        self._run(self._open())

    def stop(self) -> None:
        """Stop listening and cut every connection: connecting is refused until ``start``."""
        self._run(self._close())

    def close(self) -> None:
        """Stop for good."""
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_SECONDS)
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 whatever the work returns
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(START_SECONDS)

    async def _open(self) -> None:
        if self._runner is not None:
            return
        app = web.Application(client_max_size=1 << 20)
        app.router.add_route("*", "/{slug}/{path:.*}", self._handle)
        app.on_response_prepare.append(self._date)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, self.port, reuse_address=True, backlog=1024)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self.streams.start_pump()

    async def _close(self) -> None:
        await self.streams.stop_pump()
        for slug in self.venues:
            await self.streams.drop(slug)
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        venue = self.venues.get(request.match_info["slug"])
        if venue is None:
            return web.Response(status=404, text="no such venue")
        path = request.match_info["path"]
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self.streams.serve(venue, path, request)
        body = await self._body(request)
        call = Call(
            venue.slug, venue.endpoint(path, body), path, dict(request.query), body, self.clock.now_ms(), request
        )
        entry = self.ledger.arrived(call.slug, path, call.query | body, call.endpoint)
        response = await self._answer(venue, call, entry)
        entry.status = response.status
        return response

    async def _date(self, request: web.Request, response: web.StreamResponse) -> None:
        venue = self.venues.get(request.match_info.get("slug", ""))
        if venue is not None:
            response.headers["Date"] = formatdate(venue.stamp / 1000, usegmt=True)

    @staticmethod
    async def _body(request: web.Request) -> dict[str, Any]:
        with suppress(ValueError):
            found = json.loads(await request.text() or "{}")
            return found if isinstance(found, dict) else {}
        return {}

    async def _answer(self, venue: Venue, call: Call, entry: Request) -> web.StreamResponse:
        instead = await self.faults.instead(call, self.ledger)
        if instead is not None:
            return instead
        answer = self._compose(venue, call)
        self.faults.alter(call, answer)
        sent = await self.faults.send(call, answer, self.ledger.headers(call.slug, call.endpoint))
        entry.status = sent.status
        if sent.status == web.HTTPOk.status_code and not answer.spoilt:
            self.ledger.acknowledge(call.slug, answer)
        return sent

    @staticmethod
    def _compose(venue: Venue, call: Call) -> Answer:
        try:
            answer = venue.rest(call.path, call.query, call.body) if call.endpoint else venue.unknown()
        except RefusalError as refusal:
            answer = Answer(refusal.payload, status=refusal.status)
        answer.slug = venue.slug
        return answer


@contextmanager
def serve(
    *,
    market: Market,
    clock: AnyClock,
    faults: Iterable[Fault] = (),
    port: int = 0,
    ban_ms: Callable[[], int] = wall_ms,
) -> Iterator[Double]:
    """Run the double for a while; ``ban_ms`` is the time that its bans go by, the wall's unless a test moves it."""
    double = Double(market, clock, faults, port, ban_ms)
    try:
        double.start()
        yield double
    finally:
        double.close()


def whenever(condition: Callable[[], bool], *, seconds: float = 10) -> bool:
    """Wait until a condition holds; tell whether it did."""
    pause, waited = threading.Event(), 0.0
    while not condition() and waited < seconds:
        pause.wait(0.01)
        waited += 0.01
    return condition()
