"""``manage.py import_history PATH… --instrument venue:symbol``: market data from files."""

from __future__ import annotations

import sys
import time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from market.operations import FileReport, ImportRequestError, Sizes, Step, Stored, import_files
from market.queries import coverage, get_instrument

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Sequence

_FAULTS_SHOWN: Final = 20
_BAR_WIDTH: Final = 24
_INTERRUPTED: Final = 130
_COLUMNS: Final = f"{'new':>10} {'unchanged':>10} {'revised':>8} {'quarantined':>11} {'rows/s':>9}"


class Command(BaseCommand):
    """Import files and say what became of every line."""

    help = "Import market data from CSV files, gzip or zip archives, or directories of them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what may be given."""
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="file, or directory of files")
        parser.add_argument(
            "--instrument",
            action="append",
            required=True,
            metavar="VENUE:SYMBOL",
            help="whose data it is, for example binance:BTCUSDT; repeat it to share directories out",
        )
        parser.add_argument("--tick-size", type=_size, help="price step of a new instrument (default: from the data)")
        parser.add_argument("--live", action="store_true", help="also into an instrument that is fetched live")
        parser.add_argument("--lot-size", type=_size, help="quantity step of a new instrument (default: from the data)")

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401 Django hands over parsed options
        """Import, then show the summary, the ledger and the next step."""
        progress = _Progress()
        try:
            import_files(
                keys=options["instrument"],
                paths=options["paths"],
                now=timezone.now(),
                sizes=Sizes(tick=options["tick_size"], lot=options["lot_size"]),
                progress=progress,
                may_be_live=options["live"],
            )
        except ImportRequestError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError(
                "Interrupted. Finished files stay imported; repeat the command to go on.", returncode=_INTERRUPTED
            ) from None
        finally:
            self._summary(progress.reports, progress.seconds)
            self._faults(progress.reports)
        reports = progress.reports
        refused = [report for report in reports if report.refused]
        keys = list(dict.fromkeys(report.key for report in reports if not report.refused))
        self._ledger(keys)
        if keys:
            self.stdout.write("\nNext: " + "\n      ".join(_build_command(key, reports) for key in keys))
        if refused:
            raise CommandError(
                "Nothing was imported of:\n" + "\n".join(f"- {report.key}: {report.refused}" for report in refused)
            )

    def _summary(self, reports: Sequence[FileReport], seconds: Sequence[float]) -> None:
        if not reports:
            return
        width = max(len(report.name) for report in reports)
        self.stdout.write(f"{'file':<{width}} {_COLUMNS}")
        for report, taken in zip(reports, seconds, strict=True):
            self.stdout.write(f"{report.name:<{width}} " + _figures([report], taken))
        self.stdout.write(f"{'total':<{width}} " + _figures(reports, sum(seconds)))

    def _faults(self, reports: Sequence[FileReport]) -> None:
        faults = [(origin, fault) for report in reports for origin, fault in report.faults]
        if not faults:
            return
        self.stdout.write(f"\nQuarantined, {len(faults)} lines:")
        for origin, fault in faults[:_FAULTS_SHOWN]:
            self.stdout.write(f"  {origin}:{fault.line}: {fault.reason}")
        if len(faults) > _FAULTS_SHOWN:
            self.stdout.write(f"  … and {len(faults) - _FAULTS_SHOWN} more; all are in the admin under Quarantine.")

    def _ledger(self, keys: Sequence[str]) -> None:
        for key in keys:
            self.stdout.write(f"\nStored of {key} (UTC):")
            for stretch in coverage(instrument_id=get_instrument(key=key).pk):
                name = stretch.series.replace("_", " ")
                span = f"{stretch.start_at:%Y-%m-%d %H:%M} to {stretch.end_at:%Y-%m-%d %H:%M}"
                self.stdout.write(f"  {name:<18} {_length(stretch.timeframe):>6}  {span}")


def _size(text: str) -> Decimal:
    try:
        size = Decimal(text)
    except InvalidOperation:
        size = Decimal(0)
    if not size.is_finite() or size <= 0:
        raise ValueError(text)
    return size


def _build_command(key: str, reports: Sequence[FileReport]) -> str:
    """Say how the map is brought up to date; rows before what was stored are built again."""
    changed = [report.rebuild_from for report in reports if report.key == key and report.rebuild_from]
    since = f" --from {min(changed):%Y-%m-%dT%H:%MZ}" if changed else ""
    return f"python3 manage.py build_heatmap {key}{since}"


def _figures(reports: Sequence[FileReport], seconds: float) -> str:
    stored = Stored(*(sum(report.stored[place] for report in reports) for place in range(3)))
    quarantined = sum(len(report.faults) for report in reports)
    if len(reports) == 1 and reports[0].refused:
        return f"{'refused':>10}"
    rate = sum(stored) / seconds if seconds else 0
    return f"{stored.new:>10,} {stored.unchanged:>10,} {stored.revised:>8,} {quarantined:>11,} {rate:>9,.0f}"


def _length(seconds: int) -> str:
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds and seconds % length == 0:
            return f"{seconds // length} {unit}"
    return f"{seconds} s" if seconds else "events"


class _Progress:
    """A moving line on a terminal; elsewhere one line for each finished file. Notes how long each file took [s]."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.reports: list[FileReport] = []
        self._began = time.perf_counter()

    def __call__(self, step: Step) -> None:
        if step.report:
            self.reports.append(step.report)
            self.seconds.append(time.perf_counter() - self._began)
            self._began = time.perf_counter()
        if not sys.stderr.isatty():
            if step.report:
                print(f"[{step.number}/{step.total}] {step.name}", file=sys.stderr)
            return
        done = step.number if step.report else step.number - 1
        bar = "█" * (_BAR_WIDTH * done // step.total)
        text = f"\r\x1b[K{bar:·<{_BAR_WIDTH}} {done}/{step.total} {step.name[:50]} {step.rows:,} rows"
        print(text, end="\n" if done == step.total else "", file=sys.stderr, flush=True)
