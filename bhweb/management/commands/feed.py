"""Listen to the venues of live instruments."""

from __future__ import annotations

import asyncio
import os
import signal

from django.conf import settings
from django.utils import timezone

import market.tasks
from bhweb import patience
from bhweb.lasting import LastingCommand


class Command(LastingCommand):
    """``manage.py feed``."""

    help = "Listen to the websockets of all live instruments' venues. A second one stands by."

    def handle(self, *_: object, **__: object) -> None:
        """Run the loop; a signal ends it after what was heard is written."""
        patience.WORK.apply(os.environ)
        asyncio.run(_listen())


async def _listen() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await market.tasks.run_feed(now=timezone.now, speed=settings.CLOCK_SPEED, stop=stop)
