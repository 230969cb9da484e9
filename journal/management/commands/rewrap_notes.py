"""Wrap the keys of notes by the first key of BH_NOTES_KEYS: ``manage.py rewrap_notes``."""

from __future__ import annotations

from django.core.management.base import BaseCommand

from journal import operations


class Command(BaseCommand):
    """Put a new first key to use; afterwards the old one can be taken out of BH_NOTES_KEYS."""

    help = "Wrap every owner's key of notes by the first key of BH_NOTES_KEYS."

    def handle(self, **_: object) -> None:
        """Wrap."""
        print(f"{operations.rewrap_keys()} keys are wrapped by the first key of BH_NOTES_KEYS")
