"""Ask a venue for what is due of an instrument: what its websockets did not bring, and what they never do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from market.series import HOUR_MS, MINUTE_MS, epoch_ms
from market.sources.base import BusyError, SourceError

from . import holes
from .access import connection_to
from .reading import hold_error, read_span
from .schema import TABLES, series_key

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Sequence

    from market.models import Instrument
    from market.series import SeriesName
    from market.sources.base import Connection, Offer, Venue

    from .holes import Standing
    from .ledger import Interval

# How often each series is asked for [minutes], most needed first. Instruments take turns within it.
CADENCE: Final[dict[SeriesName, int]] = {
    "bars": 1,
    "open_interest": 1,
    "funding": 60,
    "mark_bars": 5,
    "account_ratio": 5,
    "depth": 1,
}
_AT_THE_MINUTE: Final = frozenset({"bars", "open_interest", "funding"})
_MARK_MINUTES: Final = 5
# The part of the live budget that depth may take; with many instruments each is asked less often.
_DEPTH_SHARE: Final = 0.1
# Venues correct bars, and now and then sell one as closed that was not: the newest are read once more, each minute if
# that takes no more than this part of the budget, and every five minutes at the least.
_READ_AGAIN_MS: Final = 30 * MINUTE_MS
_READ_AGAIN_MINUTES: Final = 5
_READ_AGAIN_SHARE: Final = 0.1
# A first fetch of funding reaches so far back as a week's rates are shown.
_WEEK_MS: Final = 7 * 24 * HOUR_MS


def poll(  # noqa: PLR0913 of whom, as of when, and how to go about it
    *,
    instrument: Instrument,
    venue: Venue,
    now: dt.datetime,
    siblings: int,
    may_go_on: Callable[[], bool],
    may_wait: bool = True,
) -> int:
    """Read what is due of an instrument and return how many bars were new.

    siblings: how many instruments of the venue share its budget. may_go_on: asked before each page; what is left of a
    long history is read the next time. may_wait: for the budget, some seconds; else BusyError says for how long to come
    back. A venue that does not answer is no error here: its state says so to everyone. Safe to repeat and to be killed.
    Raises SourceError where trying again will not help.
    """
    connection = connection_to(venue, purpose="live" if may_wait else "job")
    new_bars = 0
    for series, offer, standing in _due(instrument, venue, now, siblings):
        try:
            spans = _spans(instrument, series, offer, standing, now, _turns_again(venue, offer, siblings))
            stored = _read(connection, instrument, series, offer, spans, now, may_go_on)
        except SourceError as error:
            if error.permanent or (isinstance(error, BusyError) and not may_wait):
                raise
            if error.is_outage or error.retry_after_s is not None:
                break
            hold_error(instrument=instrument, series=series, error=error)
            continue
        new_bars += stored if series == "bars" else 0
    return new_bars


def _due(
    instrument: Instrument, venue: Venue, now: dt.datetime, siblings: int
) -> Iterator[tuple[SeriesName, Offer, Standing]]:
    minute, standings = epoch_ms(now) // MINUTE_MS, holes.standings(instrument.pk)
    for series in CADENCE:
        offer = venue.offers.get(series)
        if offer is None:
            continue
        turns = _turns(venue, series, offer, siblings)
        standing = standings.get(series_key(instrument.pk, series, offer.timeframe), holes.Standing())
        # What is asked in turns tells no more than that: samples lie as far apart.
        told = replace(offer, timeframe=turns * 60) if offer.is_snapshot else offer
        # Those who need not be asked at the very minute spread over the time that there is.
        is_turn = minute % turns == 0 if series in _AT_THE_MINUTE else _is_turn(instrument.pk, minute, turns)
        if is_turn or _is_behind(series, offer, standing, now):
            yield series, told, standing


def _is_turn(pk: int, minute: int, turns: int) -> bool:
    """Tell whether it is an instrument's minute; that of a five-minute mark belongs to what is sampled then."""
    if turns == _MARK_MINUTES:
        return minute % turns == 1 + pk % (turns - 1)
    return (minute + pk) % turns == 0


