"""Let a double of the venues speak on loopback, on seeded or real history, as fast as wanted."""

from __future__ import annotations

import datetime as dt
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.core.management.base import BaseCommand, CommandError

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from tests.double import Double, Market
    from tests.double.faults import Fault

FASTEST: Final = 600.0
CONTRACTS: Final = 4
ABSENT: Final = "venue_double is part of the tests: run it from a checkout of the repository, where tests/ lies."


class Command(BaseCommand):
    """``manage.py venue_double``; needs no database."""

    help = "Serve a double of the venues for development, until interrupted."
    requires_system_checks: list[str] = []  # noqa: RUF012 Django's own way to leave them out

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what may be given."""
        parser.add_argument("--port", type=int, default=0, help="default: any that is free")
        parser.add_argument("--speed", type=float, default=1.0, help=f"1 to {FASTEST:.0f} times real time")
        parser.add_argument("--from", dest="start", default="2025-12-01", help="where virtual time starts (UTC)")
        market = parser.add_mutually_exclusive_group()
        market.add_argument("--history", type=Path, help="a directory with files like BTCUSDT-candles-5m.csv.gz")
        market.add_argument("--synthetic", type=int, default=CONTRACTS, help="how many seeded contracts")
        parser.add_argument("--fault", action="append", default=[], help="NAME or NAME@VENUE; may be repeated")

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401 Django hands over parsed options
        """Serve and tell how to reach it."""
        try:
            from tests.double import Clock, serve  # noqa: PLC0415 absent from an installation
        except ImportError as absent:
            raise CommandError(ABSENT) from absent
        start, speed = _moment(options["start"]), options["speed"]
        if not 1 <= speed <= FASTEST:
            raise CommandError(f"--speed must lie between 1 and {FASTEST:.0f}.")
        market, faults = _market(options), [_fault(text) for text in options["fault"]]
        clock = Clock(round(start.timestamp() * 1000), speed)
        with serve(market=market, clock=clock, faults=faults, port=options["port"]) as double:
            self._tell(double, f"{start.isoformat()}@{clock.started_at:.3f}x{speed:g}")
            threading.Event().wait()

    def _tell(self, double: Double, clock: str) -> None:
        listed = ", ".join(f"{len(found)} on {slug}" for slug, found in double.market.listings.items())
        self.stdout.write(f"The double listens on {double.address}: {listed}. Start the product with")
        self.stdout.write(f"BH_VENUES_URL={double.address}")
        self.stdout.write(f"BH_CLOCK={clock}")
        self.stdout.flush()


def _moment(text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"--from must look like 2025-12-01 or 2025-12-01T12:00, not {text!r}.") from error
    return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment


def _market(options: dict[str, Any]) -> Market:
    from tests.double import history_market, synthetic_market  # noqa: PLC0415 as above

    if options["history"] is None:
        return synthetic_market(options["synthetic"])
    try:
        return history_market(options["history"])
    except ValueError as error:
        raise CommandError(str(error)) from error


def _fault(text: str) -> Fault:
    from tests.double.catalogue import FAULTS  # noqa: PLC0415 as above

    name, _, slug = text.partition("@")
    if name not in FAULTS:
        raise CommandError(f"There is no fault {name!r}; there are {', '.join(sorted(FAULTS))}.")
    return FAULTS[name](slug=slug or "*")
