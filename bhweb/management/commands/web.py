"""Serve pages and events."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from django.core.management.base import BaseCommand

from bhweb import streams

if TYPE_CHECKING:
    from argparse import ArgumentParser

# Open streams count as requests, so pages need room beside them.
PAGES: Final = 64


class Command(BaseCommand):
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
        os.execv(sys.executable, [sys.executable, "-m", "granian", *_arguments(options), "bhweb.server:app"])  # noqa: S606  # own interpreter, own arguments


def _arguments(options: dict[str, object]) -> list[str]:
    chosen = {
        "interface": "asgi",
        "host": options["host"],
        "port": options["port"],
        "workers": options["workers"],
        "backpressure": streams.STREAMS + PAGES,
        "workers-kill-timeout": 2,
        "http": "1",
    }
    values = [text for name, value in chosen.items() for text in (f"--{name}", str(value))]
    return [*values, "--no-ws", "--respawn-failed-workers"]
