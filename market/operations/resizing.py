"""When a contract becomes worth another amount: what was converted with the wrong size does not stay stored.

Most rows are told in coins, or with a value that gives a wrong size away (``market.series.validate``). The others hang
on the size alone: their venues' lists are read each minute, a row is written only with the size that holds, and what
was written since the list was last read is taken back when the size turns out to have changed.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Final

import numpy as np
from django.db import connection

from market.models import Instrument, Quarantine
from market.series import by_field, epoch_ms, moment
from market.sources import load_source
from market.sources.base import SourceError, is_venue

from . import holes, ledger
from .quarantine import Doubt, hold
from .schema import TABLES, series_key
from .storing import lock

if TYPE_CHECKING:
    from market.series import Records, SeriesName

# How far a venue's clock may lie behind ours.
_SKEW: Final = dt.timedelta(seconds=10)
OTHER_SIZE: Final = "it was counted in contracts of another size than the contract has now"
_CHANGED: Final = "the size of a contract changed about then"


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
    held = Quarantine.objects.filter(instrument=instrument, series="bars", reason__startswith="quote_volume is not")
    times = held.filter(row__open_time__gte=epoch_ms(since)).values_list("row__open_time", flat=True)
    return moment(min(times, default=epoch_ms(now)))


def withdraw(*, instrument: Instrument, since: dt.datetime, now: dt.datetime) -> int:
    """Take back into quarantine what hung on the size of a contract after ``since``; return how many rows.

    The caller is in a transaction and goes on to write the new size in it.
    """
    lock(f"instrument:{instrument.pk}")
    return sum(_withdraw(instrument, series, since - _SKEW, now) for series in sorted(counted_series(instrument.venue)))


def _withdraw(instrument: Instrument, series: SeriesName, since: dt.datetime, now: dt.datetime) -> int:
    rows = _take_out(instrument, series, since)
    if len(rows) == 0:
        return 0
    doubts = [Doubt(repr(row.item()), _CHANGED, index, by_field(row)) for index, row in enumerate(rows)]
    hold(instrument=instrument, series=series, origin=f"{instrument.venue} rows", doubts=doubts)
    key = series_key(instrument.pk, series, 0)
    until_ms = max(epoch_ms(now), int(rows["time"][-1]) + 1)
    ledger.cut(key, since_ms=epoch_ms(since), until_ms=until_ms, goes_on=not TABLES[series].default_step)
    holes.refresh(key=key, state=holes.LOST, reason=_CHANGED)
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
