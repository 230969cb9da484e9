"""Work through a queue of jobs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from django.core.management.base import BaseCommand

from bhweb import patience
from bhweb.celery import BACKFILL, LIVE, app

if TYPE_CHECKING:
    from argparse import ArgumentParser

# A process that has grown beyond this is replaced after its job.
MEMORY_KIB: Final = 1_000_000


class Command(BaseCommand):
    """``manage.py worker``."""

    help = "Work through the jobs of one queue."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which queue, with how many processes."""
        parser.add_argument("--queue", choices=[LIVE, BACKFILL], default=LIVE)
        parser.add_argument("--concurrency", type=int, default=1)

    def handle(self, *_: object, **options: object) -> None:
        """Become a worker; being killed is the normal way to stop, so do not wait for the work to end."""
        os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")
        patience.WORK.apply(os.environ)
        app.worker_main(
            [
                "worker",
                f"--queues={options['queue']}",
                f"--hostname={options['queue']}-{os.getpid()}@%h",
                f"--concurrency={options['concurrency']}",
                "--pool=prefork",
                "--prefetch-multiplier=1",
                f"--max-memory-per-child={MEMORY_KIB}",
                "--without-gossip",
                "--without-mingle",
                "--loglevel=INFO",
            ]
        )
