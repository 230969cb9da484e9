"""Store what many instruments report at once: the bars of a minute in one statement, prints instrument by instrument.

A bar that goes on where its instrument's ledger ends needs no comparing: it is new, and the ledger grows by it. Each
other row (a gap before it, a correction, a repetition) takes the careful way of ``reading.store_part``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from django.db import connection, transaction

from market.models import Instrument
from market.queries.wire import encode
from market.series import BAR, DAY_MS, epoch_ms, moment, validate
from market.sources.base import Part

from .ledger import stretches
from .quarantine import doubts_of, hold
from .reading import store_part
from .schema import SeriesKey
from .storing import lock_number, make_months, months_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from market.series import Records, SeriesName

_HERD: Final = np.dtype([("instrument_id", "<i8"), *BAR.descr])
_FIELDS: Final = _HERD.names or ()
# A bar farther beyond what is stored waits until back-fill has come near it: first the history, then its edge.
REACH_MS: Final = DAY_MS

_STAGING: Final = """CREATE TEMPORARY TABLE IF NOT EXISTS staging_herd
    (instrument_id bigint, open_time timestamptz, open float8, high float8, low float8, close float8,
     volume float8, quote_volume float8, taker_buy_volume float8) ON COMMIT DELETE ROWS"""
# Whoever is being written by somebody else is left for the next time.
_LOCK: Final = """SELECT id FROM unnest(%s::bigint[], %s::bigint[]) AS wanted(id, number)
    WHERE pg_try_advisory_xact_lock(number)"""
_EXTEND: Final = """UPDATE market_coverage AS c SET end_at = run.until
    FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS run(id, since, until)
    WHERE c.instrument_id = run.id AND c.series = 'bars' AND c.timeframe = %s AND c.end_at = run.since
    RETURNING c.instrument_id"""
_INSERT: Final = """INSERT INTO market_bar (instrument_id, price_kind, timeframe, open_time, open, high, low, close,
        volume, quote_volume, taker_buy_volume)
    SELECT instrument_id, 0, %s, open_time, open, high, low, close, nullif(volume, 'NaN'),
        nullif(quote_volume, 'NaN'), nullif(taker_buy_volume, 'NaN')
    FROM staging_herd WHERE instrument_id = ANY(%s)"""


@dataclass(frozen=True, slots=True)
class Told:
    """What a venue said of one series of one instrument, with the contract size that it was converted with."""

    instrument_id: int
    series: SeriesName
    part: Part
    size: float = 1.0


class Herd(NamedTuple):
    """How many rows were stored, and what could not be because others were writing there."""

    rows: int
    left: list[Told]


def store_all(*, told: Sequence[Told], now: dt.datetime) -> Herd:
    """Store what was told, in the order in which it came; safe to repeat and to be killed between transactions.

    Raises DatabaseError; what of it was stored then is stored again without effect.
    """
    bars = [one for one in told if one.series == "bars"]
    others = [one for one in told if one.series != "bars"]
    instruments = Instrument.objects.in_bulk({one.instrument_id for one in told})
    runs = _runs(bars, instruments, now)
    fast, busy = _append(runs)
    careful = [one for one in bars if one.instrument_id not in fast | busy] + _prints_together(others)
    rows = sum(len(run.rows) for run in runs if run.instrument_id in fast)
    for one in careful:
        rows += _store_carefully(instruments[one.instrument_id], one, now)
    return Herd(rows, [one for one in bars if one.instrument_id in busy])


def _prints_together(told: Sequence[Told]) -> list[Told]:
    """Make one of all prints of an instrument: a burst comes in about as many messages as it has prints.

    Each is numbered among its equals within its message, so that a message which came twice says nothing new.
    """
    prints: dict[tuple[int, float], list[Part]] = {}
    rest = []
    for one in told:
        if one.series == "liquidations" and one.part.covered is None:
            prints.setdefault((one.instrument_id, one.size), []).append(one.part)
        else:
            rest.append(one)
    for (pk, size), parts in prints.items():
        rows = np.unique(np.concatenate([part.rows for part in parts]))
        faults = tuple(fault for part in parts for fault in part.faults)
        rest.append(Told(pk, "liquidations", Part(rows, faults=faults), size))
    return rest


class _Run(NamedTuple):
    """Bars of one instrument that follow each other without a hole: rows BAR[n], their length [s]."""

    instrument_id: int
    rows: Records
    timeframe: int

    @property
    def span(self) -> tuple[int, int]:
        times = self.rows["open_time"]
        return int(times[0]), int(times[-1]) + self.timeframe * 1000


def _runs(bars: Sequence[Told], instruments: dict[int, Instrument], now: dt.datetime) -> list[_Run]:
    """Return for each instrument its bars, if all are believed, of one length and without a hole."""
    grouped: dict[int, list[Told]] = {}
    for one in bars:
        grouped.setdefault(one.instrument_id, []).append(one)
    runs = []
    for pk, mine in grouped.items():
        rows = np.concatenate([one.part.rows for one in mine])
        timeframe = mine[0].part.timeframe
        checked = validate(rows, now_ms=epoch_ms(now), timeframe=timeframe)
        is_plain = not checked.rejected and not any(one.part.faults for one in mine)
        ordered = np.sort(checked.rows, order="open_time")
        is_run = bool((np.diff(ordered["open_time"]) == timeframe * 1000).all())
        if len(ordered) and is_plain and is_run and instruments[pk].ended_at is None:
            runs.append(_Run(pk, ordered, timeframe))
    return runs


def _append(runs: Sequence[_Run]) -> tuple[set[int], set[int]]:
    """Store runs that go on where the ledger ends; return whose were, and who is being written by others."""
    stored: set[int] = set()
    busy: set[int] = set()
    for timeframe in sorted({run.timeframe for run in runs}):
        of_length = {run.instrument_id: run for run in runs if run.timeframe == timeframe}
        with transaction.atomic(), connection.cursor() as cursor:
            ids = sorted(of_length)
            cursor.execute(_LOCK, [ids, [lock_number(f"instrument:{pk}") for pk in ids]])
            mine = {pk for (pk,) in cursor.fetchall()}
            busy |= set(ids) - mine
            free = [of_length[pk] for pk in ids if pk in mine]
            spans = [run.span for run in free]
            edges = [[moment(span[side]) for span in spans] for side in (0, 1)]
            cursor.execute(_EXTEND, [[run.instrument_id for run in free], *edges, timeframe])
            adjacent = {pk for (pk,) in cursor.fetchall()}
            _insert([run for run in free if run.instrument_id in adjacent], timeframe)
            stored |= adjacent
    return stored, busy


def _insert(runs: Sequence[_Run], timeframe: int) -> None:
    if not runs:
        return
    rows = np.empty(sum(len(run.rows) for run in runs), dtype=_HERD)
    rows["instrument_id"] = np.repeat([run.instrument_id for run in runs], [len(run.rows) for run in runs])
    together = np.concatenate([run.rows for run in runs])
    for field in BAR.names or ():
        rows[field] = together[field]
    make_months(months_of(together["open_time"]))
    with connection.cursor() as cursor:
        cursor.execute(_STAGING)
        with cursor.copy(f"COPY staging_herd ({', '.join(_FIELDS)}) FROM STDIN (FORMAT binary)") as copy:
            copy.write(encode(rows, _FIELDS))
        cursor.execute(_INSERT, [timeframe, [run.instrument_id for run in runs]])
        cursor.execute("TRUNCATE staging_herd")


def _store_carefully(instrument: Instrument, one: Told, now: dt.datetime) -> int:
    if one.part.timeframe and len(one.part.rows) and not _is_near(instrument.pk, one):
        # Its history is still on its way; back-fill will come to these bars. What is no bar is kept all the same.
        doubts = doubts_of(rows=one.part.rows, rejected=(), faults=one.part.faults)
        hold(instrument=instrument, series=one.series, origin=f"{instrument.venue} stream", doubts=doubts)
        return 0
    return store_part(instrument=instrument, series=one.series, part=one.part, now=now, size=one.size).new


def _is_near(instrument_id: int, one: Told) -> bool:
    """Tell whether bars lie behind, at or not far beyond the end of what is stored."""
    stored = stretches(SeriesKey(instrument_id, one.series, one.part.timeframe))
    return bool(stored) and bool((one.part.rows["open_time"] <= stored[-1][1] + REACH_MS).all())