def _turns(venue: Venue, series: SeriesName, offer: Offer, siblings: int) -> int:
    """Return how many minutes lie between two questions."""
    if series == "depth":
        return max(CADENCE[series], _minutes_for(siblings, offer, venue, _DEPTH_SHARE))
    return max(CADENCE[series], offer.timeframe // 60) if offer.is_snapshot else CADENCE[series]


def _minutes_for(siblings: int, offer: Offer, venue: Venue, share: float) -> int:
    """Return in how many minutes each of so many can be asked a full page, with a part of the budget."""
    per_minute = venue.budget.weight * 60 / venue.budget.window_s * share
    return -(-siblings * offer.weight // max(1, int(per_minute)))


def _turns_again(venue: Venue, offer: Offer, siblings: int) -> int:
    """Return how many minutes lie between two readings of the newest bars."""
    return min(_READ_AGAIN_MINUTES, max(1, _minutes_for(siblings, offer, venue, _READ_AGAIN_SHARE)))


def _is_behind(series: SeriesName, offer: Offer, standing: Standing, now: dt.datetime) -> bool:
    """Tell whether a row may have come since the newest: a turn that was missed is not waited for again."""
    if offer.is_snapshot or not standing.stored:
        return not offer.is_snapshot
    step_ms, turn_ms = offer.timeframe * 1000, CADENCE[series] * MINUTE_MS
    if TABLES[series].has_timeframe:
        wait_ms = max(step_ms, turn_ms)
    else:
        # A turn that comes some minutes after the sample is not missed before.
        wait_ms = step_ms if series in _AT_THE_MINUTE else step_ms + turn_ms
    return epoch_ms(now) - standing.stored[-1][1] >= wait_ms


def _read(  # noqa: PLR0913, PLR0917 one series of one instrument
    connection: Connection,
    instrument: Instrument,
    series: SeriesName,
    offer: Offer,
    spans: Sequence[Interval],
    now: dt.datetime,
    may_go_on: Callable[[], bool],
) -> int:
    return sum(
        read_span(
            connection=connection,
            instrument=instrument,
            series=series,
            offer=offer,
            span=span,
            now=now,
            may_go_on=may_go_on,
        ).stored.new
        for span in spans
    )


def _spans(  # noqa: PLR0913, PLR0917 one series of one instrument
    instrument: Instrument, series: SeriesName, offer: Offer, standing: Standing, now: dt.datetime, turns_again: int
) -> list[Interval]:
    now_ms = epoch_ms(now)
    # A sample that is taken this very minute is asked for, too.
    until_ms = now_ms if TABLES[series].has_timeframe else now_ms + 1
    if offer.is_snapshot:
        return [(now_ms, until_ms)]
    history_ms = min(offer.reach_ms or _WEEK_MS, _WEEK_MS)
    since_ms = (now_ms - history_ms) // HOUR_MS * HOUR_MS
    spans = standing.wanted(since_ms=since_ms, until_ms=until_ms, now_ms=now_ms)
    # Less than one row's time cannot hold a whole one.
    spans = [span for span in spans if span[1] - span[0] >= min(offer.timeframe, HOUR_MS // 1000) * 1000]
    is_again = TABLES[series].has_timeframe and _is_turn(instrument.pk, now_ms // MINUTE_MS, turns_again)
    return _with_newest(spans, standing.stored) if is_again else spans


def _with_newest(spans: list[Interval], stored: Sequence[Interval]) -> list[Interval]:
    """Add the newest of what is stored, in one question with what comes after it."""
    if not stored:
        return spans
    start, end = max(stored[-1][0], stored[-1][1] - _READ_AGAIN_MS), stored[-1][1]
    if spans and spans[-1][0] == end:
        return [*spans[:-1], (start, spans[-1][1])]
    return [*spans, (start, end)]
