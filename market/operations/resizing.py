"""When a contract becomes worth another amount: what was converted with the wrong size does not stay stored.

Most rows are told in coins, or with a value that gives a wrong size away (``market.series.validate``). The others hang
on the size alone: their venues' lists are read each minute, a row is written only with the size that holds, and what
was written since the list was last read is taken back when the size turns out to have changed.

Where bars say since which minute the size has been another, only the rows around it stay held. Those before are right;
those after, and bars that were held for their turnover, are counted anew and released (``recounting``).
"""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from django.db import connection

from market.models import Instrument, Quarantine
from market.queries import load_bars
from market.series import MINUTE_MS, by_field, epoch_ms, moment
from market.sources import load_source
from market.sources.base import SourceError, is_venue

from . import holes, ledger
from .quarantine import Doubt, hold
from .recounting import CHANGED, TURNOVER, recount
from .schema import TABLES, series_key
from .storing import lock

if TYPE_CHECKING:
    from market.series import Records, SeriesName

    from .ledger import Interval

# How far a venue's clock may lie behind ours.
_SKEW: Final = dt.timedelta(seconds=10)
OTHER_SIZE: Final = "it was counted in contracts of another size than the contract has now"


def counted_series(venue: str) -> frozenset[SeriesName]:
    """Return the series of a venue that only the size of a contract turns into base units."""
    try:
        source = load_source(venue)
    except SourceError:  # of an import, or of a pair
        return frozenset()
    return source.counted if is_venue(source) else frozenset()


def is_current(*, instrument: Instrument, size: float) -> bool:
    """Tell whether a contract is worth ``size`` now. The caller holds the instrument's lock."""
    return Instrument.objects.filter(pk=instrument.pk, contract_size=size).exists()


def changed_at(*, instrument: Instrument, since: dt.datetime, now: dt.datetime) -> dt.datetime:
    """Return from when on a new size holds: the first bar whose turnover disagreed with the old one, else ``now``."""
    first_ms = _first_disagreeing(instrument, since)
    return now if first_ms is None else moment(first_ms)


def _first_disagreeing(instrument: Instrument, since: dt.datetime) -> int | None:
    held = Quarantine.objects.filter(instrument=instrument, series="bars", reason__startswith=TURNOVER)
    times = held.filter(row__open_time__gte=epoch_ms(since)).values_list("row__open_time", flat=True)
    return min(times, default=None)


class Withdrawn(NamedTuple):
    """How many rows went into quarantine, and how many that were there were counted anew."""

    held: int
    recounted: int


def withdraw(*, instrument: Instrument, since: dt.datetime, now: dt.datetime, size: float) -> Withdrawn:
    """Take back into quarantine what hung on the size of a contract that was last told at ``since``.

    size: what it is worth now. The caller is in a transaction and goes on to write the new size in it.
    """
    lock(f"instrument:{instrument.pk}")
    first_ms = _first_disagreeing(instrument, since)
    bars = 0
    if first_ms is not None and not _has_agreed_since(instrument, first_ms, now):
        bars = recount(instrument=instrument, series="bars", since_ms=first_ms, size=size, now=now)
    counted = sorted(counted_series(instrument.venue))
    start_ms, end_ms = epoch_ms(since - _SKEW), epoch_ms(now)
    if first_ms is None or not bars:
        return Withdrawn(sum(_withdraw(instrument, name, (start_ms, end_ms), now) for name in counted), 0)
    samples = recount(instrument=instrument, series="open_interest", since_ms=first_ms, size=size, now=now)
    # Somewhere in that minute, or so late in the one before that its bar did not show it.
    start_ms, end_ms = max(start_ms, first_ms - MINUTE_MS), min(end_ms, first_ms + MINUTE_MS)
    held = sum(_withdraw(instrument, name, (start_ms, end_ms), None) for name in counted)
    again = sum(recount(instrument=instrument, series=name, since_ms=end_ms, size=size, now=now) for name in counted)
    return Withdrawn(held - again, bars + samples + again)


def _has_agreed_since(instrument: Instrument, first_ms: int, now: dt.datetime) -> bool:
    """Tell whether later bars went with the old size: then the one that did not was wrong for another reason."""
    since = moment(first_ms + MINUTE_MS)
    return len(load_bars(instrument_id=instrument.pk, since=since, until=now, timeframe=MINUTE_MS // 1000)) > 0


def _withdraw(instrument: Instrument, series: SeriesName, span: Interval, now: dt.datetime | None) -> int:
    """Hold all rows from a span's beginning on; the span, or all up to ``now``, goes out of the ledger."""
    rows = _take_out(instrument, series, moment(span[0]))
    if len(rows) == 0:
        return 0
    doubts = [Doubt(repr(row.item()), CHANGED, index, by_field(row)) for index, row in enumerate(rows)]
    hold(instrument=instrument, series=series, origin=f"{instrument.venue} rows", doubts=doubts)
    key = series_key(instrument.pk, series, 0)
    until_ms = max(epoch_ms(now), int(rows["time"][-1]) + 1) if now else span[1]
    ledger.cut(key, since_ms=span[0], until_ms=until_ms, goes_on=not TABLES[series].default_step)
    holes.refresh(key=key, state=holes.LOST, reason=CHANGED)
    return len(rows)


def _take_out(instrument: Instrument, series: SeriesName, since: dt.datetime) -> Records:
    table = TABLES[series]
    names = table.dtype.names or ()
    # Names come from the table of tables, values are bound.
    statement = f"DELETE FROM {table.name} WHERE instrument_id = %s AND time > %s RETURNING {', '.join(names)}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, [instrument.pk, since])
        found = [
            (epoch_ms(time), *(math.nan if value is None else value for value in values))
            for time, *values in cursor.fetchall()
        ]
    return np.sort(np.array(found, dtype=table.dtype), order="time")
