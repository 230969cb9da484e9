"""The market in numbers for a monitor, by venue and series: few enough to be kept for years."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from django.db import connection

if TYPE_CHECKING:
    import datetime as dt


class SeriesLag(NamedTuple):
    """How old the newest rows of a venue's series are, over the instruments that are fetched [s]."""

    venue: str
    series: str
    instruments: int
    worst_s: float
    p95_s: float


class Amount(NamedTuple):
    """Seconds of a venue's series that are stored (state "present"), or missing in a state, over all instruments."""

    venue: str
    series: str
    state: str
    seconds: float


_LAGS: Final = """
WITH newest AS (
    SELECT i.venue, c.series, c.instrument_id, extract(epoch FROM %(now)s - max(c.end_at))::float8 AS age
    FROM market_coverage c JOIN market_instrument i ON i.id = c.instrument_id
    WHERE i.is_live AND i.ended_at IS NULL GROUP BY 1, 2, 3
)
SELECT venue, series, count(*), max(age), percentile_cont(0.95) WITHIN GROUP (ORDER BY age)
FROM newest GROUP BY 1, 2 ORDER BY 1, 2
"""
_AMOUNTS: Final = """
SELECT i.venue, l.series, l.state, sum(extract(epoch FROM l.end_at - l.start_at))::float8
FROM (
    SELECT instrument_id, series, 'present' AS state, start_at, end_at FROM market_coverage
    UNION ALL SELECT instrument_id, series, state, start_at, end_at FROM market_hole
) l JOIN market_instrument i ON i.id = l.instrument_id GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


def series_lags(*, now: dt.datetime) -> list[SeriesLag]:
    """Return how far behind each venue's series are; an instrument without a row is not counted."""
    with connection.cursor() as cursor:
        cursor.execute(_LAGS, {"now": now})
        return [SeriesLag(*row) for row in cursor.fetchall()]


def ledger_amounts() -> list[Amount]:
    """Return how much of each venue's series is stored, and how much is missing in which state."""
    with connection.cursor() as cursor:
        cursor.execute(_AMOUNTS)
        return [Amount(*row) for row in cursor.fetchall()]
