"""Verify every chain of the journal: ``manage.py verify_journal [--owner EMAIL]``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from django.core.management.base import BaseCommand, CommandError

from journal import queries

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """Say what does not hold, and leave with 1 if anything does not."""

    help = "Verify the hash chains of the journal and that armed plans are what was armed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take an owner, or all."""
        parser.add_argument("--owner", help="e-mail address; all owners without it")

    def handle(self, *, owner: str | None, **_: object) -> None:
        """Verify."""
        owner_ids = queries.list_owner_ids(email=owner)
        if owner and not owner_ids:
            raise CommandError(f"There is no account {owner}.")
        found = [queries.verify_chain(owner_id=owner_id) for owner_id in owner_ids]
        findings = [finding for _, some in found for finding in some]
        for finding in findings:
            print(f"owner {finding.owner_id}, {finding.place}: {finding.sentence}")
        print(f"{sum(count for count, _ in found)} entries of {len(found)} owners, {len(findings)} findings")
        if findings:
            sys.exit(1)
