"""A process of ``manage.py bench ingest``, which starts it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.management.base import BaseCommand

from bhweb.capacity import polling

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """``manage.py bench_worker SHARE SHARES``."""

    help = "Ask the venues for one share of the live instruments; `bench ingest` starts this."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare which share."""
        parser.add_argument("share", type=int)
        parser.add_argument("shares", type=int)

    def handle(self, *_: object, share: int, shares: int, **__: object) -> None:
        """Run until ended."""
        polling.follow(share=share, shares=shares)
