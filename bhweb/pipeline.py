"""The only list of stages: what is done with an instrument each minute, in order."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from alerts.queries import watch_due, watched_instruments
from bhweb import events, jobs
from bhweb.celery import BACKFILL, LIVE
from heatmaps.queries import (
    get_heatmaps,
    learning_due,
    month_due,
    standing_due,
    stated_score_due,
    stating_due,
    tracking_due,
)
from journal.queries import control_due, settling_due
from market.queries import freshness_of_all, heard_venues, list_fetched, resting_venues, stored_spans
from market.series import EPOCH
from market.tasks import ensure_pairs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bhweb.models import Job
    from market.models import Instrument

logger = logging.getLogger(__name__)

# An instrument that is further behind is caught up apart, so that the others' minutes are not kept waiting.
LONG: Final = dt.timedelta(hours=6)
# Into a minute: by then a pair's members have had their turn; what comes later shows a minute later.
PAIR_WAIT: Final = dt.timedelta(seconds=20)
# So long the feed has to bring a minute's bar before its venue is asked.
FEED_PATIENCE: Final = dt.timedelta(seconds=8)
# So many instruments of a minute are worked on at once: in about two seconds, so that others have their turn.
TOGETHER: Final = 16
MINUTE: Final = dt.timedelta(minutes=1)
# So long a job may wait in the queue for its venue's budget [s].
LONGEST_WAIT_S: Final = 30.0
# So often it is asked what is due, in wall time.
TICK: Final = dt.timedelta(seconds=2)


Moments: TypeAlias = "Mapping[int, dt.datetime | None]"


def _stored_through(instrument_ids: Sequence[int]) -> Moments:
    return {pk: span[1] for pk, span in stored_spans(instrument_ids=instrument_ids).items()}


def _built_through(instrument_ids: Sequence[int]) -> Moments:
    return {pk: one.built_through for pk, one in get_heatmaps(instrument_ids=instrument_ids).items()}


def _tracked_through(instrument_ids: Sequence[int]) -> Moments:
    return {pk: one.zones_through for pk, one in get_heatmaps(instrument_ids=instrument_ids).items()}


@dataclass(frozen=True, slots=True)
class Stage:
    """A step that takes ``(*, instrument_id, now)`` and may be repeated without a trace.

    ``most`` > 1: it takes ``(*, instrument_ids, now)``, and so many instruments of a minute at once.
    ``due`` names those for which there may be something to do: the stage is left out for the others.
    """

    slug: str
    work: str
    reached: Callable[[Sequence[int]], Moments]
    # Not for work that talks to a venue meanwhile, or that commits part by part.
    is_atomic: bool = True
    due: Callable[..., set[int]] | None = None
    most: int = 1


@dataclass(frozen=True, slots=True)
class Errand:
    """Work after an instrument's minute that is due now and then; it keeps nobody's minute waiting."""

    slug: str
    work: str
    # Takes ``(*, instrument_ids, now)``: those for which it is.
    due: Callable[..., set[int]]
    is_atomic: bool = True
    most: int = 1


STAGES: Final = (
    Stage("ingest", "market.tasks.ingest", _stored_through, is_atomic=False),
    Stage("advance", "heatmaps.tasks.advance", _built_through, is_atomic=False, most=TOGETHER),
    Stage("zones", "heatmaps.tasks.track_zones", _tracked_through, due=tracking_due, most=TOGETHER),
)
ERRANDS: Final = (
    Errand("settle", "bhweb.telling.settle", settling_due),
    Errand("control", "journal.tasks.draw_controls", control_due),
    Errand("look", "alerts.tasks.look", watch_due),
    Errand("stand", "heatmaps.tasks.stand", standing_due),
    Errand("learn", "heatmaps.tasks.learn_reach", learning_due),
    Errand("chances", "heatmaps.tasks.state_chances", stating_due),
    Errand("score", "heatmaps.tasks.score_day", stated_score_due),
    Errand("month", "heatmaps.tasks.score_month", month_due),
)

# Asked for at the beginning of each minute: where a venue is away no stage comes to its end.
OUTAGE: Final = Errand("outage", "alerts.tasks.look_for_outages", watch_due)


def refresh(*, now: dt.datetime) -> int:
    """Ask for the first stage of every live instrument that is due at this minute; return how many were new."""
    slot_at = now.replace(second=0, microsecond=0)
    known = jobs.known(stage=STAGES[0].slug, slot_at=slot_at)
    if not known:
        ensure_pairs()
        for instrument_id in watched_instruments():
            jobs.put(stage=OUTAGE.slug, instrument_id=instrument_id, slot_at=slot_at, queue=BACKFILL)
    waiting = [one for one in list_fetched(with_venues=settings.VENUES) if one.pk not in known]
    ready = _ready(waiting, now, slot_at) if waiting else []
    return _put(STAGES[0], ready, slot_at)


def _ready(waiting: Sequence[Instrument], now: dt.datetime, slot_at: dt.datetime) -> list[int]:
    """Leave out pairs whose members are not through yet, venues to be left alone, and bars that the feed may bring."""
    resting, heard = resting_venues(), heard_venues()
    fresh = freshness_of_all(instruments=waiting, now=now) if heard else {}
    return [
        one.pk
        for one in waiting
        if one.venue not in resting
        and (
            _has_passed(PAIR_WAIT if one.is_pair else FEED_PATIENCE, now, slot_at)
            or (not one.is_pair and (one.venue not in heard or (fresh[one.pk].as_of or EPOCH) >= slot_at))
        )
    ]


def _has_passed(wait: dt.timedelta, now: dt.datetime, slot_at: dt.datetime) -> bool:
    """Tell whether a wait in wall time is over, or the minute will be by the next time that somebody looks.

    Where a replayed minute is shorter than a tick, each look at it may be the only one.
    """
    return now - slot_at >= min(wait * settings.CLOCK_SPEED, MINUTE - TICK * settings.CLOCK_SPEED)


def _put(stage: Stage, instrument_ids: Sequence[int], slot_at: dt.datetime) -> int:
    """Ask for a stage, each instrument on its queue; return how many were new."""
    if not instrument_ids:
        return 0
    reached, apart = stage.reached(instrument_ids), jobs.died_last(stage=stage.slug, instrument_ids=instrument_ids)
    queues = {}
    for pk in instrument_ids:
        through = reached.get(pk)
        # An instrument that cannot be computed must not cost the others their minute.
        is_apart = through is None or slot_at - through > LONG or pk in apart
        queues[pk] = BACKFILL if is_apart else LIVE
    return len(jobs.put_all(stage=stage.slug, slot_at=slot_at, queues=queues))


def run(*, job_id: int) -> None:
    """Make one attempt at a job and put the next stage's; the message may be late, doubled or forged.

    Where the stage takes many instruments, others' jobs of this minute are worked on with it.
    """
    with jobs.claimed(job_id=job_id) as job:
        if job is not None:
            # A long catch-up is a job by itself: many of them would outlast any limit.
            most = _found(job).most if job.queue == LIVE else 1
            with jobs.accompanied(job=job, most=most - 1) as others:
                _attempt([job, *others])


def _attempt(batch: Sequence[Job]) -> None:
    try:
        _work(batch)
    except jobs.LeaseLostError as lost:
        logger.warning("undone, another attempt has taken over: %s", lost)
        _attempt_alone(batch)
    except Exception as error:
        logger.exception("jobs %s failed", [job.pk for job in batch])
        if len(batch) == 1 or isinstance(error, SoftTimeLimitExceeded):
            _fail(batch, error)
        else:
            _attempt_alone(batch)


def _attempt_alone(batch: Sequence[Job]) -> None:
    """Work on each by itself, so that one that can not be computed holds none of the others."""
    for job in batch if len(batch) > 1 else ():
        _attempt([job])


def _fail(batch: Sequence[Job], error: Exception) -> None:
    text, is_permanent = f"{type(error).__name__}: {error}"[:2000], bool(getattr(error, "permanent", False))
    for job in batch:
        jobs.fail(job=job, error=text, is_permanent=is_permanent)


def _found(job: Job) -> Stage | Errand:
    return next(one for one in (*STAGES, *ERRANDS, OUTAGE) if one.slug == job.stage)


def _work(batch: Sequence[Job]) -> None:
    job, stage, ids = batch[0], _found(batch[0]), [one.instrument_id for one in batch]
    of = {"instrument_ids": ids} if stage.most > 1 else {"instrument_id": job.instrument_id}
    work = partial(import_string(stage.work), **of, now=job.slot_at)
    if not stage.is_atomic and not _has_come_through(work, job):
        return
    with transaction.atomic():
        if stage.is_atomic:
            work()
        jobs.finish(jobs=batch)
        _put_next(job.stage, ids, job.slot_at)
        # Whoever hears of it must find the data: publish after the commit.
        for one in batch:
            news = partial(events.publish, instrument=one.instrument.key, stage=one.stage, at=one.slot_at)
            transaction.on_commit(news)


def _has_come_through(work: Callable[[], None], job: Job) -> bool:
    """Do the work; False where the job was given back, because all that may be spent on its venue is spent.

    Where that takes long, or the job has waited before, what has come is all for this minute; the next asks again.
    """
    try:
        work()
    except Exception as error:
        wait_s = getattr(error, "busy_s", None)
        if wait_s is None:
            raise
        return wait_s > LONGEST_WAIT_S or not jobs.give_back(job=job, wait_s=wait_s)
    return True


def _put_next(slug: str, instrument_ids: Sequence[int], slot_at: dt.datetime) -> None:
    """Ask for the next stage; after the last one, or where that is not due, for the errands that are."""
    slugs = [stage.slug for stage in STAGES]
    if slug not in slugs:
        return
    rest = list(instrument_ids)
    for stage in STAGES[slugs.index(slug) + 1 :][:1]:
        due = set(rest) if stage.due is None else stage.due(instrument_ids=rest)
        _put(stage, sorted(due), slot_at)
        rest = [pk for pk in rest if pk not in due]
    for errand in ERRANDS if rest else ():
        due = errand.due(instrument_ids=rest, now=slot_at)
        if due:
            jobs.put_all(stage=errand.slug, slot_at=slot_at, queues=dict.fromkeys(sorted(due), BACKFILL))
