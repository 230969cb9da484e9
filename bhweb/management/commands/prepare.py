"""Bring the database and the static files up to date; on request, the demo and the local operator."""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.utils import timezone

import access.tasks
import journal.tasks
import market.tasks
from bhweb.walls import grant_web_role, grant_worker_role

if TYPE_CHECKING:
    from argparse import ArgumentParser

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    """``manage.py prepare``."""

    help = "Migrate and collect static files, once for each release."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what only an installation on one machine wants."""
        parser.add_argument("--demo", action="store_true", help="make the simulated instruments")
        parser.add_argument("--venues", action="store_true", help="make the default set of real instruments, once")
        parser.add_argument(
            "--operator-link", action="store_true", help="make the local operator, print a login link for a day as JSON"
        )

    def handle(self, *_: object, **options: object) -> None:
        """Do it all in one process, one process at a time."""
        with connection.cursor() as cursor:  # the session's lock goes with the process
            cursor.execute("SELECT pg_advisory_lock(hashtext('bhweb.prepare'), 0)")
        call_command("migrate", verbosity=0, interactive=False)
        grant_web_role()
        grant_worker_role()
        logger.info("migrated")
        journal.tasks.adopt_plans()
        collect_static()
        if options["demo"]:
            market.tasks.ensure_demo()
        if options["venues"] and settings.VENUES:
            market.tasks.ensure_default_set()
        if options["operator_link"]:
            self.stdout.write(json.dumps({"login": access.tasks.make_operator_link(now=timezone.now())}))


def collect_static() -> None:
    """Collect the static files, unless they are those of the last time: hashing and compressing takes seconds."""
    stamp = Path(settings.STATIC_ROOT) / ".sources"
    sources = _sources_digest()
    if stamp.exists() and stamp.read_text() == sources:
        return
    call_command("collectstatic", verbosity=0, interactive=False)
    stamp.write_text(sources)
    logger.info("static files collected")


def _sources_digest() -> str:
    """Return one digest of every source's path, size and time of change, and of what works on them."""
    digest = hashlib.sha256(json.dumps(settings.STORAGES, sort_keys=True, default=str).encode())
    sources = [Path(store.path(path)) for finder in get_finders() for path, store in finder.list(None)]
    makers = [settings.BASE_DIR / f"bhweb/{name}.py" for name in ("fonts", "joining", "storage")]
    for source in (*sources, *makers, settings.BASE_DIR / "requirements.txt"):
        status = source.stat()
        digest.update(f"{source}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
