"""Build an instrument's heatmaps by hand, with progress."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from heatmaps.core.estimators import BUILT
from heatmaps.operations import build, learn_reach, stand, sum_members, track_zones
from heatmaps.queries import get_current_heatmap, history_before, map_size
from market.queries import list_instruments, stored_span

if TYPE_CHECKING:
    from heatmaps.operations import Built

_INTERRUPTED: Final = 130
_DAY: Final = dt.timedelta(days=1)
_FROM = (
    "build again from the last snapshot before this, or from the beginning; zones that were followed stay as they are"
)


class Command(BaseCommand):
    """``build_heatmap binance:BTCUSDT`` brings its maps and zones up to the newest stored bar."""

    help = "Build an instrument's heatmaps and zones from stored bars, going on where the last build ended."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("instrument", help="venue:symbol, for example binance:BTCUSDT")
        parser.add_argument("--from", dest="since", type=parse_moment, help=_FROM)
        parser.add_argument("--to", dest="until", type=parse_moment, help="stop there; the newest bar otherwise")
        parser.add_argument("--estimator", choices=sorted(BUILT), action="append", help="only this one")

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401 -- what argparse found
        instruments = {one.key: one for one in list_instruments()}
        if options["instrument"] not in instruments:
            known = ", ".join(sorted(instruments)) or "none yet; `manage.py import_history` brings some in"
            raise CommandError(f"There is no instrument {options['instrument']!r}. Known: {known}.")
        instrument_id = instruments[options["instrument"]].pk
        if instruments[options["instrument"]].is_pair:
            self._sum(instrument_id, options)
            return
        _require_span(instrument_id, options["since"], options["until"])
        try:
            self._build(instrument_id, options)
        except KeyboardInterrupt:
            raise CommandError(self._interrupted(options), returncode=_INTERRUPTED) from None

    def _build(self, instrument_id: int, options: dict[str, Any]) -> None:
        for slug in options["estimator"] or BUILT:
            self.progress = progress = _Progress(self, slug)
            built = build(
                instrument_id=instrument_id,
                estimator=slug,
                now=timezone.now(),
                since=options["since"],
                until=options["until"],
                on_part=progress.show,
            )
            progress.end()
            self._sum_up(instrument_id, built, progress.seconds)
        self._follow(instrument_id)

    def _sum(self, instrument_id: int, options: dict[str, Any]) -> None:
        if options["since"] or options["until"] or options["estimator"]:
            raise CommandError(
                f"{options['instrument']} is the sum of its members' maps: it takes no other options."
                " Build a member's map again, and the sum follows."
            )
        self.progress = progress = _Progress(self, "sum")
        built = sum_members(instrument_id=instrument_id, now=timezone.now(), on_part=progress.show)
        progress.end()
        self._sum_up(instrument_id, built, progress.seconds)
        self._follow(instrument_id)

    def _interrupted(self, options: dict[str, Any]) -> str:
        """Say what is kept and how to go on: without ``--from``, which would begin again."""
        self.progress.end()
        reached = self.progress.reached
        kept = (
            f"{self.progress.label} is kept through {reached:%Y-%m-%d %H:%M} UTC" if reached else "All parts are kept"
        )
        until = f" --to {options['until']:%Y-%m-%dT%H:%MZ}" if options["until"] else ""
        only = "".join(f" --estimator {slug}" for slug in options["estimator"] or ())
        return (
            f"Interrupted. {kept}, and so is what was finished before;"
            f" `python3 manage.py build_heatmap {options['instrument']}{until}{only}` goes on from there."
        )

    def _sum_up(self, instrument_id: int, built: Built, seconds: float) -> None:
        heatmap = get_current_heatmap(instrument_id=instrument_id, estimator=built.estimator)
        if heatmap is None or built.through is None:
            self.stdout.write(f"{built.estimator}: nothing to build from; bars and open interest are both needed.")
            return
        size = map_size(heatmap=heatmap)
        self.stdout.write(
            f"{heatmap.release}: {built.steps:,} steps in {seconds:.1f} s"
            f" ({built.steps / max(seconds, 1e-9):,.0f}/s), through {built.through:%Y-%m-%d %H:%M} UTC,"
            f" {100 * (heatmap.allocated_share or 0):.1f} % of open interest allocated;"
            f" {built.tiles} tiles written ({built.tile_bytes / 1e6:.2f} MB), {size.tiles} stored"
            f" ({size.tile_bytes / 1e6:.2f} MB)"
        )
        earlier = history_before(heatmap=heatmap)
        if earlier is not None:
            self.stdout.write(
                f"{built.estimator}: open interest is stored from {earlier:%Y-%m-%d %H:%M} UTC on,"
                f" before this map begins. `build_heatmap {heatmap.instrument.key} --from {earlier:%Y-%m-%d}`"
                " builds the whole map again."
            )

    def _follow(self, instrument_id: int) -> None:
        self.progress = progress = _Progress(self, "zones")
        followed = track_zones(
            instrument_id=instrument_id, now=timezone.now(), strips=None, on_strip=progress.show_reached
        )
        progress.end()
        self.stdout.write(f"zones: {followed.born} formed, {followed.ended} ended in {progress.seconds:.1f} s")
        reach = learn_reach(instrument_id=instrument_id, now=timezone.now())
        if reach is not None:
            missing = "; ".join(f"{name}: {reason}" for name, reason in reach.refused.items())
            said = f", no chances of a touch for {missing}" if missing else ""
            self.stdout.write(f"reach: learnt through {reach.learnt_through:%Y-%m-%d}{said}")
        stand(instrument_id=instrument_id, now=timezone.now())


class _Progress:
    """A line that says how far, how fast and how long still; only where somebody watches."""

    def __init__(self, command: Command, label: str) -> None:
        self.command, self.label = command, label
        self.is_watched = sys.stdout.isatty()
        self.begun = time.monotonic()
        self.first: dt.datetime | None = None
        self.reached: dt.datetime | None = None

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.begun

    def show(self, start: dt.datetime, reached: dt.datetime, end: dt.datetime) -> None:
        self.reached = reached
        if not self.is_watched:
            return
        share = (reached - start) / max(end - start, dt.timedelta(seconds=1))
        days = (reached - start) / dt.timedelta(days=1)
        left = self.seconds * (1 - share) / max(share, 1e-9)
        line = f"\r{self.label}: {100 * share:3.0f} %  {days / max(self.seconds, 1e-9):,.1f} days/s  {left:.0f} s left "
        self.command.stdout.write(line, ending="")
        self.command.stdout.flush()

    def show_reached(self, reached: dt.datetime, end: dt.datetime) -> None:
        self.first = self.first or reached
        self.show(self.first, reached, end)

    def end(self) -> None:
        if self.is_watched:
            self.command.stdout.write("\r\033[K", ending="")


def parse_moment(text: str) -> dt.datetime:
    """Read a day or a time in UTC from the command line."""
    try:
        moment = dt.datetime.fromisoformat(text)
        return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a time; write a day like 2026-01-31, or a time in UTC like 2026-01-31T14:30."
        ) from None


def _require_span(instrument_id: int, since: dt.datetime | None, until: dt.datetime | None) -> None:
    """Refuse a span of which nothing can be built; whether anything is stored at all is the build's to say."""
    if since and until and since >= until:
        raise CommandError(
            f"--from ({_text(since)}) has to lie before --to ({_text(until)}),"
            " for example --from 2026-01-01 --to 2026-02-01."
        )
    span = stored_span(instrument_id=instrument_id)
    if span and since and since >= span[1]:
        raise CommandError(
            f"--from ({_text(since)}) lies beyond what is stored, which ends at {_text(span[1])};"
            f" give an earlier one, for example --from {_earlier(span[1])}."
        )
    if span and until and until <= span[0]:
        raise CommandError(
            f"--to ({_text(until)}) lies before what is stored, which begins at {_text(span[0])};"
            f" give a later one, for example --to {span[0] + _DAY:%Y-%m-%d}."
        )


def _text(moment: dt.datetime) -> str:
    return f"{moment.isoformat(' ', 'minutes').removesuffix('+00:00')} UTC"


def _earlier(moment: dt.datetime) -> str:
    return f"{moment.date() - _DAY}"
