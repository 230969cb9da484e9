"""``manage.py calibrate``: factors of the intervals, from simulated worlds, for the next version of an estimator."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from heatmaps.operations.scoring import ScoreError, calibrate_intervals, measure_doubts

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """``calibrate --seeds 101-106`` prints the tables that ``heatmaps.core.bands`` freezes.

    ``calibrate --doubts --seeds 201-203`` prints the spreads that ``heatmaps.core.doubts`` widens them by.
    """

    help = "Print factors of the intervals, or what widens them, from simulated worlds; nothing is changed by it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what may be given."""
        parser.add_argument("--seeds", type=_seeds, default="101-106", help="first-last; not those that are scored")
        parser.add_argument("--days", type=int, default=60)
        parser.add_argument("--doubts", action="store_true", help="how far the map moves when it is told less")
        parser.add_argument("--jobs", type=int, default=2)

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401 -- what argparse found
        """Calibrate and print."""
        try:
            measure = measure_doubts if options["doubts"] else calibrate_intervals
            found = measure(seeds=options["seeds"], days=options["days"], jobs=options["jobs"])
        except ScoreError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(found))


def _seeds(text: str) -> range:
    first, _, last = text.partition("-")
    try:
        return range(int(first), int(last or first) + 1)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no range of seeds; write one such as 101-106") from error
