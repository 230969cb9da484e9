"""Job rows: PostgreSQL is the truth about the work, the broker is a hint.

While a job runs, its worker's database session holds an advisory lock on (stage, instrument). The lock says
that the worker lives: the server drops it the moment the worker dies. The lease bounds a worker that hangs.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models.functions import Now
from kombu.exceptions import OperationalError as BrokerError

from bhweb import celery
from bhweb.models import Job

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from django.db.models import QuerySet

logger = logging.getLogger(__name__)

ATTEMPTS: Final = 3
# No attempt outlives its hard limit, so a lease of that length needs no heartbeat [s].
LEASE_MARGIN_S: Final = 15
RETRY_S: Final = 5
WAITED: Final = "It waits until its venue may be asked more."
# A message that nobody acted upon for so long is taken for lost [s].
RESEND_S: Final = 30
KEEP: Final = "1 day"
KEEP_DEAD: Final = "30 days"
BATCH: Final = 500

_LOCK = "hashtext('bhweb.job.' || stage), instrument_id::int"
_HELD = """EXISTS (
    SELECT FROM pg_locks AS lock
    WHERE lock.locktype = 'advisory' AND lock.objsubid = 2 AND lock.granted
      AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND lock.classid = hashtext('bhweb.job.' || stage)::oid AND lock.objid = instrument_id::int::oid
)"""

_IN_PLACE = """(SELECT newer.id FROM bhweb_job AS skipped JOIN bhweb_job AS newer USING (stage, instrument_id, queue)
    WHERE skipped.id = %s AND skipped.state = 'skipped' AND newer.state = 'queued' AND newer.slot_at > skipped.slot_at
    ORDER BY newer.slot_at DESC LIMIT 1)"""


class LeaseLostError(Exception):
    """Another attempt has taken the job over; whatever this one did must not be committed."""


def put(*, stage: str, instrument_id: int, slot_at: datetime, queue: str) -> int | None:
    """Ask for a stage at a slot, once; older slots that nobody has tried yet are skipped. None: asked before."""
    with transaction.atomic():
        new = _rows(
            """INSERT INTO bhweb_job (stage, instrument_id, slot_at, queue, state, attempt, error)
            VALUES (%s, %s, %s, %s, 'queued', 0, '') ON CONFLICT DO NOTHING RETURNING id""",
            (stage, instrument_id, slot_at, queue),
        )
        if not new:
            return None
        older = Job.objects.filter(stage=stage, instrument_id=instrument_id, slot_at__lt=slot_at)
        _skip(older.filter(state=Job.State.QUEUED, attempt=0))
        (job_id,) = new[0]
        _send_queued(where="id = %s", values=(job_id,))
        return int(job_id)


def known(*, stage: str, slot_at: datetime) -> set[int]:
    """Return the instruments for which this slot has been asked for."""
    return set(Job.objects.filter(stage=stage, slot_at=slot_at).values_list("instrument_id", flat=True))


def died_last(*, stage: str, instrument_id: int) -> bool:
    """Tell whether the newest job that came to an end was given up."""
    ended = Job.objects.filter(stage=stage, instrument_id=instrument_id, state__in=(Job.State.DONE, Job.State.DEAD))
    return ended.order_by("-finished_at").values_list("state", flat=True).first() == Job.State.DEAD


@contextmanager
def claimed(*, job_id: int) -> Iterator[Job | None]:
    """Hold a job for one attempt; None when it is done, not due, or its stage is at work on the instrument.

    A job that was skipped gives its turn to the one that took its place, so that who waits longest comes first.
    """
    wanted = f"""FROM bhweb_job WHERE id = coalesce({_IN_PLACE}, %s)
        AND state IN ('queued', 'running') AND due_at <= clock_timestamp()"""
    locked = _rows(f"SELECT pg_try_advisory_lock({_LOCK}), id, stage, instrument_id {wanted}", (job_id, job_id))
    if not locked or not locked[0][0]:
        yield None
        return
    (_, taken_id, stage, instrument_id) = locked[0]
    try:
        yield _lease(taken_id)
    finally:
        # A broken session has dropped the lock by itself, and the sweep sends what waits.
        with suppress(DatabaseError, InterfaceError):
            _unlock(stage=stage, instrument_id=instrument_id)


def _lease(job_id: int) -> Job | None:
    # Whoever holds the lock knows that a running job has lost its worker, and may take it over at once.
    hard = " ".join(f"WHEN '{queue}' THEN {limit.hard + LEASE_MARGIN_S}" for queue, limit in celery.LIMITS.items())
    taken = _rows(
        f"""UPDATE bhweb_job SET state = 'running', attempt = attempt + 1,
            lease_until = clock_timestamp() + make_interval(secs => CASE queue {hard} END)
        WHERE id = %s AND state IN ('queued', 'running') AND attempt < %s RETURNING id""",  # noqa: S608  # constants
        (job_id, ATTEMPTS),
    )
    return Job.objects.select_related("instrument").get(pk=job_id) if taken else None


def _unlock(*, stage: str, instrument_id: int) -> None:
    _rows("SELECT pg_advisory_unlock(hashtext('bhweb.job.' || %s), %s::int)", (stage, instrument_id))
    _send_queued(where="stage = %s AND instrument_id = %s", values=(stage, instrument_id))


def finish(*, job: Job) -> None:
    """Mark the attempt as done, in the caller's transaction; raise LeaseLostError if it no longer counts."""
    mine = Job.objects.filter(pk=job.pk, state=Job.State.RUNNING, attempt=job.attempt)
    if not mine.update(state=Job.State.DONE, finished_at=Now(), lease_until=None, error=""):
        raise LeaseLostError(f"job {job.pk}, attempt {job.attempt}")
    older = Job.objects.filter(stage=job.stage, instrument_id=job.instrument_id, slot_at__lt=job.slot_at)
    _skip(older.filter(state__in=(Job.State.QUEUED, Job.State.RUNNING)))


