"""The last day of many instruments in one statement, for tables that list them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import connection

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Day:
    """Last price and the one a day before [quote per base], open interest [base, and quote] now and a day before."""

    close: float | None
    close_before: float | None
    open_interest: float | None
    open_interest_value: float | None
    open_interest_before: float | None


# Ten minutes hold at least one bar of each stored time frame and one sample of open interest.
_STATEMENT: Final = """
SELECT q.id, b.close, b0.close, o.open_interest, o.open_interest_value, o0.open_interest
FROM unnest(%(ids)s::bigint[], %(moments)s::timestamptz[]) AS q(id, at)
LEFT JOIN LATERAL (
    SELECT close FROM market_bar
    WHERE instrument_id = q.id AND price_kind = 0 AND timeframe IN (60, 300)
      AND open_time >= q.at - interval '10 minutes' AND open_time + make_interval(secs => timeframe) <= q.at
    ORDER BY open_time + make_interval(secs => timeframe) DESC LIMIT 1) AS b ON true
LEFT JOIN LATERAL (
    SELECT close FROM market_bar
    WHERE instrument_id = q.id AND price_kind = 0 AND timeframe IN (60, 300)
      AND open_time >= q.at - interval '1 day 10 minutes'
      AND open_time + make_interval(secs => timeframe) <= q.at - interval '1 day'
    ORDER BY open_time + make_interval(secs => timeframe) DESC LIMIT 1) AS b0 ON true
LEFT JOIN LATERAL (
    SELECT open_interest, open_interest_value FROM market_openinterest
    WHERE instrument_id = q.id AND time > q.at - interval '10 minutes' AND time <= q.at
    ORDER BY time DESC LIMIT 1) AS o ON true
LEFT JOIN LATERAL (
    SELECT open_interest FROM market_openinterest
    WHERE instrument_id = q.id AND time > q.at - interval '1 day 10 minutes' AND time <= q.at - interval '1 day'
    ORDER BY time DESC LIMIT 1) AS o0 ON true
"""


def last_days(*, moments: Mapping[int, dt.datetime]) -> dict[int, Day]:
    """Return the day that ends at each instrument's moment, by instrument id."""
    with connection.cursor() as cursor:
        cursor.execute(_STATEMENT, {"ids": list(moments), "moments": list(moments.values())})
        return {row[0]: Day(*row[1:]) for row in cursor.fetchall()}
