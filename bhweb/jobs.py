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
    from collections.abc import Iterator, Mapping, Sequence
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

_HARD = " ".join(f"WHEN '{queue}' THEN {limit.hard + LEASE_MARGIN_S}" for queue, limit in celery.LIMITS.items())
_RUNNING = f"""state = 'running', attempt = attempt + 1,
    lease_until = clock_timestamp() + make_interval(secs => CASE queue {_HARD} END)"""
# Rows that another worker is taking at this moment are passed over, so that two of them share the work.
_COMPANY = f"""WITH free AS MATERIALIZED (
    SELECT id, stage, instrument_id FROM bhweb_job
    WHERE stage = %s AND queue = %s AND slot_at = %s AND state = 'queued' AND attempt = 0
        AND due_at <= clock_timestamp()
    ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
), held AS MATERIALIZED (SELECT id AS of, pg_try_advisory_lock({_LOCK}) AS is_held FROM free)
UPDATE bhweb_job SET {_RUNNING} FROM held WHERE id = of AND is_held RETURNING id, instrument_id"""  # noqa: S608  # constants


class LeaseLostError(Exception):
    """Another attempt has taken the job over; whatever this one did must not be committed."""


def put(*, stage: str, instrument_id: int, slot_at: datetime, queue: str) -> int | None:
    """Ask for a stage at a slot, once; None: asked before."""
    return put_all(stage=stage, slot_at=slot_at, queues={instrument_id: queue}).get(instrument_id)


def put_all(*, stage: str, slot_at: datetime, queues: Mapping[int, str]) -> dict[int, int]:
    """Ask for a stage of many instruments at a slot, each once; older slots that nobody has tried yet are skipped.

    queues: by instrument id. Returns the ids of the new jobs by instrument id.
    """
    with transaction.atomic():
        found = _rows(
            """INSERT INTO bhweb_job (stage, instrument_id, slot_at, queue, state, attempt, error)
            SELECT %s, of, %s, queue, 'queued', 0, '' FROM unnest(%s::bigint[], %s::text[]) AS asked(of, queue)
            ORDER BY of ON CONFLICT DO NOTHING RETURNING instrument_id, id""",
            (stage, slot_at, list(queues), list(queues.values())),
        )
        new = {int(instrument_id): int(job_id) for instrument_id, job_id in found}
        if new:
            older = Job.objects.filter(stage=stage, instrument_id__in=list(new), slot_at__lt=slot_at)
            _skip(older.filter(state=Job.State.QUEUED, attempt=0))
            _send_queued(where="id = ANY(%s)", values=(list(new.values()),), most=len(new))
        return new


def known(*, stage: str, slot_at: datetime) -> set[int]:
    """Return the instruments for which this slot has been asked for."""
    return set(Job.objects.filter(stage=stage, slot_at=slot_at).values_list("instrument_id", flat=True))


def died_last(*, stage: str, instrument_ids: Sequence[int]) -> set[int]:
    """Return the instruments whose newest job that came to an end was given up."""
    rows = _rows(
        """SELECT of FROM unnest(%s::bigint[]) AS asked(of) WHERE 'dead' = (
            SELECT state FROM bhweb_job WHERE stage = %s AND instrument_id = of AND state IN ('done', 'dead')
            ORDER BY finished_at DESC LIMIT 1)""",
        (list(instrument_ids), stage),
    )
    return {int(pk) for (pk,) in rows}


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
            _unlock(stage=stage, instrument_ids=[instrument_id])


@contextmanager
def accompanied(*, job: Job, most: int) -> Iterator[list[Job]]:
    """Hold up to ``most`` jobs of the same stage, minute and queue beside one that is held, each for one attempt.

    What has failed before is left out: it is tried alone, by its own message.
    """
    taken = _rows(_COMPANY, (job.stage, job.queue, job.slot_at, most)) if most else []
    held = Job.objects.select_related("instrument").filter(pk__in=[pk for pk, _ in taken])
    try:
        yield list(held.order_by("pk"))
    finally:
        with suppress(DatabaseError, InterfaceError):
            _unlock(stage=job.stage, instrument_ids=[instrument_id for _, instrument_id in taken])


def _lease(job_id: int) -> Job | None:
    # Whoever holds the lock knows that a running job has lost its worker, and may take it over at once.
    taken = _rows(
        f"""UPDATE bhweb_job SET {_RUNNING}
        WHERE id = %s AND state IN ('queued', 'running') AND attempt < %s RETURNING id""",  # noqa: S608  # constants
        (job_id, ATTEMPTS),
    )
    return Job.objects.select_related("instrument").get(pk=job_id) if taken else None


def _unlock(*, stage: str, instrument_ids: Sequence[int]) -> None:
    if instrument_ids:
        held = "SELECT pg_advisory_unlock(hashtext('bhweb.job.' || %s), of::int) FROM unnest(%s::bigint[]) AS held(of)"
        _rows(held, (stage, instrument_ids))
        _send_queued(where="stage = %s AND instrument_id = ANY(%s)", values=(stage, instrument_ids))


def finish(*, jobs: Sequence[Job]) -> None:
    """Mark the attempts as done, in the caller's transaction; raise LeaseLostError if one no longer counts."""
    done = _rows(
        """UPDATE bhweb_job SET state = 'done', finished_at = statement_timestamp(), lease_until = NULL, error = ''
        FROM unnest(%s::bigint[], %s::int[]) AS mine(of, made)
        WHERE id = of AND attempt = made AND state = 'running' RETURNING id""",
        ([job.pk for job in jobs], [job.attempt for job in jobs]),
    )
    if len(done) < len(jobs):
        raise LeaseLostError(f"{len(jobs) - len(done)} of the jobs {[job.pk for job in jobs]}")
    _rows(
        """UPDATE bhweb_job AS older
        SET state = 'skipped', finished_at = statement_timestamp(), lease_until = NULL FROM bhweb_job AS mine
        WHERE mine.id = ANY(%s) AND older.stage = mine.stage AND older.instrument_id = mine.instrument_id
            AND older.slot_at < mine.slot_at AND older.state IN ('queued', 'running') RETURNING older.id""",
        ([job.pk for job in jobs],),
    )


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


def _send_queued(*, where: str, values: tuple[Any, ...], most: int = BATCH) -> None:
    """Send a message for each queued job that is due, once the transaction is committed."""
    due = _rows(
        f"""UPDATE bhweb_job SET sent_at = clock_timestamp() WHERE id IN (
            SELECT id FROM bhweb_job WHERE state = 'queued' AND due_at <= clock_timestamp() AND ({where})
            ORDER BY id LIMIT {most:d} FOR UPDATE SKIP LOCKED
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
