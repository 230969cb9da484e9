"""What was not believed: which rows there are, by what they have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count

from market.models import Quarantine

if TYPE_CHECKING:
    from django.db.models import QuerySet


@dataclass(frozen=True, slots=True)
class Choice:
    """Rows in quarantine that have all of this in common; None and empty text mean any.

    through_id: no row that came later, so that what a person decides is what they saw.
    """

    row_id: int | None = None
    instrument_id: int | None = None
    series: str = ""
    reason: str = ""
    state: str = ""
    through_id: int | None = None


@dataclass(frozen=True, slots=True)
class HeldGroup:
    """Held rows of one instrument (None: of none), series and reason."""

    instrument_id: int | None
    venue: str
    symbol: str
    series: str
    reason: str
    count: int


def find_quarantined(*, choice: Choice) -> QuerySet[Quarantine]:
    """Return the rows of a choice, the newest first."""
    wanted = {
        "pk": choice.row_id,
        "instrument_id": choice.instrument_id,
        "series": choice.series or None,
        "reason": choice.reason or None,
        "state": choice.state or None,
        "pk__lte": choice.through_id,
    }
    known = {name: value for name, value in wanted.items() if value is not None}
    return Quarantine.objects.filter(**known).order_by("-pk")


def held_groups(*, most: int) -> list[HeldGroup]:
    """Count what is held by instrument, series and reason, the largest groups first, ``most`` of them."""
    held = Quarantine.objects.filter(state=Quarantine.State.HELD)
    names = ("instrument_id", "instrument__venue", "instrument__symbol", "series", "reason")
    groups = held.values_list(*names).annotate(count=Count("pk")).order_by("-count", *names)
    return [
        HeldGroup(pk, venue or "", symbol or "", series, reason, count)
        for pk, venue, symbol, series, reason, count in groups[:most]
    ]


def held_reasons() -> list[tuple[str, str, str, int]]:
    """Count what is held as (venue, series, reason, count), the largest first."""
    held = Quarantine.objects.filter(state=Quarantine.State.HELD)
    names = ("instrument__venue", "series", "reason")
    groups = held.values_list(*names).annotate(count=Count("pk")).order_by("-count", *names)
    return [(venue or "", series, reason, count) for venue, series, reason, count in groups]
