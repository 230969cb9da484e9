"""The web process: open streams natively, every page through Django in threads."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING, Any, Final, cast

from a2wsgi import WSGIMiddleware
from django.conf import settings

from bhweb import bodies, lifeline
from bhweb.wsgi import application

# Importable only after wsgi has set Django up.
from bhweb import refusals, streams, turnstile  # isort: skip

if TYPE_CHECKING:
    from bhweb.streams import Receive, Scope, Send

THREADS: Final = 8
# Set by the command that starts the server, to the process id of the main process.
STARTER: Final = "BH_WEB_STARTER"

if STARTER in os.environ:
    lifeline.die_with(int(os.environ[STARTER]))

# The two sides describe the same protocol in types that do not meet.
pages: Any = WSGIMiddleware(cast("Any", application), workers=THREADS)


class Server:
    """One ASGI application per process."""

    def __init__(self) -> None:
        self._hub: streams.Hub | None = None
        self._intake = bodies.Intake(seconds=settings.BODY_SECONDS, most=settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        # Files wait in a room of their own: they take nothing from the bodies of all other pages.
        self._files = bodies.Intake(seconds=6 * settings.BODY_SECONDS, most=settings.FILE_BYTES_MOST)
        self._turnstile = turnstile.Turnstile()
        self._goodbye: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request to whom it concerns."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http" and scope["path"] == "/events" and self._hub is not None:
            await streams.serve(self._hub, scope, receive, send)
        elif scope["type"] == "http":
            await self._page(scope, receive, send)

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        intake = self._files if scope["path"] in settings.FILE_PATHS else self._intake
        try:
            # Nobody's turn comes before their request has arrived.
            async with intake.whole(receive) as replayed, self._turnstile.turn(scope):
                await pages(scope, replayed, send)
        except bodies.RefusedError as refused:
            await refusals.refuse(refused, scope, send)
        except bodies.GoneError:
            return

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self._hub = streams.Hub()
        # The server ends its connections before it says that it stops, so the pages are told at the signal.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._stop, self._hub)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._hub.close()
        await send({"type": "lifespan.shutdown.complete"})

    def _stop(self, hub: streams.Hub) -> None:
        self._goodbye = asyncio.create_task(hub.close())
        # granian takes either signal for its own.
        self._goodbye.add_done_callback(lambda _: os.kill(os.getpid(), signal.SIGINT))


app = Server()
