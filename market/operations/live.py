"""Bring a live instrument up to date from its source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import transaction

from market import queries
from market.models import Instrument, SourceCheckpoint
from market.series import HOUR_MS, MINUTE_MS, epoch_ms, moment, validate
from market.sources import load_source
from market.sources.base import is_venue

from .combining import combine
from .polling import poll
from .quarantine import doubts_of, hold
from .storing import lock, store

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from market.series import Records, SeriesName
    from market.sources.batch import Batch

    from .ledger import Interval

# Kept for good: enough to score an estimate against the truth, without a state for each minute.
_KEPT_CHECKPOINTS_MS: Final = 6 * HOUR_MS


@dataclass(frozen=True, slots=True)
class Ingested:
    """How many bars came in, and up to when they are stored now."""

    bars: int
    through: dt.datetime | None


def _always() -> bool:
    return True


def ingest(
    *, instrument_id: int, now: dt.datetime, may_go_on: Callable[[], bool] = _always, may_wait: bool = True
) -> Ingested:
    """Fetch what closed since the last stored bar and store it with its ledger and checkpoints in one transaction.

    Safe to repeat and to run twice at once. Raises SourceError; of the simulated market nothing is stored then. Without
    ``may_wait`` the BusyError of a venue whose budget is spent is one; what came before stays stored.
    """
    instrument = Instrument.objects.get(pk=instrument_id)
    if instrument.is_pair:
        return Ingested(*combine(pair=instrument, now=now))
    source = load_source(instrument.venue)
    if is_venue(source):
        siblings = Instrument.objects.filter(venue=instrument.venue, is_live=True).count()
        bars = poll(
            instrument=instrument, venue=source, now=now, siblings=siblings, may_go_on=may_go_on, may_wait=may_wait
        )
        return Ingested(bars, _through(instrument_id))
    span = queries.stored_span(instrument_id=instrument_id)
    until_ms = epoch_ms(now) // MINUTE_MS * MINUTE_MS
    since_ms = epoch_ms(span[1]) if span else (until_ms - source.history_ms) // HOUR_MS * HOUR_MS
    if since_ms >= until_ms:
        return Ingested(0, span[1] if span else None)
    newest = SourceCheckpoint.objects.filter(instrument=instrument).order_by("-as_of").first()
    checkpoint = (epoch_ms(newest.as_of), bytes(newest.body)) if newest else None
    # The source may wait for a network: no transaction is open while it does.
    batch = source.fetch(symbol=instrument.symbol, since_ms=since_ms, until_ms=until_ms, checkpoint=checkpoint)
    with transaction.atomic():
        lock(f"instrument:{instrument_id}")
        bars = _store_batch(instrument, batch, now, (since_ms, until_ms))
        _keep_checkpoints(instrument, batch)
    return Ingested(bars, _through(instrument_id))


def _through(instrument_id: int) -> dt.datetime | None:
    span = queries.stored_span(instrument_id=instrument_id)
    return span[1] if span else None


def _store_batch(instrument: Instrument, batch: Batch, now: dt.datetime, span: Interval) -> int:
    parts: tuple[tuple[SeriesName, Records, int, Interval | None], ...] = (
        ("bars", batch.bars, batch.timeframe, None),
        ("open_interest", batch.open_interest, 0, None),
        ("funding", batch.funding, 0, None),
        # Silence is data here: the source was asked for all of the span.
        ("liquidations", batch.liquidations, 0, span),
    )
    new = 0
    for series, rows, timeframe, covered in parts:
        checked = validate(rows, now_ms=epoch_ms(now), timeframe=timeframe)
        hold(
            instrument=instrument,
            series=series,
            timeframe=timeframe,
            origin=f"{instrument.venue} fetch",
            doubts=doubts_of(rows=rows, rejected=checked.rejected),
        )
        stored = store(
            instrument_id=instrument.pk, series=series, rows=checked.rows, timeframe=timeframe, now=now, span=covered
        )
        new += stored.new if series == "bars" else 0
    return new


def _keep_checkpoints(instrument: Instrument, batch: Batch) -> None:
    """Store the newest checkpoint and those on the six-hour grid; drop what was only the newest until now."""
    if not batch.checkpoints:
        return
    newest_ms = batch.checkpoints[-1][0]
    SourceCheckpoint.objects.bulk_create(
        (
            SourceCheckpoint(instrument=instrument, as_of=moment(as_of), body=body)
            for as_of, body in batch.checkpoints
            if as_of == newest_ms or as_of % _KEPT_CHECKPOINTS_MS == 0
        ),
        ignore_conflicts=True,
    )
    older = SourceCheckpoint.objects.filter(instrument=instrument, as_of__lt=moment(newest_ms))
    passing = [
        (pk, as_of)
        for pk, as_of in older.order_by("-as_of").values_list("pk", "as_of")[: len(batch.checkpoints) + 1]
        if epoch_ms(as_of) % _KEPT_CHECKPOINTS_MS
    ]
    SourceCheckpoint.objects.filter(pk__in=[pk for pk, _ in passing]).delete()
