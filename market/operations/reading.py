"""Read a venue's series page by page into storage: what came, what was not believed, and what turned out missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from django.db import transaction

from market.models import ContractTerms
from market.series import DAY_MS, HOUR_MS, MINUTE_MS, epoch_ms, validate
from market.sources.base import Fault, SourceError

from . import holes, resizing, units
from .quarantine import doubts_of, hold
from .schema import TABLES
from .staging import Stored
from .storing import Filing

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from market.models import Instrument
    from market.series import Records, SeriesName
    from market.sources.base import Connection, Offer, Part

    from .ledger import Interval

# A row that is younger than this may still be on its way at the venue: its absence says nothing yet [ms].
_SETTLED_MS: Final = {
    "bars": 2 * MINUTE_MS,
    "mark_bars": 2 * MINUTE_MS,
    "open_interest": 15 * MINUTE_MS,
    "account_ratio": 15 * MINUTE_MS,
    "funding": HOUR_MS,
}
# How late a venue may stamp what it samples at a minute [ms].
_LATE: Final = {"funding": 1_000, "open_interest": 5_000, "account_ratio": 5_000}
_TOLD_ONCE: Final = "nobody asked at that moment, and the venue tells only the present"


_NOTHING: Final = Stored(0, 0, 0)


@dataclass(slots=True)
class Reading:
    """What has been read so far, over all pages."""

    stored: Stored = _NOTHING
    pages: int = 0
    through_ms: int = 0
    is_complete: bool = False

    def add(self, stored: Stored) -> None:
        """Count a page."""
        self.pages += 1
        self.stored = Stored(*(have + more for have, more in zip(self.stored, stored, strict=True)))

    def reach(self, reached_ms: int, *, until_ms: int, now_ms: int) -> None:
        """Note how far a page reached; one that reached nothing new, or the end, is the last."""
        # A sample of this very moment comes with the page that reaches it; another question for it is not worth it.
        is_at_end = reached_ms >= min(until_ms, now_ms)
        self.is_complete = is_at_end or reached_ms <= self.through_ms
        self.through_ms = until_ms if is_at_end else max(self.through_ms, reached_ms)


def read_span(  # noqa: PLR0913 a series' key, the span, and how to go about it
    *,
    connection: Connection,
    instrument: Instrument,
    series: SeriesName,
    offer: Offer,
    span: Interval,
    now: dt.datetime,
    may_go_on: Callable[[], bool],
    on_page: Callable[[Reading], None] | None = None,
) -> Reading:
    """Read ``span`` [ms], oldest first, each page in its own transaction, as long as ``may_go_on`` says so.

    Safe to repeat and to be killed: what is stored is in the ledger. Raises SourceError for what the venue does not
    deliver; pages before it stay.
    """
    reading, sizes = Reading(through_ms=span[0]), contract_sizes(instrument)
    while not reading.is_complete and may_go_on():
        since_ms = reading.through_ms
        size, until_ms = _size_from(sizes, since_ms, span[1])
        # The venue may take its time: no transaction is open while it does.
        part = connection.read(
            series=series,
            symbol=instrument.symbol,
            contract_size=size,
            since_ms=since_ms,
            until_ms=until_ms,
            now_ms=epoch_ms(now),
        )
        stored = store_part(
            instrument=instrument,
            series=series,
            part=part,
            now=now,
            until_ms=span[1],
            is_told_once=offer.is_snapshot,
            step_s=offer.timeframe,
            size=size,
        )
        reading.add(stored)
        reading.reach(_reached(part, offer, since_ms), until_ms=span[1], now_ms=epoch_ms(now))
        reading.is_complete = reading.is_complete or offer.is_snapshot
        if on_page:
            on_page(reading)
    return reading


def contract_sizes(instrument: Instrument) -> list[tuple[int, float]]:
    """Return from when [ms] on one contract was worth what, ascending; the first holds for all that came before."""
    terms = ContractTerms.objects.filter(instrument=instrument).order_by("valid_from")
    sizes = [(epoch_ms(valid_from), size) for valid_from, size in terms.values_list("valid_from", "contract_size")]
    return sizes or [(0, instrument.contract_size)]


def _size_from(sizes: list[tuple[int, float]], since_ms: int, until_ms: int) -> tuple[float, int]:
    """Return the contract size at ``since_ms`` and up to when it may be asked with it."""
    size = sizes[0][1]
    for valid_from, other in sizes[1:]:
        if valid_from <= since_ms:
            size = other
        elif other != size:
            return size, min(until_ms, valid_from)
    return size, until_ms


def _reached(part: Part, offer: Offer, since_ms: int) -> int:
    if part.covered is not None:
        return part.covered[1]
    names = part.rows.dtype.names or ()
    return int(part.rows[names[0]][-1]) + offer.timeframe * 1000 if len(part.rows) else since_ms


def on_the_minute(rows: Records, *, series: SeriesName) -> Records:
    """Return samples with the minute that each one was taken at, where its stamp lies only a little beside it."""
    jitter = _LATE.get(series)
    if jitter is None or len(rows) == 0:
        return rows
    minutes = (rows["time"] + MINUTE_MS // 2) // MINUTE_MS * MINUTE_MS
    settled = rows.copy()
    settled["time"] = np.where(np.abs(rows["time"] - minutes) <= jitter, minutes, rows["time"])
    return settled


def store_part(  # noqa: PLR0913 what came, and how it was asked for
    *,
    instrument: Instrument,
    series: SeriesName,
    part: Part,
    now: dt.datetime,
    until_ms: int | None = None,
    is_told_once: bool = False,
    step_s: int = 0,
    size: float = 1.0,
) -> Stored:
    """Judge what a venue said of a series and store it, in one transaction with ledger, holes and quarantine.

    until_ms: where the series ought to reach by now, if the venue was asked up to there. is_told_once: what is missing
    can never be asked for again. step_s: how far apart samples lie, where the venue tells them more often than usual.
    size: the contract size that ``part`` was converted with; where it no longer holds, rows that need it are held.
    """
    told = on_the_minute(part.rows, series=series)
    checked = validate(told, now_ms=epoch_ms(now), timeframe=part.timeframe, is_mark=series == "mark_bars")
    with transaction.atomic():
        filing = _opened(instrument, series, part.timeframe, step_s)
        rows, rejected = _believed(instrument, series, checked.rows, size)
        doubts = [
            *doubts_of(rows=told, rejected=checked.rejected, faults=part.faults),
            *doubts_of(rows=checked.rows, rejected=rejected),
        ]
        hold(
            instrument=instrument,
            series=series,
            origin=f"{instrument.venue} answer",
            doubts=doubts,
            timeframe=part.timeframe,
        )
        filing.add(rows)
        filing.settle_duplicates()
        if series == "liquidations":
            # Prints say nothing about the silence around them; who listened keeps that ledger, and its holes.
            filing.stretches = [part.covered] if part.covered else []
            return filing.close()
        stored = filing.close()
        if is_told_once:
            holes.refresh(key=filing.key, state=holes.LOST, reason=_TOLD_ONCE, stored=filing.covered)
        else:
            _look_for_holes(filing, part, epoch_ms(now), until_ms)
        return stored


def _believed(
    instrument: Instrument, series: SeriesName, rows: Records, size: float
) -> tuple[Records, list[tuple[int, str]]]:
    """Part rows that go with what else is known of their instrument from those that do not."""
    if series == "open_interest":
        return units.believed(instrument=instrument, rows=rows)
    if series in resizing.counted_series(instrument.venue) and not resizing.is_current(
        instrument=instrument, size=size
    ):
        return rows[:0], [(index, resizing.OTHER_SIZE) for index in range(len(rows))]
    return rows, []


def _opened(instrument: Instrument, series: SeriesName, timeframe: int, step_s: int) -> Filing:
    """Return a way into the table, the instrument locked."""
    length = timeframe if TABLES[series].has_timeframe else 0
    filing = Filing(instrument_id=instrument.pk, series=series, timeframe=length, step_s=step_s)
    filing.open()
    return filing


def _look_for_holes(filing: Filing, part: Part, now_ms: int, until_ms: int | None) -> None:
    """Bring the holes in line with what was just stored and answered; the newest rows may still be on their way."""
    key = filing.key
    # A hole is never cut within a row's time: what is shorter than a row can not be asked for again.
    step_ms = min(key.timeframe or MINUTE_MS // 1000, HOUR_MS // 1000) * 1000
    settled_ms = (now_ms - _SETTLED_MS.get(key.series, DAY_MS)) // step_ms * step_ms
    covered = (part.covered[0], min(part.covered[1] // step_ms * step_ms, settled_ms)) if part.covered else None
    holes.refresh(
        key=key,
        until_ms=min(until_ms, settled_ms) if until_ms is not None else None,
        covered=covered if covered and covered[0] < covered[1] else None,
        now_ms=now_ms,
        # Nothing is missing yet between the newest row and the next.
        apart_ms=filing.step_ms,
        stored=filing.covered,
    )


def hold_error(*, instrument: Instrument, series: SeriesName, error: SourceError) -> None:
    """Keep an answer that could not be read at all; the same one is kept once."""
    fault = Fault(raw=str(error), reason="the answer can not be read")
    rows = np.empty(0, dtype=TABLES[series].dtype)
    doubts = doubts_of(rows=rows, rejected=(), faults=[fault])
    hold(instrument=instrument, series=series, origin=f"{instrument.venue} answer", doubts=doubts)
