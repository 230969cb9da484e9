"""Websockets: who is subscribed to what, and the pump that pushes what happens as virtual time goes on."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from aiohttp import WSMsgType, web

from tests.double.connection import Connection, ended
from tests.double.tape import BARS, MINUTE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.double.clock import AnyClock
    from tests.double.faults import Faults
    from tests.double.ledger import Ledger
    from tests.double.market import Listing
    from tests.double.tape import Records
    from tests.double.venue import Answer, Topic, Venue

PAUSE: Final = 0.01
TICK_MS: Final = 5_000  # virtual time between tickers and between updates of the open bar
TICK_SECONDS: Final = 0.5  # and the least of the wall's
NO_ROWS: Final = np.empty(0, BARS)


class Streams:
    """All open websockets and the pump."""

    def __init__(self, venues: Mapping[str, Venue], ledger: Ledger, faults: Faults, clock: AnyClock) -> None:
        self.venues, self.ledger, self.faults, self.clock = venues, ledger, faults, clock
        self.connections: list[Connection] = []
        self._pump: asyncio.Task[None] | None = None
        self._done_ms = clock.now_ms()
        self._ticked = (clock.now_ms(), 0.0)

    def go_on_from(self, now: int) -> None:
        """Forget what was pushed after ``now``."""
        self._done_ms, self._ticked = now, (now, 0.0)

    def has_told(self, now: int) -> bool:
        """Tell whether everything by ``now`` is pushed and sent."""
        return self._done_ms >= now and all(connection.outbox.empty() for connection in self.connections)

    def of(self, slug: str) -> list[Connection]:
        """Return a venue's open connections."""
        return [connection for connection in self.connections if connection.venue.slug == slug]

    async def drop(self, slug: str) -> int:
        """Cut a venue's connections."""
        found = self.of(slug)
        for connection in found:
            self._forget(connection)
            connection.cut()
        return len(found)

    def _forget(self, connection: Connection) -> None:
        with suppress(ValueError):
            self.connections.remove(connection)

    async def serve(self, venue: Venue, path: str, request: web.Request) -> web.WebSocketResponse:
        """Hold one websocket until it ends."""
        socket = web.WebSocketResponse(autoping=False, max_msg_size=1 << 20)
        await socket.prepare(request)
        connection = Connection(venue, socket, "stream" in path.split("/"))
        connection.topics |= {topic.wire: topic for topic in venue.greet(path, dict(request.query))}
        self.connections.append(connection)
        self.ledger.connected(venue.slug, path)
        writer = asyncio.get_running_loop().create_task(connection.write(self.ledger))
        try:
            async for message in socket:
                await self._take(connection, message.type, message.data)
        finally:
            self._forget(connection)
            await ended(writer)
        return socket

    async def _take(self, connection: Connection, kind: WSMsgType, data: Any) -> None:  # noqa: ANN401 text or bytes
        slug, now = connection.venue.slug, self.clock.now_ms()
        if kind == WSMsgType.PING:
            if not self.faults.muted(slug, "ws.pong", now):
                await connection.socket.pong(data)
            return
        if kind != WSMsgType.TEXT:
            return
        try:
            message = json.loads(data)
        except ValueError:
            message = data
        is_ping = data == "ping" or (isinstance(message, dict) and "ping" in {message.get("op"), message.get("method")})
        if self.faults.muted(slug, "ws.pong" if is_ping else "ws.subscribe", now):
            return
        for reply in connection.venue.receive(message, connection.topics):
            connection.say(reply)

    def start_pump(self) -> None:
        """Begin to push."""
        self._pump = asyncio.get_running_loop().create_task(self._run())

    async def stop_pump(self) -> None:
        """End it."""
        if self._pump is not None:
            self._pump.cancel()
            with suppress(asyncio.CancelledError):
                await self._pump
            self._pump = None

    async def _run(self) -> None:
        while True:
            now = self.clock.now_ms()
            if self.connections and now > self._done_ms:
                self._advance(now)
            self._done_ms = max(self._done_ms, now)
            await asyncio.sleep(PAUSE)

    def _advance(self, now: int) -> None:
        """Push what happened since the last round, minute by minute."""
        since = self._done_ms
        while since < now:
            until = min((since // MINUTE + 1) * MINUTE, now)
            for connection in list(self.connections):
                self._push_prints(connection, since, until)
                if until % MINUTE == 0:
                    self._push_bars(connection, until - MINUTE)
            since = until
        loop_time = asyncio.get_running_loop().time()
        if now >= self._ticked[0] + TICK_MS and loop_time >= self._ticked[1] + TICK_SECONDS:
            self._ticked = (now, loop_time)
            for connection in list(self.connections):
                self._push_tickers(connection, now)

    def _subscribed(self, connection: Connection, *kinds: str) -> list[tuple[Topic, Listing]]:
        listings = connection.venue.market.listings[connection.venue.slug]
        found = []
        for topic in list(connection.topics.values()):
            if topic.kind in kinds:
                symbols = list(listings) if topic.symbol == "*" else [topic.symbol]
                found += [(topic, listings[symbol]) for symbol in symbols if symbol in listings]
        return found

    def _push_prints(self, connection: Connection, since: int, until: int) -> None:
        for topic, listing in self._subscribed(connection, "liquidations"):
            # A venue that samples by the second publishes a second when it is over.
            rows = listing.prints(since=since // 1000 * 1000, until=until // 1000 * 1000)
            if len(rows):
                self._send(connection, topic, connection.venue.push(topic, listing, rows, closed=True))

    def _push_bars(self, connection: Connection, opened: int) -> None:
        batches: dict[str, list[tuple[Topic, Answer]]] = {}
        for topic, listing in self._subscribed(connection, "bars", "marks"):
            rows = listing.bars(since=opened, until=opened + MINUTE, now=opened + MINUTE, series=topic.kind)
            written = connection.venue.push(topic, listing, rows, closed=True)
            batches.setdefault(topic.kind, []).extend((topic, answer) for answer in written)
        for kind, batch in batches.items():
            self._send_batch(connection, kind, batch)

    def _push_tickers(self, connection: Connection, now: int) -> None:
        for topic, listing in self._subscribed(connection, "ticker", "interest", "trades"):
            if listing.is_listed(now):
                self._send(connection, topic, connection.venue.push(topic, listing, NO_ROWS, closed=False))
        for topic, listing in self._subscribed(connection, "bars", "marks"):
            rows = self._open_row(listing, now, topic.kind)
            self._send(connection, topic, connection.venue.push(topic, listing, rows, closed=False))

    @staticmethod
    def _open_row(listing: Listing, now: int, series: str) -> Records:
        return listing.bars(since=now // MINUTE * MINUTE, until=now + 1, now=now, series=series)

    def _send(self, connection: Connection, topic: Topic, answers: list[Answer]) -> None:
        self._send_batch(connection, topic.kind, [(topic, answer) for answer in answers])

    def _send_batch(self, connection: Connection, kind: str, batch: list[tuple[Topic, Answer]]) -> None:
        slug, now = connection.venue.slug, self.clock.now_ms()
        if not batch or self.faults.muted(slug, f"ws.{kind}", now):
            return
        for topic, answer in batch:
            answer.slug, answer.wire, answer.peer = slug, topic.wire, id(connection)
            self.faults.alter_at(slug, f"ws.{kind}", now, answer)
        for answer in self.faults.frames(slug, f"ws.{kind}", now, [answer for _, answer in batch]):
            connection.push(answer)
