"""Bars of any timeframe, put together from the stored ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from market import series as s

from .asking import Question, answer, columns_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from market.series import Records

# A bar with its own timeframe [s] behind it.
_STORED: Final = np.dtype([*s.BAR.descr, ("timeframe", "<i8")])
# Each timeframe that may divide the wanted one, finest first, and its bars by time. That none begins at the end is said
# for the months of the table that need not be looked into.
_QUERY: Final = f"""
SELECT bar.*, stored.timeframe::int8 AS timeframe FROM (
    SELECT DISTINCT timeframe FROM market_coverage WHERE instrument_id = %(id)s AND series = %(series)s
    AND timeframe <= %(timeframe)s AND %(timeframe)s %% timeframe = 0 AND end_at > %(since)s AND start_at < %(until)s
    ORDER BY timeframe) AS stored
CROSS JOIN LATERAL (
    SELECT {columns_of(s.BAR)} FROM market_bar
    WHERE instrument_id = %(id)s AND price_kind = %(kind)s AND timeframe = stored.timeframe
    AND open_time >= %(since)s AND open_time < %(until)s
    AND open_time <= %(until)s - make_interval(secs => stored.timeframe)
    ORDER BY open_time) AS bar
"""  # noqa: S608 of constants


def load_bars(
    *, instrument_id: int, since: dt.datetime, until: dt.datetime, timeframe: int, price_kind: int = 0
) -> Records:
    """Return BAR[n] of ``timeframe`` [s], aggregated from stored bars, periods aligned to the epoch.

    ``since`` is floored to its period, so that the first one is whole. A period is built from the stored timeframe
    that covers most of it, the finest of equals; one that has only partly elapsed at ``until`` is included, one
    without any bar is absent. Sums are NaN where any bar of the period lacks the value.
    """
    span = {"since": since, "until": until}
    return answer(ask_bars(instrument_id=instrument_id, timeframe=timeframe, price_kind=price_kind, **span))[0]


def ask_bars(
    *, instrument_id: int, since: dt.datetime, until: dt.datetime, timeframe: int, price_kind: int = 0
) -> Question:
    """Ask what ``load_bars`` returns."""
    period_ms = timeframe * 1000
    params = {
        "id": instrument_id,
        "kind": price_kind,
        "series": ("bars", "mark_bars")[price_kind],
        "timeframe": timeframe,
        "since": s.moment(s.epoch_ms(since) // period_ms * period_ms),
        "until": until,
    }
    return Question(_QUERY, params, _STORED, lambda stored: _combine(stored, period_ms))


def _combine(stored: Records, period_ms: int) -> Records:
    """Put bars of several timeframes, one after the other, together."""
    parts, covered = [], []
    for timeframe in np.unique(stored["timeframe"]).tolist():
        rows, counts = _aggregate(stored[stored["timeframe"] == timeframe], period_ms)
        parts.append(rows)
        covered.append(counts * timeframe)
    return _best_periods(parts, covered)


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
