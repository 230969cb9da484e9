"""The data page: of each instrument every series, how old it is and what is missing of it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Q

from market.models import Coverage, Instrument, Quarantine
from market.pages import strips, venues, words
from market.queries.completeness import Ledger, count_pending, due_after, judge, load_ledgers, newest
from market.queries.venues import BANNED, venue_health, venue_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.core.paginator import Page
    from django.db.models import QuerySet

    from market.queries.completeness import SeriesKey, Span
    from market.queries.venues import VenueHealth

DAYS: Final = (1, 7, 30, 90)
PER_PAGE: Final = 20


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """One series of one instrument. tone: ok, warn, or empty where nobody waits for more."""

    name: str
    as_of_text: str
    lag_text: str
    state: str
    tone: str
    strip: strips.Strip
    sampling: str


@dataclass(frozen=True, slots=True)
class InstrumentBlock:
    """One instrument with its series; ``reason`` says why there is nothing."""

    instrument: Instrument
    title: str
    venue: str
    state: str
    rows: tuple[SeriesRow, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class _Known:
    """What was read for all instruments of the page at once."""

    span: Span
    ledgers: Mapping[SeriesKey, Ledger]
    ends: Mapping[SeriesKey, dt.datetime]
    health: Mapping[str, VenueHealth]


@dataclass(frozen=True, slots=True)
class DataPage:
    """Everything on the page, as of one moment."""

    cards: list[venues.VenueCard]
    blocks: list[InstrumentBlock]
    page: Page[Instrument]
    held_count: int
    days: int
    venue: str
    venues: list[tuple[str, str]]
    span_text: str
    is_followed_only: bool

    @property
    def all_days(self) -> tuple[int, ...]:
        """List the spans that are offered."""
        return DAYS


def load(*, days: int, venue: str, is_all: bool, page: int, now: dt.datetime) -> DataPage:
    """Read the page; the number of statements does not depend on how many instruments there are.

    Raises EmptyPage for a page that there isn't.
    """
    span = (now - dt.timedelta(days=days), now)
    chosen = _choose(venue, is_all=is_all)
    shown = Paginator(chosen, PER_PAGE).page(page)
    instruments = list(shown.object_list)
    ids = [instrument.pk for instrument in instruments]
    health = venue_health(now=now)
    known = _Known(span, load_ledgers(instrument_ids=ids, span=span), newest(instrument_ids=ids), health)
    by_instrument: defaultdict[int, list[SeriesKey]] = defaultdict(list)
    for key in {**known.ledgers, **known.ends}:
        by_instrument[key.instrument_id].append(key)
    slugs = Instrument.objects.order_by("venue").values_list("venue", flat=True).distinct()
    return DataPage(
        cards=venues.cards(health=health, now=now),
        blocks=[_block(one, by_instrument[one.pk], known, now) for one in instruments],
        page=shown,
        held_count=Quarantine.objects.filter(state=Quarantine.State.HELD).count(),
        days=days,
        venue=venue,
        venues=[(slug, venue_name(slug)) for slug in slugs],
        span_text=words.span(*span),
        is_followed_only=not is_all,
    )


def _choose(venue: str, *, is_all: bool) -> QuerySet[Instrument]:
    found = Instrument.objects.order_by("-is_live", "venue", "symbol")
    if venue:
        found = found.filter(venue=venue)
    has_data = Exists(Coverage.objects.filter(instrument=OuterRef("pk")))
    return found if is_all else found.filter(Q(is_live=True) | has_data)


def _block(
    instrument: Instrument,
    keys: Sequence[SeriesKey],
    known: _Known,
    now: dt.datetime,
) -> InstrumentBlock:
    ordered = sorted(keys, key=lambda key: (words.order(key.series), key.timeframe))
    if instrument.ended_at is not None:
        state = f"ended at {words.moment(instrument.ended_at)}"
    else:
        state = "" if instrument.is_live else "not fetched"
    return InstrumentBlock(
        instrument=instrument,
        title=f"{instrument.base}-{instrument.quote}",
        venue=venue_name(instrument.venue),
        state=state,
        rows=tuple(_row(instrument, key, known, now) for key in ordered),
        reason="" if keys else why_empty(instrument, known.health.get(instrument.venue)),
    )


def why_empty(instrument: Instrument, health: VenueHealth | None) -> str:
    """Say why there is nothing of an instrument."""
    if not instrument.is_live:
        return "It is not fetched, and nothing was imported."
    if health is not None and health.is_away:
        verb = "has banned us" if health.kind == BANNED else "has not been reachable"
        return f"{venue_name(instrument.venue)} {verb} {venues.state_since(health)}."
    return "Nothing has arrived yet."


def _row(instrument: Instrument, key: SeriesKey, known: _Known, now: dt.datetime) -> SeriesRow:
    as_of = known.ends.get(key)
    due = due_after(instrument=instrument, key=key, as_of=as_of)
    ledger = count_pending(known.ledgers.get(key, Ledger()), as_of=as_of, due=due, now=now)
    state, tone = _state(instrument, due, now)
    judged = judge(span=known.span, present=ledger.present, holes=ledger.holes)
    return SeriesRow(
        name=words.series(key.series, key.timeframe),
        as_of_text=words.moment(as_of),
        lag_text=words.age(now - as_of) if as_of else words.DASH,
        state=state,
        tone=tone,
        strip=strips.draw(judged=judged, span=known.span),
        sampling=words.sampling(instrument.liquidation_sampling) if key.series == "liquidations" else "",
    )


def _state(instrument: Instrument, due: dt.datetime | None, now: dt.datetime) -> tuple[str, str]:
    if instrument.ended_at is not None:
        return "Ended", ""
    if not instrument.is_live:
        return "History", ""
    if due is None:
        return "Nothing yet", "warn"
    return ("Stale", "warn") if now > due else ("Current", "ok")
