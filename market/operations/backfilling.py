"""Fetch history that lies before what is stored, and what is missing inside of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from market.models import Instrument
from market.series import DAY_MS, HOUR_MS, epoch_ms, moment
from market.sources import load_venue
from market.sources.base import SourceError

from . import holes
from .access import access_for
from .reading import Reading, hold_error, read_span
from .schema import TABLES, series_key

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from market.series import SeriesName
    from market.sources.base import Connection, Offer

    from .ledger import Interval

# In the order in which a map needs them.
SERIES: Final[tuple[SeriesName, ...]] = ("bars", "open_interest", "funding", "mark_bars", "account_ratio")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one series is: what has been read, and the share of its span that is behind it."""

    series: SeriesName
    reading: Reading
    share: float


@dataclass(frozen=True, slots=True)
class Backfilled:
    """What became of one series: rows by kind, from when on it was asked for, and why it goes no further."""

    series: SeriesName
    reading: Reading
    since: dt.datetime
    note: str = ""


def backfill(
    *, key: str, days: int, now: dt.datetime, on_progress: Callable[[Progress], None] | None = None
) -> list[Backfilled]:
    """Read the last ``days`` days of an instrument, as far as they are not stored, oldest first.

    What is stored stays stored when it is interrupted, and a second run goes on from there. Spends at most a quarter
    of what the venue allows. Raises Instrument.DoesNotExist, and SourceError where the venue has no history to ask for.
    """
    venue_slug, _, symbol = key.partition(":")
    instrument = Instrument.objects.get(venue=venue_slug, symbol=symbol)
    venue = load_venue(instrument.venue)
    connection = venue.connect(access_for(venue, purpose="backfill"))
    done = []
    for series in SERIES:
        offer = venue.offers.get(series)
        if offer is not None and not offer.is_snapshot:
            done.append(_Filling(connection, instrument, series, offer, now, on_progress).run(days))
    return done


@dataclass(frozen=True, slots=True)
class _Filling:
    connection: Connection
    instrument: Instrument
    series: SeriesName
    offer: Offer
    now: dt.datetime
    on_progress: Callable[[Progress], None] | None

    def run(self, days: int) -> Backfilled:
        """Fill one series; what the venue refuses ends it with a note."""
        now_ms = epoch_ms(self.now)
        since_ms = (now_ms - days * DAY_MS) // HOUR_MS * HOUR_MS
        note = ""
        if self.offer.reach_ms is not None and since_ms < now_ms - self.offer.reach_ms:
            since_ms = now_ms - self.offer.reach_ms
            note = f"the venue tells no more than {self.offer.reach_ms / DAY_MS:.0f} days"
        total = Reading(through_ms=since_ms)
        spans = self._spans(since_ms, now_ms)
        behind, whole = 0, sum(end - start for start, end in spans) or 1
        for span in spans:
            try:
                reading = read_span(
                    connection=self.connection,
                    instrument=self.instrument,
                    series=self.series,
                    offer=self.offer,
                    span=span,
                    now=self.now,
                    may_go_on=lambda: True,
                    on_page=lambda page, behind=behind, span=span: self._tell(page, behind, span, whole),  # type: ignore[misc] # mypy cannot type a default of a lambda
                )
            except SourceError as error:
                if not (error.is_outage or error.permanent or error.retry_after_s is not None):
                    hold_error(instrument=self.instrument, series=self.series, error=error)
                return Backfilled(self.series, total, moment(since_ms), str(error))
            total.add(reading.stored)
            total.pages += reading.pages - 1
            behind += span[1] - span[0]
        return Backfilled(self.series, total, moment(since_ms), note)

    def _tell(self, page: Reading, behind: int, span: Interval, whole: int) -> None:
        if self.on_progress:
            self.on_progress(Progress(self.series, page, (behind + page.through_ms - span[0]) / whole))

    def _spans(self, since_ms: int, now_ms: int) -> list[Interval]:
        """Return what is missing [ms], oldest first: before the first stored row, and inside."""
        key = series_key(self.instrument.pk, self.series, self.offer.timeframe)
        standing = holes.standing(key)
        stored = standing.stored
        until_ms = now_ms if TABLES[self.series].has_timeframe else now_ms + 1
        inside = standing.wanted(since_ms=since_ms, until_ms=until_ms, now_ms=epoch_ms(self.now))
        before = [(since_ms, stored[0][0])] if stored and since_ms < stored[0][0] else []
        least = min(self.offer.timeframe, HOUR_MS // 1000) * 1000
        return [(max(start, since_ms), end) for start, end in [*before, *inside] if end - max(start, since_ms) >= least]
