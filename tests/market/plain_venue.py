"""A venue whose websockets say little, on a real server, and an ear for them."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest
from aiohttp import web

from market.sources import stream
from market.sources.base import Access, Channel, Heard, SourceError
from market.sources.strict import Row, UnreadableError, fault_of
from tests.market.venues.canned import OpenGate

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

    from market.sources.base import Venue

    Behave = Callable[[web.WebSocketResponse], Awaitable[None]]

TOPICS = frozenset({"a", "b"})
SUBSCRIBE = {"subscribe": ["a", "b"]}
ACK = '{"ok": ["a", "b"]}'
CHANNEL = Channel("wss://venue.example/stream/ws", (SUBSCRIBE,), TOPICS, {})


class Plain:
    """A venue that says {"ok": [topics]}, {"no": reason} and {"n": number}."""

    slug = "plain"

    def __init__(self) -> None:
        self.heard: list[object] = []

    def hear(self, message: object, *, channel: Channel) -> Heard:
        self.heard.append(message)
        try:
            row = Row(message)
        except UnreadableError as error:
            return Heard(faults=(fault_of(message, str(error)),))
        return Heard(confirmed=frozenset(row.fields.get("ok", ())), refused=row.fields.get("no", ""))


@asynccontextmanager
async def serving(
    behave: Behave, *, answers_pings: bool = True, status: int = 0
) -> AsyncIterator[tuple[str, list[Any]]]:
    """Serve websockets that read the first message and then do what the test says."""
    asked: list[Any] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        if status:
            return web.Response(status=status, headers={"Retry-After": "30"})
        socket = web.WebSocketResponse(autoping=answers_pings, autoclose=answers_pings)
        await socket.prepare(request)
        asked.append(await socket.receive_json())
        await behave(socket)
        return socket

    app = web.Application()
    app.router.add_get("/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", asked
    finally:
        await runner.cleanup()


def ear(venue: Plain, address: str, channel: Channel = CHANNEL) -> AsyncGenerator[Heard, None]:
    return stream.listen(cast("Venue", venue), channel, access=Access(OpenGate(), address))


async def listening(venue: Plain, address: str, channel: Channel = CHANNEL) -> None:
    """Listen until it ends."""
    async with aclosing(ear(venue, address, channel)) as heard:
        async for _ in heard:
            pass


async def hear_all(venue: Plain, address: str) -> SourceError:
    """Listen to the end, and return what ended it."""
    with pytest.raises(SourceError) as caught:
        await listening(venue, address)
    return caught.value


async def idle(socket: web.WebSocketResponse) -> None:
    """Confirm, and then only answer what the library answers by itself."""
    await socket.send_str(ACK)
    async for _ in socket:
        pass


async def seconds_of(work: Awaitable[SourceError]) -> tuple[float, SourceError]:
    began = asyncio.get_running_loop().time()
    error = await work
    return asyncio.get_running_loop().time() - began, error
