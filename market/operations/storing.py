"""Store rows of a series: idempotent, with a trace of every correction and the ledger in the same transaction."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import numpy as np
from django.db import connection, transaction

from market.models import Change
from market.series import epoch_ms

from . import ledger
from .schema import TABLES, SeriesKey
from .staging import Stored, drop_duplicates, merge, number_equal_prints, open_staging, stage

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from django.db.backends.utils import CursorWrapper

    from market.series import Records, SeriesName

    from .ledger import Interval
    from .staging import Conflict

# What maps are estimated from.
BUILT_FROM: Final = frozenset({"bars", "open_interest"})


def store(  # noqa: PLR0913 a public seam: series, rows and what is known of them
    *,
    instrument_id: int,
    series: SeriesName,
    rows: Records,
    now: dt.datetime,
    timeframe: int = 0,
    span: Interval | None = None,
) -> Stored:
    """Upsert validated rows on their natural key and extend the ledger, in one transaction.

    rows: records of the series' dtype, each natural key once; timeframe [s] is needed for bars and totals; ``span``
    [ms] is what the rows are known to cover, if that is more than themselves (events). ``now`` stamps nothing: it
    bounds what may be stored. Raises ValueError for a missing timeframe or rows beyond ``now``.
    """
    if len(rows) == 0 and span is None:
        return Stored(0, 0, 0)
    filing = Filing(instrument_id=instrument_id, series=series, timeframe=timeframe)
    if len(rows) and rows[filing.table.time].max() > epoch_ms(now):
        raise ValueError(f"{series} hold rows from the future")
    with transaction.atomic():
        filing.open()
        filing.add(rows)
        if span is not None:
            filing.stretches.append(span)
        return filing.close()


class Filing:
    """Rows of one series on their way into its table, piece by piece, inside the caller's transaction."""

    def __init__(self, *, instrument_id: int, series: SeriesName, timeframe: int, step_s: int = 0) -> None:
        """Name the series; ``step_s`` is how far apart samples lie that follow each other, 0 for the usual distance."""
        self.table = TABLES[series]
        self.instrument_id = instrument_id
        self.series = series
        if self.table.has_timeframe and timeframe <= 0:
            raise ValueError(f"{series} need a timeframe")
        self.given_timeframe = timeframe
        self.timeframe = timeframe or self.table.default_step
        self.step_ms = (self.timeframe if self.table.has_timeframe else step_s or self.timeframe) * 1000
        self.key = SeriesKey(instrument_id, series, self.timeframe)
        self.stretches: list[Interval] = []
        # What the ledger holds of the series, once the filing is closed.
        self.covered: list[Interval] = []
        self.staged = 0
        self.months: set[int] = set()
        self.span: Interval | None = None
        self.newest: int | None = None
        self.is_sorted = True
        self.changed_from: dt.datetime | None = None

    def open(self) -> None:
        """Lock the instrument and make the staging table."""
        lock(f"instrument:{self.instrument_id}")
        open_staging(self.table)

    def add(self, rows: Records, lines: np.ndarray[tuple[int], np.dtype[np.int64]] | None = None) -> None:
        """Copy rows into staging."""
        if len(rows) == 0:
            return
        stage(self.table, rows, lines)
        times = rows[self.table.time]
        found = ledger.stretches_of(self.table, times, self.step_ms)
        self.stretches = ledger.join([*self.stretches, *found], ledger.reach_of(self.table, self.step_ms))
        self.months |= months_of(times)
        self.staged += len(rows)
        ascends = bool((np.diff(times) > 0).all()) and (self.newest is None or times[0] > self.newest)
        self.is_sorted = self.is_sorted and ascends
        self.newest = int(times[-1])
        first, last = self.span or (self.newest, self.newest)
        self.span = (min(first, int(times.min())), max(last, int(times.max())))

    def settle_duplicates(self) -> list[Conflict]:
        """Keep the first of staged rows with one key; return later ones with other values.

        Equal prints of one millisecond are no duplicates: they are numbered.
        """
        if self.series == "liquidations":
            number_equal_prints(self.table)
            return []
        if self.is_sorted:
            return []
        dropped, conflicts = drop_duplicates(self.table)
        self.staged -= dropped
        return conflicts

    def close(self) -> Stored:
        """Write what is new or changed and extend the ledger."""
        if self.table.name == "market_bar":
            make_months(self.months)
        stored, self.changed_from = merge(
            self.table,
            series=self.series,
            instrument_id=self.instrument_id,
            timeframe=self.timeframe,
            staged=self.staged,
            span=self.span,
        )
        before = ledger.stretches(self.key)
        if self.changed_from is not None and self.series in BUILT_FROM and before:
            self._note_change(self.changed_from, before[-1][1])
        reach_ms = ledger.reach_of(self.table, self.step_ms)
        self.covered = ledger.extend(self.key, reach_ms=reach_ms, before=before, more=self.stretches)
        return stored

    def _note_change(self, since: dt.datetime, edge_ms: int) -> None:
        """Let those who build from these rows know, unless the rows only went on where the series ended."""
        if epoch_ms(since) < edge_ms:
            Change.objects.create(instrument_id=self.instrument_id, series=self.series, since=since)


def lock(name: str) -> None:
    """Take the transaction's advisory lock of this name."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_number(name)])


def lock_number(name: str) -> int:
    """Return the number under which PostgreSQL knows the lock of this name."""
    return int.from_bytes(hashlib.sha256(f"market:{name}".encode()).digest()[:8], "big", signed=True)


def months_of(times: np.ndarray[tuple[int], np.dtype[np.int64]]) -> set[int]:
    """Return the months, counted from January 1970, in which times [ms] lie."""
    months: list[int] = np.unique(times.astype("M8[ms]").astype("M8[M]").astype(np.int64)).tolist()
    return set(months)


def make_months(months: set[int]) -> None:
    """Make the monthly partitions that bars need; ``months`` counts from January 1970.

    Attaching takes a lock that lets readers and writers pass; CREATE … PARTITION OF would stop them until the commit.
    The function of migration 0009 does it, because a worker owns no table.
    """
    names = {month: f"market_bar_{np.datetime64(month, 'M').item():%Y_%m}" for month in sorted(months)}
    with connection.cursor() as cursor:
        missing = _missing(cursor, names)
        if not missing:
            return
        lock("partitions")
        for month in _missing(cursor, missing):
            cursor.execute("SELECT market_make_month(%s)", [np.datetime64(month, "M").item()])


def _missing(cursor: CursorWrapper, names: Mapping[int, str]) -> dict[int, str]:
    cursor.execute(
        "SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid"
        " WHERE inhparent = 'market_bar'::regclass"
    )
    present = {name for (name,) in cursor.fetchall()}
    return {month: name for month, name in names.items() if name not in present}
