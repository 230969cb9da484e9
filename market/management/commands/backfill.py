"""``manage.py backfill VENUE:SYMBOL --days N``: history from the venue itself."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ObjectDoesNotExist
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from market.operations import backfill
from market.sources.base import SourceError

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from market.operations import Backfilled, Progress

_BAR_WIDTH: Final = 24
_INTERRUPTED: Final = 130


class Command(BaseCommand):
    """Fetch history and say what came."""

    help = "Fetch the last N days of an instrument from its venue, as far as they are not stored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what may be given."""
        parser.add_argument("instrument", metavar="VENUE:SYMBOL")
        parser.add_argument("--days", type=_days, default=30, help="how far back (default: 30)")

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401 Django hands over parsed options
        """Fetch, then show what came of each series and the next step."""
        key = options["instrument"]
        try:
            done = backfill(key=key, days=options["days"], now=timezone.now(), on_progress=_show)
        except ObjectDoesNotExist as absent:
            known = "`manage.py instruments list` names those that there are."
            raise CommandError(f"There is no instrument {key!r}; {known}") from absent
        except SourceError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            self.stderr.write("\nInterrupted. What came is stored; the same command goes on from there.")
            sys.exit(_INTERRUPTED)
        for one in done:
            self.stdout.write(_line(one))
        self.stdout.write(
            "\nThe map takes in by itself what lies inside of it. History from before its beginning comes in with"
            f"\n  python3 manage.py build_heatmap {key} --from {min(one.since for one in done):%Y-%m-%d}"
        )


def _line(one: Backfilled) -> str:
    new, unchanged, revised = one.reading.stored
    text = (
        f"{one.series:<14} since {one.since:%Y-%m-%d %H:%M}: {new:,} new, {unchanged:,} unchanged, {revised:,} revised"
    )
    return f"{text}; {one.note}" if one.note else text


def _show(progress: Progress) -> None:
    """Show a moving line on a terminal; elsewhere one line for each page."""
    share = min(1.0, max(0.0, progress.share))
    bar = "█" * round(_BAR_WIDTH * share)
    rows = sum(progress.reading.stored)
    text = f"{progress.series:<14} {bar:·<{_BAR_WIDTH}} {100 * share:3.0f} % {rows:,} rows"
    is_moving = sys.stderr.isatty()
    print(
        f"\r\x1b[K{text}" if is_moving else text,
        end="" if is_moving and share < 1 else "\n",
        file=sys.stderr,
        flush=True,
    )


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= 3650:  # noqa: PLR2004 ten years
        raise ValueError(text)
    return days
