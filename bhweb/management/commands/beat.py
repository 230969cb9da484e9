"""Ask for each minute's work and look after the jobs."""

from __future__ import annotations

import logging
import signal
import threading
import time
from typing import TYPE_CHECKING, Final

from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

import access.tasks
from bhweb import celery, jobs, pipeline
from bhweb.lasting import LastingCommand
from market.tasks import keep_house

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

PRUNE_S: Final = 600.0


class Command(LastingCommand):
    """``manage.py beat``."""

    help = "Ask for each minute's work. A second one stands by."

    def handle(self, *_: object, **__: object) -> None:
        """Tick until told to stop; nothing that the database or the broker does ends it."""
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        beat = Beat()
        while not stop.is_set():
            beat.tick()
            stop.wait(pipeline.TICK.total_seconds())
        connection.close()


class Beat:
    """The schedule: it is at work while its database session holds the lock."""

    def __init__(self) -> None:
        self._is_leader = False
        self._pruned_at = -PRUNE_S

    def tick(self) -> None:
        """Do what is due, if no other beat does."""
        try:
            self._is_leader = self._is_leader or _lock()
            if self._is_leader:
                for work in (self._refresh, jobs.sweep, self._serve_early_access, self._send_mail, self._prune):
                    _try(work)
        except (DatabaseError, InterfaceError) as error:
            # The lock went with the session; whoever is first takes it up again.
            logger.warning("the database is away: %s", error)
            self._is_leader = False
            connection.close()

    def _refresh(self) -> None:
        pipeline.refresh(now=timezone.now())

    def _serve_early_access(self) -> None:
        access.tasks.serve_early_access(now=timezone.now())

    def _send_mail(self) -> None:
        for _ in range(access.tasks.count_mail_rounds()):
            celery.hint_at_mail()

    def _prune(self) -> None:
        if time.monotonic() - self._pruned_at >= PRUNE_S:
            jobs.prune()
            access.tasks.prune_mail()
            access.tasks.keep_early_access(now=timezone.now())
            keep_house(now=timezone.now())
            self._pruned_at = time.monotonic()


def _try(work: Callable[[], None]) -> None:
    """Let a fault in one duty not keep the others from being done."""
    try:
        work()
    except (DatabaseError, InterfaceError):
        raise
    except Exception:
        logger.exception("a duty failed")


def _lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext('bhweb.beat'), 0)")
        (is_mine,) = cursor.fetchone()
    return bool(is_mine)
