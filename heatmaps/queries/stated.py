"""Chances as they were stated, beside what came."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from django.db import connection

from heatmaps.core.touches import SURE, Touches
from heatmaps.models import ScoreRun
from market import queries as market
from market.series import DAY_MS, epoch_ms, moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from heatmaps.core.grid import Floats, Ints

# Bars that have to lie before a month, and days over which instruments take turns.
_LEARNT: Final = dt.timedelta(days=22)
_TURNS: Final = 25
_HOUR: Final = 3
# One row a level; unknown where bars are missing and it was not seen touched. A level above the price is touched from
# below it.
_LEVELS = """
FROM heatmaps_statement s JOIN heatmaps_outcome o ON o.statement_id = s.id,
    unnest(s.levels, s.zones, s.chances, s.base) AS u(level, zone, chance, base),
    LATERAL (SELECT CASE WHEN u.level > s.price THEN o.high >= u.level ELSE o.low <= u.level END AS seen) AS t,
    LATERAL (SELECT CASE WHEN t.seen THEN 1 WHEN o.missing = 0 THEN 0 END AS touched) AS k
WHERE k.touched IS NOT NULL"""
_TOUCHES = f"""SELECT s.horizon, u.chance, u.base, k.touched, floor(extract(epoch FROM s.stated_at) / 86400)
{_LEVELS} AND s.instrument_id = %(instrument)s AND s.stated_at >= %(since)s AND s.due_at <= %(until)s
ORDER BY s.horizon, s.stated_at, u.level"""  # noqa: S608  # constants
# The newest statements that hold a miss, then all misses of each.
_MISSES = f"""WITH missed AS MATERIALIZED (SELECT DISTINCT s.id {_LEVELS} AND abs(u.chance - k.touched) > %(sure)s
    AND (%(before)s::bigint IS NULL OR s.id < %(before)s) ORDER BY s.id DESC LIMIT %(most)s)
SELECT i.venue || ':' || i.symbol, i.is_simulated, s.id, s.horizon, s.stated_at, s.due_at, s.price,
    u.level, nullif(u.zone, 0), u.chance, k.touched = 1, o.low, o.high
{_LEVELS.replace("WHERE", ", market_instrument i WHERE i.id = s.instrument_id AND")}
    AND s.id IN (SELECT id FROM missed) AND abs(u.chance - k.touched) > %(sure)s
ORDER BY s.id DESC, u.level"""  # noqa: S608  # constants

_UNSCORED: Final = """SELECT i.id FROM market_instrument i WHERE i.id = ANY(%(of)s) AND i.venue <> %(pair)s
    AND NOT EXISTS (SELECT FROM heatmaps_scorerun r
        WHERE r.instrument_id = i.id AND r.against = 'stated' AND r.until >= %(midnight)s)
    AND EXISTS (SELECT FROM heatmaps_statement s JOIN heatmaps_outcome o ON o.statement_id = s.id
        WHERE s.instrument_id = i.id AND s.due_at <= %(midnight)s)"""


@dataclass(frozen=True, slots=True)
class Miss:
    """A level of which the opposite was stated as nearly sure."""

    instrument: str
    is_simulated: bool
    statement_id: int
    horizon: str
    stated_at: dt.datetime
    due_at: dt.datetime
    price: float
    level: float
    zone_id: int | None
    chance: float
    is_touched: bool
    low: float
    high: float


def stated_touches(*, instrument_id: int, since: dt.datetime, until: dt.datetime) -> dict[str, Touches]:
    """Return what was stated from ``since`` on and is over by ``until``, by horizon; days count from the epoch."""
    with connection.cursor() as cursor:
        cursor.execute(_TOUCHES, {"instrument": instrument_id, "since": since, "until": until})
        rows = cursor.fetchall()
    found = {}
    for name in dict.fromkeys(row[0] for row in rows):
        columns = np.array([row[1:] for row in rows if row[0] == name], dtype=np.float64).T
        days: Ints = columns[3].astype(np.int64)
        values_: Floats = columns[:3]
        found[name] = Touches(values_[0], values_[1], values_[2], days)
    return found


def page_misses(*, limit: int, before: int | None = None) -> tuple[list[Miss], int | None]:
    """Return the misses of ``limit`` statements, newest first, and the ``before`` of the next page, None at the end."""
    with connection.cursor() as cursor:
        cursor.execute(_MISSES, {"sure": SURE, "before": before, "most": limit + 1})
        found = [Miss(*row) for row in cursor.fetchall()]
    statements = list(dict.fromkeys(one.statement_id for one in found))[:limit]
    following = statements[-1] if found and found[-1].statement_id < statements[-1] else None
    return [one for one in found if one.statement_id >= statements[-1]] if statements else [], following


def stated_score_due(*, instrument_ids: Sequence[int], now: dt.datetime) -> set[int]:
    """Return those whose chances came due by the day's beginning and are not scored; pairs repeat their leader's."""
    midnight = moment(epoch_ms(now) // DAY_MS * DAY_MS)
    spans = market.stored_spans(instrument_ids=instrument_ids)
    with connection.cursor() as cursor:
        waiting = [pk for pk, span in spans.items() if span[1] >= midnight]
        cursor.execute(_UNSCORED, {"of": waiting, "midnight": midnight, "pair": market.PAIR})
        return {pk for (pk,) in cursor.fetchall()}


def month_due(*, instrument_ids: Sequence[int], now: dt.datetime) -> set[int]:
    """Return the instruments whose month before waits to be scored."""
    return {pk for pk in instrument_ids if month_to_score(instrument_id=pk, now=now)}


def month_to_score(*, instrument_id: int, now: dt.datetime) -> tuple[dt.datetime, dt.datetime] | None:
    """Return the month before where it is stored with what has to be learnt before it, and is not scored yet.

    Instruments take turns over the days of a month: all at once would keep the day's other work waiting.
    """
    # Once a day, so that what can not be scored is not tried each minute.
    if now.hour != _HOUR or now.day <= instrument_id % _TURNS:
        return None
    instrument = market.find_instrument(instrument_id=instrument_id)
    until = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    since = (until - dt.timedelta(days=1)).replace(day=1)
    span = market.stored_span(instrument_id=instrument_id)
    if span is None or instrument.is_pair or instrument.is_simulated:
        return None
    if span[0] > since - _LEARNT or span[1] < until:
        return None
    runs = ScoreRun.objects.filter(instrument_id=instrument_id, against="touches", since=since, until=until)
    return None if runs.exists() else (since, until)
