"""Stored series as numpy records, a column in one piece.

One rule of time: a bar is returned when it lies wholly inside [since, until]; a sample (open interest, funding)
when ``since < time <= until``, because it belongs to the step that it ends; an event when ``since <= time < until``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from django.db import connection

from market import series as s

from .driver import binary_cursor
from .wire import from_arrays

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from market.series import Records, SeriesName

NULLABLE: Final = frozenset({"volume", *s.OPTIONAL})


def read(
    table: str, dtype: np.dtype[np.void], where: str, params: Mapping[str, object], *, most: int | None = None
) -> Records:
    """Return the rows of a table where a condition on ``params`` holds, ascending; the first ``most``, with equals."""
    fields = dtype.names or ()
    time = fields[0]
    columns = ", ".join(f"coalesce({f}, 'NaN') AS {f}" if f in NULLABLE else _int8(f, dtype) for f in fields)
    # Names come from the dtypes of market.series, values are bound.
    first = f" FETCH FIRST {most:d} ROWS WITH TIES" if most is not None else ""
    return fetch(f"SELECT {columns} FROM {table} WHERE {where} ORDER BY {time}{first}", params, dtype)  # noqa: S608


def fetch(query: str, params: Mapping[str, object], dtype: np.dtype[np.void]) -> Records:
    """Return the rows of a query that selects the fields of ``dtype``, each of 8 bytes and none of them NULL."""
    arrays = ", ".join(f"array_send(array_agg({field}))" for field in dtype.names or ())
    # An aggregate takes its input in the order of the subquery, as nothing stands between them.
    statement = f"SELECT {arrays} FROM ({query}) AS rows"  # noqa: S608 -- names of dtypes
    with binary_cursor() as cursor:
        row = cursor.execute(statement.encode(), params).fetchone()
    assert row is not None  # an aggregate's answer is one row
    return from_arrays(row, dtype)


def _int8(field: str, dtype: np.dtype[np.void]) -> str:
    return f"{field}::int8 AS {field}" if dtype[field].kind == "i" and field not in {"time", "open_time"} else field


_BARS: Final = (
    "instrument_id = %(id)s AND price_kind = %(kind)s AND timeframe = %(timeframe)s"
    " AND open_time >= %(since)s AND open_time <= %(until)s - make_interval(secs => %(timeframe)s)"
)
SAMPLES: Final = "instrument_id = %(id)s AND time > %(since)s AND time <= %(until)s"
_EVENTS: Final = "instrument_id = %(id)s AND time >= %(since)s AND time < %(until)s"
_TOTALS: Final = (
    "instrument_id = %(id)s AND timeframe = %(timeframe)s"
    " AND open_time >= %(since)s AND open_time <= %(until)s - make_interval(secs => %(timeframe)s)"
)


def _stored_bars(instrument_id: int, since: dt.datetime, until: dt.datetime, timeframe: int, kind: int) -> Records:
    params = {"id": instrument_id, "since": since, "until": until, "timeframe": timeframe, "kind": kind}
    return read("market_bar", s.BAR, _BARS, params)


def load_open_interest(*, instrument_id: int, since: dt.datetime, until: dt.datetime) -> Records:
    """Return OPEN_INTEREST[n] with ``since < time <= until``, ascending."""
    params = {"id": instrument_id, "since": since, "until": until}
    return read("market_openinterest", s.OPEN_INTEREST, SAMPLES, params)


def load_newest_open_interest(*, instrument_id: int, since: dt.datetime, until: dt.datetime) -> Records:
    """Return the last OPEN_INTEREST with ``since < time <= until``: one row, or none."""
    params = {"id": instrument_id, "since": since, "until": until}
    where = f"instrument_id = %(id)s AND time = (SELECT max(time) FROM market_openinterest WHERE {SAMPLES})"  # noqa: S608 of constants
    return read("market_openinterest", s.OPEN_INTEREST, where, params)


def load_funding(*, instrument_id: int, since: dt.datetime, until: dt.datetime) -> Records:
    """Return FUNDING[n] with ``since < time <= until``, ascending."""
    return read("market_fundingrate", s.FUNDING, SAMPLES, {"id": instrument_id, "since": since, "until": until})


def load_liquidations(*, instrument_id: int, since: dt.datetime, until: dt.datetime) -> Records:
    """Return LIQUIDATION[n] with ``since <= time < until``, ascending."""
    params = {"id": instrument_id, "since": since, "until": until}
    return read("market_liquidation", s.LIQUIDATION, _EVENTS, params)


def load_liquidation_totals(
    *, instrument_id: int, since: dt.datetime, until: dt.datetime, timeframe: int = 3600
) -> Records:
    """Return LIQUIDATION_TOTAL[n] of periods of ``timeframe`` [s] wholly inside [since, until]."""
    params = {"id": instrument_id, "since": since, "until": until, "timeframe": timeframe}
    return read("market_liquidationtotal", s.LIQUIDATION_TOTAL, _TOTALS, params)


# usd [quote], price: of the prints of one period and side, its mean weighted by quantity.
_SUM: Final = np.dtype([("open_time", "<i8"), ("position_side", "<i8"), ("usd", "<f8"), ("price", "<f8")])
_SUMS: Final = f"""
SELECT to_timestamp(floor(extract(epoch FROM time) / %(timeframe)s) * %(timeframe)s) AS open_time,
       position_side::int8 AS position_side, sum(price * quantity) AS usd,
       sum(price * quantity) / sum(quantity) AS price
