"""Server-sent events: one listener to Redis per process, one database read per change, many open streams."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

import redis.asyncio
from django.conf import settings
from django.utils import timezone

from bhweb import events
from bhweb.failures import AWAY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    Scope: TypeAlias = dict[str, Any]
    Receive: TypeAlias = Callable[[], Awaitable[dict[str, Any]]]
    Send: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]

Answer = TypeVar("Answer")

logger = logging.getLogger(__name__)

# Of one process; the server takes many more connections (management/commands/web.py).
STREAMS: Final = 500
STREAMS_PER_USER: Final = 4
WAITING: Final = 8
# A stream is closed after a while, and whoever comes back is asked for a session again [s].
LIFETIME_S: Final = 600
RETRY_MS: Final = (3_000, 15_000)
RECONNECT_S: Final = 1.0
GOODBYE_S: Final = 0.5
HEADERS: Final = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"private, no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
)


@dataclass(eq=False, slots=True)
class Stream:
    """What one open page has still to be told; a slow page loses the oldest news, which the newest contain."""

    user_id: int
    key: str
    waiting: deque[bytes] = field(default_factory=lambda: deque(maxlen=WAITING))
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    is_closing: bool = False

    def tell(self, message: bytes) -> None:
        """Hand over a message without waiting for the reader."""
        self.waiting.append(message)
        self.wake.set()


class Hub:
    """The open streams of this process and the listener that feeds them."""

    def __init__(self) -> None:
        self._streams: set[Stream] = set()
        self._changed: set[str] = set()
        self._wake = asyncio.Event()
        self._drained = asyncio.Event()
        # Two threads, so two database sessions, however many pages are open.
        self._readers = ThreadPoolExecutor(2, "events")
        self._tasks = [asyncio.create_task(work()) for work in (self._listen, self._spread)]

    async def close(self) -> None:
        """Say goodbye to every page and stop listening."""
        for stream in self._streams:
            stream.is_closing = True
            stream.tell(message("bye", {}))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._streams:
            self._drained.clear()
            await asyncio.wait([asyncio.ensure_future(self._drained.wait())], timeout=GOODBYE_S)

    @contextlib.contextmanager
    def opened(self, user_id: int, key: str) -> Iterator[Stream]:
        """Count a stream in and out; raise Refusal above the caps."""
        own = sum(stream.user_id == user_id for stream in self._streams)
        if own >= STREAMS_PER_USER or len(self._streams) >= STREAMS:
            raise events.Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "Too many open streams; ask for /tick/ instead.")
        stream = Stream(user_id, key)
        self._streams.add(stream)
        try:
            yield stream
        finally:
            self._streams.discard(stream)
            if not self._streams:
                self._drained.set()

    async def ask(self, work: Callable[..., Answer], *arguments: object) -> Answer:
        """Run a database read in one of the reader threads."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, work, *arguments)

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except (redis.asyncio.RedisError, OSError) as error:
                logger.warning("Redis is away, pages get the time only: %s", error)
            await asyncio.sleep(RECONNECT_S)

    async def _listen_once(self) -> None:
        connection = redis.asyncio.Redis.from_url(settings.EVENTS_URL, health_check_interval=5)
        async with connection, connection.pubsub(ignore_subscribe_messages=True) as subscription:
            await subscription.subscribe(events.CHANNEL)
            # News may have been missed while nobody listened.
            self._mark({stream.key for stream in self._streams})
            while True:
                news = await subscription.get_message(timeout=5)
                if news is not None:
                    self._mark(_subject(news["data"]))

    def _mark(self, keys: set[str]) -> None:
        self._changed |= keys & {stream.key for stream in self._streams}
        if self._changed:
            self._wake.set()

    async def _spread(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            changed, self._changed = self._changed, set()
            for key in changed:
                await self._spread_one(key)

    async def _spread_one(self, key: str) -> None:
        try:
            news = message("tick", await self.ask(events.current_tick, key))
        except AWAY as error:
            logger.warning("no tick for %s, the database is away: %s", key, error)
            return
        except Exception:
            logger.exception("no tick for %s", key)
            return
        for stream in [stream for stream in self._streams if stream.key == key]:
            stream.tell(news)


def _subject(data: bytes) -> set[str]:
    try:
        return {str(json.loads(data)["instrument"])}
    except (ValueError, TypeError, KeyError):
        return set()


def message(event: str, data: dict[str, object]) -> bytes:
    """Write an event as the protocol wants it."""
    return f"event: {event}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


async def serve(hub: Hub, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request for /events with a stream, or with the reason why not."""
    try:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        user_id, key = await hub.ask(events.admit, scope["method"], headers, scope["query_string"].decode("latin-1"))
        with hub.opened(user_id, key) as stream:
            await _stream(hub, stream, receive, send)
    except events.Refusal as refusal:
        await _refuse(refusal, send)
    except AWAY as error:  # before the first byte: an open stream asks nothing of the database
        logger.warning("no stream, the database is away: %s", error)
        await _refuse(events.Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "The database does not answer."), send)


async def _refuse(refusal: events.Refusal, send: Send) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"private, no-store")]
    if refusal.status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append((b"retry-after", str(secrets.choice(range(3, 16))).encode()))
    await send({"type": "http.response.start", "status": refusal.status.value, "headers": headers})
    await send({"type": "http.response.body", "body": f"{refusal.reason}\n".encode()})


async def _stream(hub: Hub, stream: Stream, receive: Receive, send: Send) -> None:
    start = message("tick", await hub.ask(events.current_tick, stream.key))
    # Pages that a restart cut off must not come back all at once.
    retry = f"retry: {secrets.choice(range(*RETRY_MS))}\n\n".encode()
    await send({"type": "http.response.start", "status": 200, "headers": list(HEADERS)})
    await send({"type": "http.response.body", "body": retry + start, "more_body": True})
    gone = asyncio.create_task(_disconnected(receive))
    try:
        await _talk(stream, gone, send)
    finally:
        gone.cancel()


async def _talk(stream: Stream, gone: asyncio.Task[None], send: Send) -> None:
    until = time.monotonic() + LIFETIME_S
    while not gone.done() and not (stream.is_closing and not stream.waiting):
        if not stream.waiting:
            await _wait(stream, gone)
        if time.monotonic() > until:
            stream.is_closing = True
            stream.tell(message("bye", {}))
        news = b"".join(stream.waiting) or message("clock", {"now_ms": int(timezone.now().timestamp() * 1000)})
        stream.waiting.clear()
        stream.wake.clear()
        await send({"type": "http.response.body", "body": news, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _wait(stream: Stream, gone: asyncio.Task[None]) -> None:
    woken = asyncio.create_task(stream.wake.wait())
    await asyncio.wait({woken, gone}, timeout=settings.EVENTS_HEARTBEAT_S, return_when=asyncio.FIRST_COMPLETED)
    woken.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
