"""Serve pages and events."""

from __future__ import annotations

import os
import resource
import sys
from typing import TYPE_CHECKING, Final

from bhweb import patience
from bhweb.lasting import LastingCommand

if TYPE_CHECKING:
    from argparse import ArgumentParser

# The server counts connections, idle ones too, and accepts no more above this: nobody may use it up by keeping
# still. Streams have a bound of their own (streams.py), pages wait for a thread (server.py).
CONNECTIONS: Final = 4096
# Files of the process that are no connections, and what is left where the system allows few.
OTHER_FILES: Final = 128
FEWEST: Final = 64
# A connection that says nothing for so long is closed, between requests too [ms].
SILENCE_MS: Final = 10_000


class Command(LastingCommand):
    """``manage.py web``."""

    help = "Serve the pages and the event stream."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to listen, with how many processes."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--workers", type=int, default=1)

    def handle(self, *_: object, **options: object) -> None:
        """Become the server."""
        # The processes that serve must end with the one that starts them, even when that is killed.
        os.environ["BH_WEB_STARTER"] = str(os.getpid())
        patience.PAGES.apply(os.environ)
        os.execv(sys.executable, [sys.executable, "-m", "granian", *_arguments(options), "bhweb.server:app"])  # noqa: S606  # own interpreter, own arguments


def _arguments(options: dict[str, object]) -> list[str]:
    chosen = {
        "interface": "asgi",
        "host": options["host"],
        "port": options["port"],
        "workers": options["workers"],
        "backpressure": _room(),
        "http1-header-read-timeout": SILENCE_MS,
        "workers-kill-timeout": 2,
        "http": "1",
    }
    values = [text for name, value in chosen.items() for text in (f"--{name}", str(value))]
    return [*values, "--no-ws", "--respawn-failed-workers"]


def _room() -> int:
    """Raise the limit of open files as far as this user may, and return how many connections fit below it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + OTHER_FILES
    files = wanted if most == resource.RLIM_INFINITY else min(most, wanted)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))
    return max(FEWEST, min(CONNECTIONS, files - OTHER_FILES))
