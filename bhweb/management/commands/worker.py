"""Work through queues of jobs and mail."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from bhweb import patience
from bhweb.celery import BACKFILL, LIVE, MAIL, app
from bhweb.lasting import LastingCommand

if TYPE_CHECKING:
    from argparse import ArgumentParser

# A process that has grown beyond this is replaced after its job.
MEMORY_KIB: Final = 1_000_000


class Command(LastingCommand):
    """``manage.py worker``."""

    help = "Work through one queue or several."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which queues, with how many processes."""
        parser.add_argument("--queue", choices=[LIVE, BACKFILL, MAIL], nargs="+", default=[LIVE])
        parser.add_argument("--concurrency", type=int, default=1)

    def handle(self, *_: object, **options: Any) -> None:  # noqa: ANN401  # Django's signature
        """Become a worker; being killed is the normal way to stop, so do not wait for the work to end."""
        os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")
        os.environ.setdefault("CELERY_SKIP_CHECKS", "1")  # as LastingCommand has it
        patience.WORK.apply(os.environ)
        app.worker_main(
            [
                "worker",
                f"--queues={','.join(options['queue'])}",
                f"--hostname={'-'.join(options['queue'])}-{os.getpid()}@%h",
                f"--concurrency={options['concurrency']}",
                "--pool=prefork",
                "--prefetch-multiplier=1",
                f"--max-memory-per-child={MEMORY_KIB}",
                "--without-gossip",
                "--without-mingle",
                "--loglevel=INFO",
            ]
        )
