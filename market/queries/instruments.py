"""Which instruments there are, what is stored of them, and how fresh it is."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import connection
from django.db.models import Case, Exists, Max, OuterRef, Q, Subquery, When

from market.models import Coverage, Instrument, SourceCheckpoint
from market.models.instruments import PAIR as PAIR  # noqa: PLC0414 -- others ask for it here

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

# A live bar closes each minute; the pipeline has a quarter of a minute to bring it in.
LIVE_GRACE: Final = dt.timedelta(seconds=75)
# A pair is put together when its members have had their turn.
PAIR_GRACE: Final = dt.timedelta(seconds=120)


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old the newest bar is; ``stale_after`` is None for an instrument that isn't fetched."""

    as_of: dt.datetime | None
    stale_after: dt.datetime | None
    is_live: bool
    is_stale: bool
    ended_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """One unbroken stretch of a stored series; ``timeframe`` [s] is 0 for events."""

    series: str
    timeframe: int
    start_at: dt.datetime
    end_at: dt.datetime


def get_instrument(*, key: str) -> Instrument:
    """Return the instrument called ``venue:symbol``; raise Instrument.DoesNotExist, whatever the key is made of."""
    venue, symbol = split_key(key=key)
    return Instrument.objects.get(venue=venue, symbol=symbol)


def split_key(*, key: str) -> tuple[str, str]:
    """Return venue and symbol; raise Instrument.DoesNotExist for what no instrument can be called."""
    if not key.isprintable():  # PostgreSQL has no NUL
        raise Instrument.DoesNotExist
    venue, _, symbol = key.partition(":")
    return venue, symbol


def find_named(*, name: str) -> Instrument | None:
    """Return what people mean by ``BTC-USDT`` or ``btcusdt``: the pair across venues, else the first that is live."""
    base, _, quote = name.partition("-")
    meant = Q(symbol__iexact=name) | Q(base__iexact=base, quote__iexact=quote)
    is_single = Case(When(venue=PAIR, then=0), default=1)
    return Instrument.objects.filter(meant).order_by(is_single, "-is_live", "venue", "symbol").first()


def find_instrument(*, instrument_id: int) -> Instrument:
    """Return an instrument by its id; raise Instrument.DoesNotExist."""
    return Instrument.objects.get(pk=instrument_id)


def find_instruments(*, instrument_ids: Collection[int]) -> dict[int, Instrument]:
    """Return instruments by their ids; one that is absent is left out."""
    return Instrument.objects.in_bulk(list(instrument_ids))


def list_instruments() -> list[Instrument]:
    """List all instruments, live ones first, then by key."""
    return list(Instrument.objects.order_by("-is_live", "venue", "symbol"))


def list_followed() -> list[Instrument]:
    """List what is enabled or stored, live ones first, then by key: not the hundreds that venues only list."""
    is_stored = Exists(Coverage.objects.filter(instrument=OuterRef("pk")))
    return list(Instrument.objects.filter(Q(is_live=True) | is_stored).order_by("-is_live", "venue", "symbol"))


def list_fetched(*, with_venues: bool) -> list[Instrument]:
    """List what is fetched: enabled and not ended; without venues only what is simulated."""
    fetched = Instrument.objects.filter(is_live=True, ended_at=None).order_by("venue", "symbol")
    return list(fetched if with_venues else fetched.filter(is_simulated=True))


_SPANS: Final = """SELECT instrument_id, min(start_at), max(end_at) FROM market_coverage
    WHERE instrument_id = ANY(%s) AND series = 'bars' GROUP BY instrument_id"""


def stored_span(*, instrument_id: int) -> tuple[dt.datetime, dt.datetime] | None:
    """Return the open time of the first stored bar and the end of the last; None without bars."""
    return stored_spans(instrument_ids=[instrument_id]).get(instrument_id)


def stored_spans(*, instrument_ids: Collection[int]) -> dict[int, tuple[dt.datetime, dt.datetime]]:
    """Return the same of many instruments by id, without those that have no bars, in one statement."""
    # The ledger is kept in the same transaction as the bars and is some rows long, not some millions.
    with connection.cursor() as cursor:
        cursor.execute(_SPANS, [list(instrument_ids)])
        return {pk: (since, until) for pk, since, until in cursor.fetchall()}


def coverage(*, instrument_id: int) -> list[Stretch]:
    """List what is stored from when to when, series by series."""
    stretches = Coverage.objects.filter(instrument_id=instrument_id).order_by("series", "timeframe", "start_at")
    return [Stretch(row.series, row.timeframe, row.start_at, row.end_at) for row in stretches]


def freshness(*, instrument: Instrument, now: dt.datetime) -> Freshness:
    """Say how fresh an instrument's bars are at ``now``."""
    span = stored_span(instrument_id=instrument.pk)
    return judge_freshness(instrument=instrument, as_of=span[1] if span else None, now=now)


def newest_bar(instrument_column: str) -> Subquery:
    """Return the end of the newest bar as a part of another question, of the instrument whose id the column holds."""
    bars = Coverage.objects.filter(instrument_id=OuterRef(instrument_column), series="bars")
    return Subquery(bars.order_by("-end_at").values("end_at")[:1])


def freshness_of_all(*, instruments: Sequence[Instrument], now: dt.datetime) -> dict[int, Freshness]:
    """Say how fresh each instrument's bars are, by id, with one question for all of them."""
    bars = Coverage.objects.filter(instrument__in=instruments, series="bars")
    newest = dict(bars.values_list("instrument_id").annotate(end=Max("end_at")))
    return {one.pk: judge_freshness(instrument=one, as_of=newest.get(one.pk), now=now) for one in instruments}


def judge_freshness(*, instrument: Instrument, as_of: dt.datetime | None, now: dt.datetime) -> Freshness:
    """Say how fresh an instrument's bars are whose newest one ended at ``as_of``."""
    if not instrument.is_live or instrument.ended_at is not None:
        return Freshness(as_of, stale_after=None, is_live=False, is_stale=False, ended_at=instrument.ended_at)
    stale_after = as_of + (PAIR_GRACE if instrument.is_pair else LIVE_GRACE) if as_of else None
    return Freshness(as_of, stale_after, is_live=True, is_stale=stale_after is None or now > stale_after)


def checkpoints(*, instrument_id: int, since: dt.datetime, until: dt.datetime) -> Sequence[tuple[dt.datetime, bytes]]:
    """List a source's kept states with ``since <= as_of <= until``, oldest first."""
    kept = SourceCheckpoint.objects.filter(instrument_id=instrument_id, as_of__range=(since, until)).order_by("as_of")
    return [(row.as_of, bytes(row.body)) for row in kept]
