"""The only list of stages: what is done with an instrument each minute, in order."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from alerts.queries import is_watch_due, watched_instruments
from bhweb import events, jobs
from bhweb.celery import BACKFILL, LIVE
from heatmaps.queries import (
    get_heatmap,
    is_learning_due,
    is_standing_due,
    is_stated_score_due,
    is_stating_due,
    is_tracking_due,
    month_to_score,
)
from journal.queries import is_control_due, is_settling_due
from market.queries import freshness_of_all, heard_venues, list_fetched, resting_venues, stored_span
from market.series import EPOCH
from market.tasks import ensure_pairs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bhweb.models import Job
    from market.models import Instrument

logger = logging.getLogger(__name__)

# An instrument that is further behind is caught up apart, so that the others' minutes are not kept waiting.
LONG: Final = dt.timedelta(hours=6)
# Into a minute: by then a pair's members have had their turn; what comes later shows a minute later.
PAIR_WAIT: Final = dt.timedelta(seconds=20)
# So long the feed has to bring a minute's bar before its venue is asked.
FEED_PATIENCE: Final = dt.timedelta(seconds=8)
MINUTE: Final = dt.timedelta(minutes=1)
# So long a job may wait in the queue for its venue's budget [s].
LONGEST_WAIT_S: Final = 30.0
# So often it is asked what is due, in wall time.
TICK: Final = dt.timedelta(seconds=2)


def _stored_through(instrument_id: int) -> dt.datetime | None:
    span = stored_span(instrument_id=instrument_id)
    return span[1] if span else None


def _built_through(instrument_id: int) -> dt.datetime | None:
    heatmap = get_heatmap(instrument_id=instrument_id)
    return heatmap.built_through if heatmap else None


def _tracked_through(instrument_id: int) -> dt.datetime | None:
    heatmap = get_heatmap(instrument_id=instrument_id)
    return heatmap.zones_through if heatmap else None


@dataclass(frozen=True, slots=True)
class Stage:
    """A step that takes ``(*, instrument_id, now)`` and may be repeated without a trace."""

    slug: str
    work: str
    reached: Callable[[int], dt.datetime | None]
    # Not for work that talks to a venue meanwhile, or that commits part by part.
    is_atomic: bool = True
    # Asked where there may be nothing to do: then the stage is left out.
    is_due: Callable[..., bool] | None = None


@dataclass(frozen=True, slots=True)
class Errand:
    """Work after an instrument's minute that is due now and then; it keeps nobody's minute waiting."""

    slug: str
    work: str
    is_due: Callable[..., object]
    is_atomic: bool = True


STAGES: Final = (
    Stage("ingest", "market.tasks.ingest", _stored_through, is_atomic=False),
    Stage("advance", "heatmaps.tasks.advance", _built_through, is_atomic=False),
    Stage("zones", "heatmaps.tasks.track_zones", _tracked_through, is_due=is_tracking_due),
)
ERRANDS: Final = (
    Errand("settle", "bhweb.telling.settle", is_settling_due),
    Errand("control", "journal.tasks.draw_controls", is_control_due),
    Errand("look", "alerts.tasks.look", is_watch_due),
    Errand("stand", "heatmaps.tasks.stand", is_standing_due),
    Errand("learn", "heatmaps.tasks.learn_reach", is_learning_due),
    Errand("chances", "heatmaps.tasks.state_chances", is_stating_due),
    Errand("score", "heatmaps.tasks.score_day", is_stated_score_due),
    Errand("month", "heatmaps.tasks.score_month", month_to_score),
)

# Asked for at the beginning of each minute: where a venue is away no stage comes to its end.
OUTAGE: Final = Errand("outage", "alerts.tasks.look_for_outages", is_watch_due)


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
    return sum(_put(STAGES[0], instrument_id, slot_at) is not None for instrument_id in ready)


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


def _put(stage: Stage, instrument_id: int, slot_at: dt.datetime) -> int | None:
    through = stage.reached(instrument_id)
    is_behind = through is None or slot_at - through > LONG
    # An instrument that cannot be computed must not cost the others their minute.
    is_apart = is_behind or jobs.died_last(stage=stage.slug, instrument_id=instrument_id)
    queue = BACKFILL if is_apart else LIVE
    return jobs.put(stage=stage.slug, instrument_id=instrument_id, slot_at=slot_at, queue=queue)


def run(*, job_id: int) -> None:
    """Make one attempt at a job and put the next stage's; the message may be late, doubled or forged."""
    with jobs.claimed(job_id=job_id) as job:
        if job is not None:
            _attempt(job)


def _attempt(job: Job) -> None:
    try:
        _work(job)
    except jobs.LeaseLostError as lost:
        logger.warning("undone, another attempt has taken over: %s", lost)
    except Exception as error:
        logger.exception("job %s failed at attempt %s", job.pk, job.attempt)
        text = f"{type(error).__name__}: {error}"
        jobs.fail(job=job, error=text[:2000], is_permanent=bool(getattr(error, "permanent", False)))


def _work(job: Job) -> None:
    stage = next(one for one in (*STAGES, *ERRANDS, OUTAGE) if one.slug == job.stage)
    work = partial(import_string(stage.work), instrument_id=job.instrument_id, now=job.slot_at)
    if not stage.is_atomic and not _has_come_through(work, job):
        return
    with transaction.atomic():
        if stage.is_atomic:
            work()
        jobs.finish(job=job)
        _put_next(job)
        # Whoever hears of it must find the data: publish after the commit.
        transaction.on_commit(partial(events.publish, instrument=job.instrument.key, stage=job.stage, at=job.slot_at))


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


def _put_next(job: Job) -> None:
    """Ask for the next stage; after the last one, or where that is not due, for the errands that are."""
    slugs = [stage.slug for stage in STAGES]
    if job.stage not in slugs:
        return
    following = STAGES[slugs.index(job.stage) + 1 :][:1]
    due = [one for one in following if one.is_due is None or one.is_due(instrument_id=job.instrument_id)]
    for stage in due:
        _put(stage, job.instrument_id, job.slot_at)
    for errand in () if due else ERRANDS:
        if errand.is_due(instrument_id=job.instrument_id, now=job.slot_at):
            jobs.put(stage=errand.slug, instrument_id=job.instrument_id, slot_at=job.slot_at, queue=BACKFILL)
