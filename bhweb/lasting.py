"""What the processes that last have in common."""

from __future__ import annotations

from django.core.management.base import BaseCommand


class LastingCommand(BaseCommand):
    """A command that becomes a server or a worker.

    ``prepare`` has checked the release before any of them starts. To check it in each again would load every page's
    code into processes that serve none.
    """

    requires_system_checks: list[str] = []  # noqa: RUF012  # Django's own way to leave them out
