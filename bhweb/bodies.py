"""Bodies are read whole before a thread is given to a request: whoever sends slowly holds no thread."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bhweb.streams import Receive

# Of all requests at once [bytes].
ALL_BYTES: Final = 64 << 20


class GoneError(Exception):
    """The client left before its request was complete."""


@dataclass(eq=False, slots=True)  # not frozen: what it passes on its way notes the trace on it
class RefusedError(Exception):
    """Why a request is not taken."""

    status: HTTPStatus


class Intake:
    """Reads each body within a time and a size, and all of them within a size."""

    def __init__(self, *, seconds: float, most: int, most_of_all: int = ALL_BYTES) -> None:
        self._seconds, self._most, self._most_of_all = seconds, most, most_of_all
        self._held = 0

    @asynccontextmanager
    async def whole(self, receive: Receive) -> AsyncIterator[Receive]:
        """Read to the end and return what replays it; raise GoneError or RefusedError."""
        body = bytearray()
        try:
            await self._read(receive, body)
            yield _replay(bytes(body), receive)
        finally:
            self._held -= len(body)

    async def _read(self, receive: Receive, body: bytearray) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                while await self._read_more(receive, body):
                    pass
        except TimeoutError:
            raise RefusedError(HTTPStatus.REQUEST_TIMEOUT) from None

    async def _read_more(self, receive: Receive, body: bytearray) -> bool:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise GoneError
        part = message.get("body", b"")
        body += part
        self._held += len(part)
        if len(body) > self._most:
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        if self._held > self._most_of_all:
            raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE)
        return bool(message.get("more_body", False))


def _replay(body: bytes, receive: Receive) -> Receive:
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def received() -> dict[str, Any]:
        return waiting.pop() if waiting else await receive()

    return received
