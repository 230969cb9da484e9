"""What the feed's one database thread does: write what was heard, keep the ledger of listening, describe the lines."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, NamedTuple

from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import Max
from django.db.models.functions import Now

from market.models import Coverage, FeedState, Hole, Instrument
from market.operations import holes
from market.operations.budget import rests_s
from market.operations.herd import store_all
from market.operations.quarantine import Doubt, hold
from market.operations.schema import SeriesKey
from market.operations.storing import lock
from market.operations.syncing import sync_venue
from market.series import MINUTE_MS, epoch_ms
from market.sources import SOURCES, load_source
from market.sources.base import SourceError, is_venue

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from market.sources.base import Venue

    from .intake import Item
    from .line import Line

logger = logging.getLogger(__name__)

# A line that is a minute behind what is stored by other ways has stalled.
_STALLED_MS: Final = MINUTE_MS
NOT_LISTENING: Final = "nobody was listening, and the venue tells it once"

# Only the newest stretch grows, and only if it reaches into the time of this line.
_LISTENED: Final = """UPDATE market_coverage AS c SET end_at = greatest(c.end_at, %(until)s)
    WHERE c.series = 'liquidations' AND c.timeframe = 0 AND c.instrument_id = ANY(%(ids)s)
      AND c.end_at >= %(since)s AND NOT EXISTS (
        SELECT FROM market_coverage AS later WHERE later.instrument_id = c.instrument_id
          AND later.series = 'liquidations' AND later.timeframe = 0 AND later.start_at > c.start_at)
    RETURNING c.instrument_id"""


def lead() -> bool:
    """Take the feed's lock, if no other feed holds it; it goes with this thread's database session."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext('market.feed'), 0)")
        (is_mine,) = cursor.fetchone() or (False,)
    return bool(is_mine)


def end_session() -> None:
    """End this thread's database session, and with it the lead."""
    connection.close()


def followed() -> list[tuple[Venue, list[Instrument]]]:
    """Return the instruments to listen to, venue by venue."""
    chosen: dict[str, list[Instrument]] = {}
    for one in Instrument.objects.filter(is_live=True, ended_at__isnull=True).order_by("pk"):
        if one.venue in SOURCES and not one.is_simulated:
            chosen.setdefault(one.venue, []).append(one)
    sources = ((load_source(slug), instruments) for slug, instruments in chosen.items())
    return [(source, instruments) for source, instruments in sources if is_venue(source)]


def ask(venue: str) -> None:
    """Raise SourceError while a venue is to be left alone."""
    seconds = rests_s(venue)
    if seconds > 0:
        raise SourceError(f"{venue} is left alone for {seconds:.0f} s more", retry_after_s=seconds)


class Lists(NamedTuple):
    """What came of reading the venues' lists: whether all is settled, and whether anything changed."""

    is_settled: bool
    has_changed: bool


def sync(slugs: Sequence[str], now: dt.datetime, *, with_brackets: bool) -> Lists:
    """Bring the instruments of venues in line with what they list."""
    try:
        done = [sync_venue(slug=slug, now=now, with_brackets=with_brackets) for slug in slugs]
    except (DatabaseError, InterfaceError, SourceError) as error:
        logger.warning("the venues' lists could not be read: %s", error)
        return Lists(is_settled=False, has_changed=False)
    finally:
        connection.close()
    for one in done:
        if one.added or one.changed or one.ended or one.missing or (one.held and with_brackets):
            logger.info("%s", one)
    return Lists(
        is_settled=not any(one.refused or one.missing for one in done),
        has_changed=any(one.changed or one.ended for one in done),
    )


def write(items: Sequence[Item], now: dt.datetime) -> list[Item]:
    """Store what was heard and return what others kept from being stored; raises DatabaseError."""
    for item in items:
        if item.faults:
            _hold(item)
    told = {id(item.told): item for item in items if item.told}
    left = store_all(told=[item.told for item in items if item.told], now=now).left
    waiting = {id(one) for one in left}
    for key, item in told.items():
        if key not in waiting and item.told:
            item.line.note_stored(item.told.part, epoch_ms(now))
    return [told[id(one)] for one in left]


def _hold(item: Item) -> None:
    """Keep what does not even say of which instrument it speaks."""
    doubts = [Doubt(fault.raw, fault.reason) for fault in item.faults]
    hold(instrument=None, series="stream", origin=f"{item.line.venue.slug} stream", doubts=doubts)


def describe(lines: Iterable[Line], now: dt.datetime) -> None:
    """Write down how each line goes, and forget lines that are no more."""
    rows = [
        FeedState(
            venue=line.venue.slug,
            channel=line.name,
            noted_at=now,
            connected_at=line.connected_at,
            heard_at=line.heard_at,
            reconnects=line.reconnects,
            rows=line.rows,
            error=line.error,
            lag_p50=line.lag(0.5),
            lag_p95=line.lag(0.95),
        )
        for line in lines
    ]
    fields = ["noted_at", "connected_at", "heard_at", "reconnects", "rows", "error", "lag_p50", "lag_p95"]
    with transaction.atomic():
        FeedState.objects.exclude(channel__in=[row.channel for row in rows]).delete()
        FeedState.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["venue", "channel"], update_fields=fields
        )
        FeedState.objects.update(described_at=Now())


def note_listening(ids: Sequence[int], since: dt.datetime, until: dt.datetime) -> None:
    """Extend the ledger of liquidations by a time in which a line listened: silence is data there."""
    if until <= since:
        return
    with connection.cursor() as cursor:
        cursor.execute(_LISTENED, {"ids": list(ids), "since": since, "until": until})
        extended = {pk for (pk,) in cursor.fetchall()}
    for pk in set(ids) - extended:
        _begin_listening(pk, since, until)


def _begin_listening(instrument_id: int, since: dt.datetime, until: dt.datetime) -> None:
    """Open a stretch; what lies between it and the one before is lost."""
    key = SeriesKey(instrument_id, "liquidations", 0)
    with transaction.atomic():
        lock(f"instrument:{instrument_id}")
        near = Coverage.objects.filter(**key.fields, end_at__gte=since, start_at__lte=until)
        spans = [(row.start_at, row.end_at) for row in near]
        near.delete()
        start, end = min([since, *(left for left, _ in spans)]), max([until, *(right for _, right in spans)])
        Coverage.objects.create(**key.fields, start_at=start, end_at=end)
        holes.refresh(key=key, state=Hole.State.LOST, reason=NOT_LISTENING)


def find_stalled(lines: Sequence[Line]) -> list[Line]:
    """Return lines on which bars are missing that are stored by other ways already."""
    ids = [pk for line in lines for pk in line.ids.values()]
    rows = Coverage.objects.filter(instrument_id__in=ids, series="bars").values_list("instrument_id")
    stored = {pk: epoch_ms(end) for pk, end in rows.annotate(end=Max("end_at"))}
    return [line for line in lines if _has_stalled(line, stored)]


def _has_stalled(line: Line, stored: dict[int, int]) -> bool:
    if "bars" not in line.series or line.connected_at is None:
        return False
    # The first bar to close whole after the line was opened is the first that it owes.
    first_ms = -(-epoch_ms(line.connected_at) // MINUTE_MS) * MINUTE_MS
    return any(stored.get(pk, 0) > max(line.newest_bars.get(pk, 0), first_ms) + _STALLED_MS for pk in line.ids.values())
