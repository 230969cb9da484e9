"""Stored series as numpy records, a column in one piece.

One rule of time: a bar is returned when it lies wholly inside [since, until]; a sample (open interest, funding)
when ``since < time <= until``, because it belongs to the step that it ends; an event when ``since <= time < until``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from market import series as s

from .asking import EVENTS, SAMPLES, Question, answer, columns_of, stored_rows

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from market.series import Records, SeriesName

_TOTALS: Final = (
    "instrument_id = %(id)s AND timeframe = %(timeframe)s"
    " AND open_time >= %(since)s AND open_time <= %(until)s - make_interval(secs => %(timeframe)s)"
)


def _stored(
    table: str, dtype: np.dtype[np.void], where: str, params: Mapping[str, object], *, most: int | None = None
) -> Records:
    return answer(stored_rows(table, dtype, where, params, most=most))[0]


def load_open_interest(*, instrument_id: int, since: dt.datetime, until: dt.datetime) -> Records:
    """Return OPEN_INTEREST[n] with ``since < time <= until``, ascending."""
    return answer(ask_open_interest(instrument_id=instrument_id, since=since, until=until))[0]


def ask_open_interest(*, instrument_id: int, since: dt.datetime, until: dt.datetime) -> Question:
    """Ask what ``load_open_interest`` returns."""
    params = {"id": instrument_id, "since": since, "until": until}
    return stored_rows("market_openinterest", s.OPEN_INTEREST, SAMPLES, params)


def load_newest_open_interest(*, instrument_id: int, since: dt.datetime, until: dt.datetime) -> Records:
    """Return the last OPEN_INTEREST with ``since < time <= until``: one row, or none."""
    params = {"id": instrument_id, "since": since, "until": until}
    where = f"instrument_id = %(id)s AND time = (SELECT max(time) FROM market_openinterest WHERE {SAMPLES})"  # noqa: S608 of constants
    return _stored("market_openinterest", s.OPEN_INTEREST, where, params)


def load_funding(*, instrument_id: int, since: dt.datetime, until: dt.datetime) -> Records:
    """Return FUNDING[n] with ``since < time <= until``, ascending."""
    return answer(ask_funding(instrument_id=instrument_id, since=since, until=until))[0]


def ask_funding(*, instrument_id: int, since: dt.datetime, until: dt.datetime) -> Question:
    """Ask what ``load_funding`` returns."""
    params = {"id": instrument_id, "since": since, "until": until}
    return stored_rows("market_fundingrate", s.FUNDING, SAMPLES, params)


def load_liquidations(*, instrument_id: int, since: dt.datetime, until: dt.datetime) -> Records:
    """Return LIQUIDATION[n] with ``since <= time < until``, ascending."""
    params = {"id": instrument_id, "since": since, "until": until}
    return _stored("market_liquidation", s.LIQUIDATION, EVENTS, params)


def load_liquidation_totals(
    *, instrument_id: int, since: dt.datetime, until: dt.datetime, timeframe: int = 3600
) -> Records:
    """Return LIQUIDATION_TOTAL[n] of periods of ``timeframe`` [s] wholly inside [since, until]."""
    params = {"id": instrument_id, "since": since, "until": until, "timeframe": timeframe}
    return _stored("market_liquidationtotal", s.LIQUIDATION_TOTAL, _TOTALS, params)


# usd [quote], price: of the prints of one period and side, its mean weighted by quantity.
_SUM: Final = np.dtype([("open_time", "<i8"), ("position_side", "<i8"), ("usd", "<f8"), ("price", "<f8")])
_SUMS: Final = f"""
SELECT to_timestamp(floor(extract(epoch FROM time) / %(timeframe)s) * %(timeframe)s) AS open_time,
       position_side::int8 AS position_side, sum(price * quantity) AS usd,
       sum(price * quantity) / sum(quantity) AS price
FROM market_liquidation WHERE {EVENTS} GROUP BY 1, 2 ORDER BY 1, 2
"""  # noqa: S608 of constants


def load_liquidation_sums(*, instrument_id: int, since: dt.datetime, until: dt.datetime, timeframe: int) -> Records:
    """Return open_time, position_side, usd, price[n]: prints of ``since <= time < until`` by ``timeframe`` [s]."""
    params = {"id": instrument_id, "since": since, "until": until, "timeframe": timeframe}
    return answer(Question(_SUMS, params, _SUM))[0]


class SeriesPage(NamedTuple):
    """Rows, ascending, and from when to ask for what follows; None where these are all."""

    rows: Records
    next_since: dt.datetime | None


# It begins with the hour of the first sample: nothing is looked for before it.
_LAST: Final = """
SELECT {columns} FROM generate_series(%(since)s + interval '1 hour' * greatest(1, ceil(extract(epoch FROM (
        SELECT min(time) FROM {table} WHERE instrument_id = %(id)s AND time > %(since)s) - %(since)s) / 3600)),
    %(until)s, interval '1 hour') AS hour(at)
CROSS JOIN LATERAL (
    SELECT * FROM {table} WHERE instrument_id = %(id)s AND time > hour.at - interval '1 hour' AND time <= hour.at
    ORDER BY time DESC LIMIT 1) AS newest
ORDER BY time
"""


def load_last_of_hours(*, instrument_id: int, series: SeriesName, since: dt.datetime, until: dt.datetime) -> Records:
    """Return the last sample of each hour from ``since`` to ``until``, both whole hours: ``end - 1 h < time <= end``.

    series: open_interest, depth or account_ratio. One look into the index for each hour, however many samples it has.
    """
    return answer(ask_last_of_hours(instrument_id=instrument_id, series=series, since=since, until=until))[0]


def ask_last_of_hours(*, instrument_id: int, series: SeriesName, since: dt.datetime, until: dt.datetime) -> Question:
    """Ask what ``load_last_of_hours`` returns."""
    dtype = s.DTYPES[series]
    query = _LAST.format(columns=columns_of(dtype), table=_PAGED[series][0])
    return Question(query, {"id": instrument_id, "since": since, "until": until}, dtype)


_PAGED: Final[Mapping[SeriesName, tuple[str, str]]] = {
    "open_interest": ("market_openinterest", SAMPLES),
    "funding": ("market_fundingrate", SAMPLES),
    "depth": ("market_depth", SAMPLES),
    "account_ratio": ("market_accountratio", SAMPLES),
    "liquidations": ("market_liquidation", EVENTS),
}


def load_page(
    *, instrument_id: int, series: SeriesName, since: dt.datetime, until: dt.datetime, most: int
) -> SeriesPage:
    """Return the first ``most`` rows of a span, with all of the last one's moment, so that none is cut off."""
    table, where = _PAGED[series]
    params = {"id": instrument_id, "since": since, "until": until}
    rows = _stored(table, s.DTYPES[series], where, params, most=most)
    if len(rows) < most:
        return SeriesPage(rows, None)
    # A sample's span begins after ``since``, an event's at it.
    return SeriesPage(rows, s.moment(int(rows["time"][-1]) + (where is EVENTS)))
