"""``manage.py calibrate``: factors of the intervals, from simulated worlds, for the next version of an estimator."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from heatmaps.operations.scoring import ScoreError, calibrate_intervals

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """``calibrate --seeds 101-106`` prints the tables that ``heatmaps.core.bands`` freezes."""

    help = "Print factors of the intervals from simulated worlds; nothing is changed by it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what may be given."""
        parser.add_argument("--seeds", type=_seeds, default="101-106", help="first-last; not those that are scored")
        parser.add_argument("--days", type=int, default=60)
        parser.add_argument("--jobs", type=int, default=2)

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401 -- what argparse found
        """Calibrate and print."""
        try:
            found = calibrate_intervals(seeds=options["seeds"], days=options["days"], jobs=options["jobs"])
        except ScoreError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(found))


def _seeds(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)
