"""The websocket side of every venue, on the client of ccxt.pro: raw messages, and a connection that proves it is alive.

Quiet markets are no sign of anything: what counts is that the venue answers pings. A connection that does not, or
that is slower to read than the venue is to speak, ends; nothing is left out while it lasts.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Final

from . import strict
from .base import SourceError
from .exchange import redirected

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from .base import Access, Channel, Heard, Venue

CONFIRM_S: Final = 10.0
PING_S: Final = 4.0
SILENT_S: Final = 10.0
WAITING: Final = 50_000
_CLOSE_S: Final = 1.0
_SHOWN: Final = 160


class _Socket:
    """One websocket of ccxt's, with our own idea of what it hands over and of when it is dead."""

    # Whom to trust takes ccxt a while to read: it is read once, however often lines are opened anew.
    _trust: ClassVar[Any] = None

    def __init__(self, url: str, ping: Any) -> None:  # noqa: ANN401 any JSON
        self._loop = asyncio.get_running_loop()
        self._ping = ping
        self._heard_at = self._loop.time()
        self._inbox: asyncio.Queue[str | SourceError] = asyncio.Queue()
        self._exchange = import_module("ccxt.pro").Exchange({"enableRateLimit": False})
        client_class = import_module("ccxt.async_support.base.ws.client").Client
        nothing = lambda *_: None  # noqa: E731 the hooks of an exchange that isn't there
        self.client = client_class(url, nothing, nothing, nothing, nothing, {"asyncio_loop": self._loop})
        self._on_frame = self.client.handle_message
        self.client.handle_message = self._frame
        self.client.handle_text_or_binary_message = self._text
        self.client.ping_loop = self._keep_alive
        self._ended = self.client.future("ended")
        self._ended.add_done_callback(self._end)

    async def open(self) -> None:
        """Connect; raise OSError or ccxt's error where that fails."""
        self._exchange.ssl_context = _Socket._trust
        self._exchange.open()
        _Socket._trust = self._exchange.ssl_context
        await self.client.open(self._exchange.session)
        if self._ended.done():
            await self._ended

    async def say(self, message: object) -> None:
        """Send one message, as JSON unless it is a text."""
        await self.client.send(message)

    async def next(self, *, deadline: float | None) -> str:
        """Return the next message; raise SourceError after the last, TimeoutError once the deadline is over."""
        if deadline is not None and self._loop.time() >= deadline:
            raise TimeoutError  # however much there is to read
        async with asyncio.timeout_at(deadline):
            item = await self._inbox.get()
        if isinstance(item, SourceError):
            raise item
        return item

    async def close(self) -> None:
        """Say good-bye, but don't wait long for one in return."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await self.client.close()
        await self._exchange.close()

    def _frame(self, frame: Any) -> None:  # noqa: ANN401 of aiohttp
        self._heard_at = self._loop.time()
        self._on_frame(frame)

    def _text(self, data: str | bytes) -> None:
        if self._inbox.qsize() >= WAITING:
            self._lose(f"more than {WAITING:,} messages wait to be read")
        else:
            self._inbox.put_nowait(data if isinstance(data, str) else data.decode("utf-8", "replace"))

    async def _keep_alive(self) -> None:
        while not self.client.closed():
            await asyncio.sleep(PING_S)
            if self._loop.time() - self._heard_at > SILENT_S:
                self._lose(f"nothing came for {SILENT_S:g} s, not even an answer to pings")
                return
            try:
                await (self.client.connection.ping() if self._ping is None else self.say(self._ping))
            except (OSError, RuntimeError) as error:  # the connection went away meanwhile
                self._lose(str(error))
                return

    def _lose(self, reason: str) -> None:
        if not self._ended.done():
            self._ended.reject(ConnectionError(reason))

    def _end(self, ended: Any) -> None:  # noqa: ANN401 of ccxt
        reason = None if ended.cancelled() else ended.exception()
        self._inbox.put_nowait(SourceError(f"the connection ended: {reason or 'closed'}", is_outage=True))


async def listen(venue: Venue, channel: Channel, *, access: Access) -> AsyncGenerator[Heard, None]:
    """Keep one websocket of a venue open and yield what is heard; see ``market.sources.base.Venue.listen``."""
    socket = _Socket(redirected(channel.url, address=access.address, slug=venue.slug), channel.ping)
    missing = set(channel.topics)
    try:
        await _open(socket, channel, venue.slug)
        deadline = asyncio.get_running_loop().time() + CONFIRM_S
        while True:
            try:
                text = await socket.next(deadline=deadline if missing else None)
            except TimeoutError as error:
                told = f"{venue.slug} did not confirm {', '.join(sorted(missing)):.{_SHOWN}} in {CONFIRM_S:g} s"
                raise SourceError(told, is_outage=True) from error
            heard = venue.hear(_decoded(text), channel=channel)
            if heard.refused:
                raise SourceError(f"{venue.slug} declines a topic: {heard.refused:.{_SHOWN}}", permanent=True)
            missing -= heard.confirmed
            yield heard
    finally:
        await socket.close()


async def _open(socket: _Socket, channel: Channel, slug: str) -> None:
    network_error = import_module("ccxt").NetworkError
    try:
        await socket.open()
        for request in channel.requests:
            await socket.say(request)
    except (OSError, network_error) as error:
        wait_s = socket.client.last_retry_after
        raise SourceError(
            f"{slug} took no websocket: {error!s:.{_SHOWN}}", retry_after_s=wait_s, is_outage=True
        ) from error


def _decoded(text: str) -> object:
    """Return a message's JSON, or its text where it is none: some venues answer pings with a bare word."""
    try:
        return strict.parse(text)
    except ValueError:
        return text
