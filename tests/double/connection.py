"""One open websocket: what it is subscribed to, and a writer that a slow reader cannot make others wait for."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from aiohttp import web

    from tests.double.ledger import Ledger
    from tests.double.venue import Answer, Topic, Venue

MOST_WAITING: Final = 200_000


@dataclass(eq=False)
class Connection:
    """Frames wait in ``outbox``, each with the answer that it delivers (None: a reply); None cuts the connection.

    handed: how many texts have been put there, which is how many a reader will have read in the end.
    """

    venue: Venue
    socket: web.WebSocketResponse
    combined: bool
    topics: dict[str, Topic] = field(default_factory=dict)
    outbox: asyncio.Queue[tuple[str, Answer | None] | None] = field(default_factory=asyncio.Queue)
    handed: int = 0

    def say(self, payload: Any) -> None:  # noqa: ANN401 text or an object
        """Reply."""
        self._hand(payload if isinstance(payload, str) else json.dumps(payload), None)

    def push(self, answer: Answer) -> None:
        """Send an event; one without a payload cuts the connection, and so does a reader that is far too slow."""
        if answer.payload is None or self.outbox.qsize() > MOST_WAITING:
            self.outbox.put_nowait(None)
            return
        payload = {"stream": answer.wire, "data": answer.payload} if self.combined else answer.payload
        self._hand(json.dumps(payload), answer)

    def _hand(self, text: str, answer: Answer | None) -> None:
        self.handed += 1
        self.outbox.put_nowait((text, answer))

    async def write(self, ledger: Ledger) -> None:
        """Send what waits until the connection ends; acknowledge what went out whole and true."""
        while (frame := await self.outbox.get()) is not None:
            text, answer = frame
            try:
                await self.socket.send_str(text)
            except (ConnectionError, RuntimeError):
                return
            if answer is not None and not answer.spoilt:
                ledger.acknowledge(self.venue.slug, answer)
        self.cut()

    def cut(self) -> None:
        """End without a farewell."""
        request = self.socket._req
        if request is not None and request.transport is not None:
            request.transport.abort()


async def ended(writer: asyncio.Task[None]) -> None:
    """Stop a writer."""
    writer.cancel()
    with suppress(asyncio.CancelledError):
        await writer
