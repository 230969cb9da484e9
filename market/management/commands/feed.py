"""``manage.py feed``: listen to the venues of live instruments."""

from __future__ import annotations

import asyncio
import signal

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from market.operations.feed import Timing, run_feed


class Command(BaseCommand):
    """Listen until told to stop."""

    help = "Listen to the websockets of all live instruments' venues. A second one stands by."

    def handle(self, *_args: object, **_options: object) -> None:
        """Run the loop; a signal ends it after what was heard is written."""
        asyncio.run(_listen())


async def _listen() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await run_feed(timing=Timing(now=timezone.now, speed=settings.CLOCK_SPEED), stop=stop)
