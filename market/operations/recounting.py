"""Rows that were held because their contract had become worth another amount: counted anew, and released.

Only where both sizes and the minute are known (``resizing``): then a row's true value is what came times the ratio of
the sizes. A bar or a sample must go with its other fields afterwards, or it stays held.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from market.models import Quarantine
from market.queries.releasable import read_row
from market.series import DEPTH, MINUTE_MS, epoch_ms, validate

from . import holes, units
from .schema import TABLES
from .storing import Filing

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from market.models import Instrument
    from market.series import Records, SeriesName

CHANGED: Final = "the size of a contract changed about then"
TURNOVER: Final = "quote_volume is not"
# Why rows of a series are held when the size was another, and which of their fields it went into.
_COUNTED: Final[Mapping[SeriesName, tuple[str, tuple[str, ...]]]] = {
    "bars": (TURNOVER, ("quote_volume",)),
    "open_interest": (units.OFF, ("open_interest_value",)),
    "liquidations": (CHANGED, ("quantity",)),
    "depth": (CHANGED, (DEPTH.names or ())[2:]),
}
# Of these the venue is asked again; the others it tells once.
_ASKED: Final = frozenset({"bars", "open_interest"})
_BY: Final = "the size of the contract"


def recount(*, instrument: Instrument, series: SeriesName, since_ms: int, size: float, now: dt.datetime) -> int:
    """Release what is held from ``since_ms`` on, as it is with a contract worth ``size`` rather than what is known.

    Return how many rows. The caller holds the instrument's lock.
    """
    reason, fields = _COUNTED[series]
    table = TABLES[series]
    held = Quarantine.objects.filter(
        instrument=instrument, series=series, state=Quarantine.State.HELD, reason__startswith=reason
    )
    found = held.filter(**{f"row__{table.time}__gte": since_ms}).order_by("pk")
    readable = [(row, records) for row in found if (records := read_row(row)[0]) is not None]
    if not readable:
        return 0
    rows = np.concatenate([records for _, records in readable])
    for name in fields:
        rows[name] *= size / instrument.contract_size
    kept = _believed(instrument, series, rows, now)
    _file(instrument, series, rows[kept])
    released = Quarantine.objects.filter(pk__in=[readable[index][0].pk for index in kept])
    return released.update(state=Quarantine.State.RELEASED, decided_by=_BY, decided_at=now)


def _believed(instrument: Instrument, series: SeriesName, rows: Records, now: dt.datetime) -> list[int]:
    """Return which rows can be true now, those of a time in the order in which they came."""
    timeframe = MINUTE_MS // 1000 if TABLES[series].has_timeframe else 0
    kept = [int(index) for index in validate(rows, now_ms=epoch_ms(now), timeframe=timeframe).index]
    if series == "open_interest":
        kept = [index for index in kept if not units.believed(instrument=instrument, rows=rows[[index]])[1]]
    return kept


def _file(instrument: Instrument, series: SeriesName, rows: Records) -> None:
    timeframe = MINUTE_MS // 1000 if TABLES[series].has_timeframe else 0
    filing = Filing(instrument_id=instrument.pk, series=series, timeframe=timeframe)
    filing.open()
    if series == "liquidations":
        filing.add(np.unique(rows))
        filing.stretches = []  # who listened keeps that ledger
    else:
        filing.add(rows[np.unique(rows[filing.table.time], return_index=True)[1]])
    filing.close()
    state, reason = (holes.WAITING, "") if series in _ASKED else (holes.LOST, CHANGED)
    holes.refresh(key=filing.key, state=state, reason=reason, stored=filing.covered)
