"""``manage.py bench WHAT``: how fast this machine does the heavy work."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ObjectDoesNotExist
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable, Mapping

# What can be measured -> the task that measures it: a function of ``options`` that returns figures by name.
BENCHES: Final[Mapping[str, str]] = {
    "import": "market.tasks.bench_import",
    "heatmap": "heatmaps.tasks.bench_heatmap",
    "layers": "heatmaps.tasks.bench_layers",
    "settle": "bhweb.capacity.settling.run",
    "chain": "journal.tasks.bench_chain",
    "trades": "journal.tasks.bench_trades",
    "zones": "heatmaps.tasks.bench_zones",
    "ingest": "bhweb.capacity.run",
    "advance": "bhweb.capacity.advancing.run",
    "storage": "bhweb.capacity.storing.run",
}


class Command(BaseCommand):
    """Measure and print."""

    help = "Measure how fast this machine imports files, computes heatmaps and keeps up with live instruments."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what may be given."""
        parser.add_argument("what", choices=BENCHES)
        parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
        parser.add_argument(
            "--rows", type=int, default=100_000, help="how many bars or fills to import (import, trades)"
        )
        parser.add_argument("--instrument", help="venue:symbol: measure its stored bars too (heatmap, layers, settle)")
        parser.add_argument("--steps", type=_count, help="five-minute steps (heatmap: 56 days, zones: a week)")
        parser.add_argument("--instruments", type=_count, default=600, help="how many are live (ingest, advance)")
        parser.add_argument("--minutes", type=_count, default=5, help="how long after the backlog is gone (ingest)")
        parser.add_argument("--plans", type=_count, default=10_000, help="how many advance by a minute (settle)")
        parser.add_argument("--entries", type=_count, default=100_000, help="how long the chain is (chain)")
        parser.add_argument("--unmetered", action="store_true", help="as if venues had no limits (ingest)")

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401 Django hands over parsed options
        """Run one bench."""
        measure: Callable[..., dict[str, Any]] = import_string(BENCHES[options["what"]])
        try:
            figures = measure(options={**options, "now": timezone.now()})
        except ObjectDoesNotExist as absent:
            named = options["instrument"]
            raise CommandError(f"There is no instrument {named!r}." if named else str(absent)) from absent
        if options["json"]:
            self.stdout.write(json.dumps(figures))
            return
        for name, figure in figures.items():
            text = f"{figure:,}" if isinstance(figure, int | float) else str(figure)
            self.stdout.write(f"{name.replace('_', ' '):<28} {text}")


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise ValueError(text)
    return count
