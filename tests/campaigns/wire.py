"""A wire between a browser and the web server, of which the event stream alone, or all, can be cut or fall silent."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import Iterator

STREAM: Final = b"GET /events"
PIECE: Final = 1 << 16
# What may be done to connections: nothing, an end, or that nothing comes through any more.
OPEN, CUT, HANG = "open", "cut", "hang"


@dataclass(eq=False)
class Link:
    """One connection; once silent it stays so, as one whose other end is gone without a word."""

    near: StreamWriter
    far: StreamWriter
    is_stream: bool = False
    is_silent: bool = False

    def cut(self) -> None:
        """End it on both sides."""
        for end in (self.near, self.far):
            end.transport.abort()


@dataclass
class Wire:
    """Hands on what is said at ``port`` to the web server."""

    target: int
    port: int = 0
    _mode: str = OPEN
    _is_all: bool = False
    _links: set[Link] = field(default_factory=set)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def set(self, mode: str, *, is_all: bool = False) -> None:
        """Do something to streams, or to all connections, to those that are open and to those to come."""
        done = threading.Event()
        self._loop.call_soon_threadsafe(self._set, mode, is_all, done)
        done.wait(5)

    def _set(self, mode: str, is_all: bool, done: threading.Event) -> None:  # a callback's arguments
        self._mode, self._is_all = mode, is_all
        for link in list(self._links):
            self._treat(link)
        done.set()

    def _treat(self, link: Link) -> None:
        if self._mode == OPEN or not (self._is_all or link.is_stream):
            return
        if self._mode == CUT:
            link.cut()
        else:
            link.is_silent = True

    async def serve(self, ready: threading.Event) -> None:
        """Listen for ever."""
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        async with server:
            await server.serve_forever()

    async def _connect(self, near_in: StreamReader, near: StreamWriter) -> None:
        try:
            far_in, far = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            near.transport.abort()
            return
        link = Link(near, far)
        self._links.add(link)
        self._treat(link)
        try:
            await asyncio.gather(self._pump(link, near_in, far, is_asking=True), self._pump(link, far_in, near))
        finally:
            self._links.discard(link)
            link.cut()

    async def _pump(self, link: Link, source: StreamReader, to: StreamWriter, *, is_asking: bool = False) -> None:
        with suppress(OSError):
            while piece := await source.read(PIECE):
                if is_asking and piece.startswith(STREAM):
                    link.is_stream = True
                    self._treat(link)
                if not link.is_silent:
                    to.write(piece)
                    await to.drain()
        # A side that has ended ends the other, but for one that nothing is heard of.
        if is_asking or not link.is_silent:
            link.cut()

    def run(self, ready: threading.Event) -> None:
        """Run the loop in the thread that calls."""
        asyncio.set_event_loop(self._loop)
        with suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self.serve(ready))
        left = asyncio.all_tasks(self._loop)
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self._loop.close()

    def end(self) -> None:
        """Stop listening and cut what is open."""
        for task in asyncio.all_tasks(self._loop):
            task.cancel()


@contextmanager
def wired(target: int) -> Iterator[Wire]:
    """Lay a wire to a port of this machine."""
    wire, ready = Wire(target), threading.Event()
    thread = threading.Thread(target=wire.run, args=(ready,), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield wire
    finally:
        wire._loop.call_soon_threadsafe(wire.end)  # its maker
        thread.join(10)
