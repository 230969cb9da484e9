"""``manage.py instruments``: which contracts there are, and which of them are fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from market.operations import InstrumentRequestError, disable, enable, rename, sync_venue
from market.queries import list_instruments
from market.sources import venue_slugs
from market.sources.base import SourceError

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable

    from market.models import Instrument


class Command(BaseCommand):
    """List, sync, enable, disable, rename."""

    help = "Say which contracts there are, ask venues for their lists, switch instruments on and off."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what can be done."""
        actions = parser.add_subparsers(dest="action", required=True)
        sync = actions.add_parser("sync", help="ask venues which contracts they list, on which terms")
        sync.add_argument("names", nargs="*", metavar="VENUE", help="default: all venues")
        for name, text in (("enable", "fetch from now on"), ("disable", "fetch no longer; what is stored stays")):
            action = actions.add_parser(name, help=text)
            action.add_argument("names", nargs="+", metavar="KEY", help="venue:symbol")
        renamed = actions.add_parser("rename", help="go on with an instrument under its new symbol")
        renamed.add_argument("names", nargs=2, metavar=("OLD", "NEW"), help="venue:symbol")
        shown = actions.add_parser("list", help="show what there is")
        shown.add_argument("names", nargs="*", metavar="VENUE", help="default: all venues")

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401 Django hands over parsed options
        """Do it; say in one line for each what became of it."""
        actions: dict[str, Callable[[list[str]], None]] = {
            "sync": self._sync,
            "enable": lambda keys: self._say(enable(keys=keys)),
            "disable": lambda keys: self._say(disable(keys=keys)),
            "rename": lambda keys: self._say([rename(old=keys[0], new=keys[1], now=timezone.now())]),
            "list": self._list,
        }
        try:
            actions[cast("str", options["action"])](options["names"])
        except (InstrumentRequestError, SourceError) as error:
            raise CommandError(str(error)) from error

    def _sync(self, venues: list[str]) -> None:
        synced = [sync_venue(slug=slug, now=timezone.now()) for slug in dict.fromkeys(venues or venue_slugs())]
        for one in synced:
            self.stdout.write(str(one))
        if refused := [one.venue for one in synced if one.refused]:
            raise CommandError(f"Not all could be asked of {', '.join(refused)}; repeat the command later.")

    def _list(self, venues: list[str]) -> None:
        self._say([row for row in list_instruments() if not venues or row.venue in venues])

    def _say(self, instruments: list[Instrument]) -> None:
        for row in instruments:
            state = f"ended {row.ended_at:%Y-%m-%d %H:%M}" if row.ended_at else "enabled" if row.is_live else "disabled"
            self.stdout.write(f"{row.key:<32} {row.base}-{row.quote:<8} {row.contract_type:<8} {state}")
