"""``manage.py fit INSTRUMENT``: what its liquidations say about scale, turnover and leverage, kept and not used."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from heatmaps.operations.scoring import FIT, ScoreError, score

from .build_heatmap import parse_moment
from .score import as_json, as_text

if TYPE_CHECKING:
    import argparse


class Command(BaseCommand):
    """``fit bybit:BTCUSDT`` fits all liquidations that are stored with a price."""

    help = (
        "Fit scale, turnover and leverage weights to observed liquidations. Each fit is kept; none replaces the prior:"
        " a fit may only be promoted, as a new version, where its held-out deviance gain has an interval above zero."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare what may be given."""
        parser.add_argument("instrument", help="venue:symbol; complete feeds first, a thinned one tells less")
        parser.add_argument("--from", dest="since", type=parse_moment, help="begin there (default: with the first bar)")
        parser.add_argument("--to", dest="until", type=parse_moment, help="end there (default: with the newest bar)")
        parser.add_argument("--json", action="store_true", help="print the run as JSON")

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401 -- what argparse found
        """Fit, then show what was kept."""
        try:
            run = score(
                key=options["instrument"],
                against=FIT,
                now=timezone.now(),
                since=options["since"],
                until=options["until"],
            )
        except ScoreError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(as_json(run), indent=1) if options["json"] else as_text(run))
        if not options["json"]:
            may = "may be promoted" if run.settings["is_promotable"] else "may not be promoted: no gain is shown"
            self.stdout.write(f"The weights {may}.")
