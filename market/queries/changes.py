"""What changed behind the end of what was stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import connection

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Changes:
    """From when on rows came or were corrected, None where none did; and the last change that this counts in."""

    since: dt.datetime | None
    last_id: int


_CHANGES: Final = """SELECT min(since), coalesce(max(c.id), known.id)
    FROM unnest(%s::bigint[], %s::bigint[]) WITH ORDINALITY AS known(of, id, place)
    LEFT JOIN market_change c ON c.instrument_id = known.of AND c.id > known.id
    GROUP BY place, known.id ORDER BY place"""


def changes(*, instrument_id: int, after_id: int) -> Changes:
    """Sum up what changed of an instrument after a change that is known already."""
    return changes_of_all(known=[(instrument_id, after_id)])[0]


def changes_of_all(*, known: Sequence[tuple[int, int]]) -> list[Changes]:
    """Return the same for (instrument id, change id) each, in their order, with one question."""
    with connection.cursor() as cursor:
        cursor.execute(_CHANGES, [[pk for pk, _ in known], [after_id for _, after_id in known]])
        return [Changes(since, last_id) for since, last_id in cursor.fetchall()]
