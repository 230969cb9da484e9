"""What changed behind the end of what was stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Max, Min

from market.models import Change

if TYPE_CHECKING:
    import datetime as dt


@dataclass(frozen=True, slots=True)
class Changes:
    """From when on rows came or were corrected, None where none did; and the last change that this counts in."""

    since: dt.datetime | None
    last_id: int


def changes(*, instrument_id: int, after_id: int) -> Changes:
    """Sum up what changed of an instrument after a change that is known already."""
    newer = Change.objects.filter(instrument_id=instrument_id, pk__gt=after_id)
    found = newer.aggregate(since=Min("since"), last_id=Max("pk"))
    return Changes(found["since"], found["last_id"] or after_id)
