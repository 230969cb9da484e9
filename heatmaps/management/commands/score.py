"""``manage.py score INSTRUMENT|simulator``: what a map is worth, with its nulls and intervals, measured and kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from heatmaps.core.estimators import NAMES
from heatmaps.core.score.fits import FOLDS
from heatmaps.operations.scoring import AGAINST, SETS, SIMULATOR, ScoreError, score, score_simulator

from .build_heatmap import parse_moment

if TYPE_CHECKING:
    import argparse

    from heatmaps.models import ScoreRun

_HEAD: Final = ("measure", "map", "side", "mode", "versus")


class Command(BaseCommand):
    """``score binance:BTCUSDT --against hourly-totals`` scores all estimators over all that is stored."""

    help = "Score an instrument's maps against what happened; the run is kept and never changed."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare what may be given."""
        parser.add_argument("instrument", help="venue:symbol, or simulator: worlds whose positions are known")
        parser.add_argument("--from", dest="since", type=parse_moment, help="begin there (default: with the first bar)")
        parser.add_argument("--to", dest="until", type=parse_moment, help="end there (default: with the newest bar)")
        parser.add_argument("--against", choices=list(AGAINST), help="what the maps are scored against")
        parser.add_argument("--estimator", choices=NAMES, action="append", help="only this one")
        parser.add_argument("--maps", choices=list(SETS), default="registered", help="a set of maps (docs/research)")
        parser.add_argument("--beside", action="append", help="another instrument that the research set reads as well")
        parser.add_argument(
            "--folds", choices=FOLDS, default=FOLDS[0], help="predict each week from all others, or from earlier ones"
        )
        parser.add_argument("--worlds", default="all", help="names with commas between them (simulator)")
        parser.add_argument("--seeds", type=int, default=5, help="how many runs of each world (simulator)")
        parser.add_argument("--days", type=int, default=60, help="a run's length; its second half counts (simulator)")
        parser.add_argument("--jobs", type=int, default=2, help="runs at a time (simulator)")
        parser.add_argument("--json", action="store_true", help="print the run as JSON")

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401 -- what argparse found
        """Score, then show what was kept."""
        is_simulated = options["instrument"] == SIMULATOR
        if options["against"] is None and not is_simulated:
            raise CommandError(f"Say --against what: {', '.join(AGAINST)}.")
        try:
            if is_simulated:
                self._simulate(options)
                return
            run = score(
                key=options["instrument"],
                against=options["against"],
                now=timezone.now(),
                since=options["since"],
                until=options["until"],
                names=options["estimator"] or (),
                folds=options["folds"],
                maps=options["maps"],
                beside=options["beside"] or (),
            )
        except ScoreError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(as_json(run), indent=1) if options["json"] else as_text(run))

    def _simulate(self, options: dict[str, Any]) -> None:
        judged = score_simulator(
            worlds=options["worlds"].split(","),
            seeds=options["seeds"],
            days=options["days"],
            jobs=options["jobs"],
            now=timezone.now(),
        )
        if options["json"]:
            found = {"trials": judged.trials, "missed": judged.missed, "runs": [as_json(run) for run in judged.runs]}
            self.stdout.write(json.dumps(found, indent=1))
            return
        for run in judged.runs:
            self.stdout.write(as_text(run))
        self.stdout.write("\n".join([f"Demands that were missed: {len(judged.missed)}.", *judged.missed]))


def as_json(run: ScoreRun) -> dict[str, Any]:
    """All of a run."""
    plain = ("id", "subject", "against", "command", "estimators", "settings", "data_sha256", "rows")
    times = {name: value.isoformat() if (value := getattr(run, name)) else None for name in ("since", "until")}
    return {name: getattr(run, name) for name in plain} | times | {"created_at": run.created_at.isoformat()}


def as_text(run: ScoreRun) -> str:
    """A table of a run's figures."""
    rows = [[*(str(row[name]) for name in _HEAD), _figure(row), f"{row['n']:,}"] for row in run.rows]
    table = [[*_HEAD, "value [95 %]", "n"], *rows]
    widths = [max(len(row[place]) for row in table) for place in range(len(table[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    return "\n".join([*lines, "", f"Kept as run {run.pk}: {run.command}"])


def _figure(row: dict[str, Any]) -> str:
    if row["value"] is None:
        return "no figure"
    ends = "" if row["low"] is None else f" [{row['low']:+.4f}, {row['high']:+.4f}]"
    return f"{row['value']:+.4f}{ends}"
