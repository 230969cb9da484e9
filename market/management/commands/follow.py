"""``manage.py follow VENUE``: fetch what a source offers from now on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from market.operations import ensure_instruments
from market.sources import SOURCES
from market.sources.base import SourceError

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """Make a source's instruments."""

    help = "Make the instruments that a source offers, live: the pipeline fetches them each minute."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what may be given."""
        parser.add_argument("venue", help=f"one of: {', '.join(SOURCES)}")

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401 Django hands over parsed options
        """Make them and name them."""
        try:
            made = ensure_instruments(slug=options["venue"])
        except SourceError as error:
            raise CommandError(str(error)) from error
        for instrument in made:
            self.stdout.write(f"{instrument.key} is fetched each minute")
