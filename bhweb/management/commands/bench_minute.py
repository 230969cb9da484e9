"""A process of ``manage.py bench advance``, which starts it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.core.management.base import BaseCommand

from bhweb.capacity import minute

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """``manage.py bench_minute SLOT [SHARE SHARES]``."""

    help = "Ask for the maps of a minute, or read one share of its layers; `bench advance` starts this."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare which minute, and which share."""
        parser.add_argument("slot", type=dt.datetime.fromisoformat)
        parser.add_argument("share", type=int, nargs="?")
        parser.add_argument("shares", type=int, nargs="?", default=1)

    def handle(self, *_: object, slot: dt.datetime, share: int | None, shares: int, **__: object) -> None:
        """Do one of the two."""
        if share is None:
            minute.ask(slot_at=slot)
        else:
            minute.read(slot_at=slot, share=share, shares=shares)
