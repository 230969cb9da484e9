"""Asset pairs: their members, whose candles they show, and what is known of the members' open interest."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import connection

from market.models import Coverage, PairDay, PairMember
from market.series import STEP_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from market.models import Instrument


@dataclass(frozen=True, slots=True)
class Member:
    """An instrument of a pair under its number there, which never changes."""

    number: int
    instrument: Instrument


@dataclass(frozen=True, slots=True)
class KnownInterest:
    """The newest open interest of an instrument and when it was sampled; ``usd`` counts a dollar coin as a dollar."""

    at: dt.datetime
    usd: float


_STEP: Final = dt.timedelta(milliseconds=STEP_MS)
_LATE: Final = dt.timedelta(seconds=30)
# What a base unit was worth: as reported, else at the mark price, else at the newest close of an hour before.
_NEWEST: Final = """
SELECT q.id, o.time, coalesce(o.open_interest_value, o.open_interest * coalesce(o.mark_price, b.close))
FROM unnest(%(ids)s::bigint[]) AS q(id)
JOIN LATERAL (
    SELECT time, open_interest, open_interest_value, mark_price FROM market_openinterest
    WHERE instrument_id = q.id AND time <= %(at)s ORDER BY time DESC LIMIT 1) AS o ON true
LEFT JOIN LATERAL (
    SELECT close FROM market_bar
    WHERE instrument_id = q.id AND price_kind = 0 AND timeframe IN (60, 300)
      AND open_time < o.time AND open_time >= o.time - interval '1 hour'
    ORDER BY open_time DESC LIMIT 1) AS b ON true
"""


def list_members(*, pair_id: int) -> list[Member]:
    """List a pair's members by number; an instrument that is no pair has none."""
    rows = PairMember.objects.filter(pair_id=pair_id).select_related("instrument").order_by("number")
    return [Member(row.number, row.instrument) for row in rows]


def rankings(*, pair_id: int, since: dt.date, until: dt.date) -> dict[dt.date, list[int]]:
    """Return each day's member instruments, the one that lends its candles first; both ends are included."""
    rows = PairDay.objects.filter(pair_id=pair_id, day__range=(since, until))
    return dict(rows.values_list("day", "ranking"))


def newest_interest(*, instrument_ids: Sequence[int], at: dt.datetime) -> dict[int, KnownInterest]:
    """Return the newest open interest up to a moment of each instrument that has any that can be valued."""
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, {"ids": list(instrument_ids), "at": at})
        return {pk: KnownInterest(time, usd) for pk, time, usd in cursor.fetchall() if usd is not None}


def counted_members(*, pair_id: int, at: dt.datetime) -> frozenset[int]:
    """Return the numbers of the members whose open interest a pair's sum counts at the end of a step."""
    counted = Coverage.objects.filter(series="open_interest", start_at__lte=at + _LATE, end_at__gt=at - _STEP + _LATE)
    members = PairMember.objects.filter(pair_id=pair_id, instrument__in=counted.values("instrument"))
    return frozenset(members.values_list("number", flat=True))