FROM market_liquidation WHERE {_EVENTS} GROUP BY 1, 2 ORDER BY 1, 2
"""  # noqa: S608 of constants


def load_liquidation_sums(*, instrument_id: int, since: dt.datetime, until: dt.datetime, timeframe: int) -> Records:
    """Return open_time, position_side, usd, price[n]: prints of ``since <= time < until`` by ``timeframe`` [s]."""
    params = {"id": instrument_id, "since": since, "until": until, "timeframe": timeframe}
    return fetch(_SUMS, params, _SUM)


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
    dtype = s.DTYPES[series]
    columns = ", ".join(f"coalesce({f}, 'NaN') AS {f}" if f in NULLABLE else f for f in dtype.names or ())
    query = _LAST.format(columns=columns, table=_PAGED[series][0])
    return fetch(query, {"id": instrument_id, "since": since, "until": until}, dtype)


_PAGED: Final[Mapping[SeriesName, tuple[str, str]]] = {
    "open_interest": ("market_openinterest", SAMPLES),
    "funding": ("market_fundingrate", SAMPLES),
    "depth": ("market_depth", SAMPLES),
    "account_ratio": ("market_accountratio", SAMPLES),
    "liquidations": ("market_liquidation", _EVENTS),
}


def load_page(
    *, instrument_id: int, series: SeriesName, since: dt.datetime, until: dt.datetime, most: int
) -> SeriesPage:
    """Return the first ``most`` rows of a span, with all of the last one's moment, so that none is cut off."""
    table, where = _PAGED[series]
    params = {"id": instrument_id, "since": since, "until": until}
    rows = read(table, s.DTYPES[series], where, params, most=most)
    if len(rows) < most:
        return SeriesPage(rows, None)
    # A sample's span begins after ``since``, an event's at it.
    return SeriesPage(rows, s.moment(int(rows["time"][-1]) + (where is _EVENTS)))


def load_bars(
    *, instrument_id: int, since: dt.datetime, until: dt.datetime, timeframe: int, price_kind: int = 0
) -> Records:
    """Return BAR[n] of ``timeframe`` [s], aggregated from stored bars, periods aligned to the epoch.

    ``since`` is floored to its period, so that the first one is whole. A period is built from the stored timeframe
    that covers most of it, the finest of equals; one that has only partly elapsed at ``until`` is included, one
    without any bar is absent. Sums are NaN where any bar of the period lacks the value.
    """
    period_ms = timeframe * 1000
    since = s.moment(s.epoch_ms(since) // period_ms * period_ms)
    parts, covered = [], []
    for stored in _stored_timeframes(instrument_id, since, until, timeframe, price_kind):
        rows, counts = _aggregate(_stored_bars(instrument_id, since, until, stored, price_kind), period_ms)
        parts.append(rows)
        covered.append(counts * stored)
    return _best_periods(parts, covered)


def _stored_timeframes(
    instrument_id: int, since: dt.datetime, until: dt.datetime, timeframe: int, price_kind: int
) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT timeframe FROM market_coverage WHERE instrument_id = %s AND series = %s"
            " AND timeframe <= %s AND %s %% timeframe = 0 AND end_at > %s AND start_at < %s ORDER BY timeframe",
            [instrument_id, ("bars", "mark_bars")[price_kind], timeframe, timeframe, since, until],
        )
        return [stored for (stored,) in cursor.fetchall()]


def _aggregate(bars: Records, period_ms: int) -> tuple[Records, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    periods = bars["open_time"] // period_ms
    starts = np.flatnonzero(np.diff(periods, prepend=-1))
    counts = np.diff(np.append(starts, len(bars)))
    rows = np.empty(len(starts), dtype=s.BAR)
    if len(starts) == 0:
        return rows, counts
    rows["open_time"] = periods[starts] * period_ms
    rows["open"] = bars["open"][starts]
    rows["close"] = bars["close"][starts + counts - 1]
    rows["high"] = np.maximum.reduceat(bars["high"], starts)
    rows["low"] = np.minimum.reduceat(bars["low"], starts)
    for field in ("volume", "quote_volume", "taker_buy_volume"):
        rows[field] = np.add.reduceat(bars[field], starts)
    return rows, counts


def _best_periods(parts: Sequence[Records], covered: Sequence[np.ndarray[tuple[int], np.dtype[np.int64]]]) -> Records:
    if not parts:
        return np.empty(0, dtype=s.BAR)
    rows = np.concatenate(parts)
    rank = np.concatenate([np.full(len(part), index) for index, part in enumerate(parts)])
    # Ascending period, then most covered first, then finest first: the first of each period wins.
    order = np.lexsort((rank, -np.concatenate(covered), rows["open_time"]))
    _, first = np.unique(rows["open_time"][order], return_index=True)
    return rows[order][first]