def _skip(jobs: QuerySet[Job]) -> None:
    jobs.update(state=Job.State.SKIPPED, finished_at=Now(), lease_until=None)


def fail(*, job: Job, error: str, is_permanent: bool) -> None:
    """Record why an attempt failed: the job is tried again a little later, or dead."""
    _rows(
        """UPDATE bhweb_job SET error = %s, lease_until = NULL, sent_at = NULL,
            state = CASE WHEN attempt >= %s OR %s THEN 'dead' ELSE 'queued' END,
            finished_at = CASE WHEN attempt >= %s OR %s THEN clock_timestamp() END,
            due_at = clock_timestamp() + make_interval(secs => %s * attempt)
        WHERE id = %s AND state = 'running' AND attempt = %s RETURNING id""",
        (error, ATTEMPTS, is_permanent, ATTEMPTS, is_permanent, RETRY_S, job.pk, job.attempt),
    )


def give_back(*, job: Job, wait_s: float) -> bool:
    """Let a job wait in the queue instead of in its worker, at no attempt's cost; once: False where it has waited."""
    if job.error == WAITED:
        return False
    _rows(
        """UPDATE bhweb_job SET error = %s, state = 'queued', attempt = attempt - 1, lease_until = NULL, sent_at = NULL,
            due_at = clock_timestamp() + make_interval(secs => %s)
        WHERE id = %s AND state = 'running' AND attempt = %s RETURNING id""",
        (WAITED, wait_s, job.pk, job.attempt),
    )
    return True


def sweep() -> None:
    """Bring back the work of lost workers and send again what the broker lost."""
    _end_hung_sessions()
    _rows(
        f"""UPDATE bhweb_job SET error = 'The worker was lost.', lease_until = NULL, sent_at = NULL,
            state = CASE WHEN attempt >= %s THEN 'dead' ELSE 'queued' END,
            finished_at = CASE WHEN attempt >= %s THEN clock_timestamp() END
        WHERE state = 'running' AND (lease_until < clock_timestamp() OR NOT {_HELD}) RETURNING id""",  # noqa: S608  # constants
        (ATTEMPTS, ATTEMPTS),
    )
    lost = "sent_at IS NULL OR sent_at < clock_timestamp() - make_interval(secs => %s)"
    _send_queued(where=lost, values=(RESEND_S,))


def _end_hung_sessions() -> None:
    """Take the session from a worker that is past its lease: its transaction is undone, its lock is free."""
    _rows(
        """SELECT pg_terminate_backend(lock.pid) FROM bhweb_job JOIN pg_locks AS lock
            ON lock.classid = hashtext('bhweb.job.' || stage)::oid AND lock.objid = instrument_id::int::oid
        WHERE state = 'running' AND lease_until < clock_timestamp()
            AND lock.locktype = 'advisory' AND lock.objsubid = 2 AND lock.granted AND lock.pid <> pg_backend_pid()
            AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())""",
        (),
    )


def prune() -> None:
    """Forget old jobs; the dead are kept longer for whoever looks into them."""
    _rows(
        """DELETE FROM bhweb_job WHERE finished_at < clock_timestamp() -
            (CASE state WHEN 'dead' THEN %s ELSE %s END)::interval RETURNING id""",
        (KEEP_DEAD, KEEP),
    )


def _send_queued(*, where: str, values: tuple[Any, ...]) -> None:
    """Send a message for each queued job that is due, once the transaction is committed."""
    due = _rows(
        f"""UPDATE bhweb_job SET sent_at = clock_timestamp() WHERE id IN (
            SELECT id FROM bhweb_job WHERE state = 'queued' AND due_at <= clock_timestamp() AND ({where})
            ORDER BY id LIMIT {BATCH} FOR UPDATE SKIP LOCKED
        ) RETURNING id, queue""",  # noqa: S608  # constants
        values,
    )
    for job_id, queue in due:
        transaction.on_commit(partial(_send, job_id, queue))


def _send(job_id: int, queue: str) -> None:
    try:
        celery.send(job_id=job_id, queue=queue)
    except (BrokerError, OSError) as error:
        logger.warning("job %s waits for the sweep, the broker is away: %s", job_id, error)


def _rows(sql: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
