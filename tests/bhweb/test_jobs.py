from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import psycopg
import pytest
from django.db import connection
from kombu.exceptions import OperationalError as BrokerError

from bhweb import celery, jobs
from bhweb.models import Job
from tests.factories import make_instrument
from tests.running import database_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from pytest_django import DjangoCaptureOnCommitCallbacks as Commit

    from market.models import Instrument

MINUTE = dt.timedelta(minutes=1)
Sent = list[tuple[int, str]]


def put(instrument: Instrument, slot_at: dt.datetime, *, stage: str = "ingest", queue: str = "live") -> int:
    job_id = jobs.put(stage=stage, instrument_id=instrument.pk, slot_at=slot_at, queue=queue)
    assert job_id is not None
    return job_id


def states() -> list[str]:
    return list(Job.objects.order_by("slot_at", "id").values_list("state", flat=True))


def set_back(job_id: int, **columns: int) -> None:
    """Move times of a job into the past, by the database's clock [s]."""
    with connection.cursor() as cursor:
        for name, seconds in columns.items():
            cursor.execute(
                f"UPDATE bhweb_job SET {name} = clock_timestamp() - make_interval(secs => %s) WHERE id = %s",
                (seconds, job_id),
            )


@pytest.fixture
def queued(instrument: Instrument, now: dt.datetime, sent: Sent) -> int:
    """One job that waits."""
    return put(instrument, now)


@pytest.fixture
def elsewhere(db: None) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """Another worker's database session."""
    with psycopg.connect(database_url(connection.settings_dict), autocommit=True) as session:
        yield session


def hold(session: psycopg.Connection[tuple[Any, ...]], instrument: Instrument, *, stage: str = "ingest") -> None:
    session.execute("SELECT pg_advisory_lock(hashtext(%s), %s::int)", (f"bhweb.job.{stage}", instrument.pk))


def test_put_asked_five_times_makes_one_job_and_one_message(
    instrument: Instrument,
    now: dt.datetime,
    sent: Sent,
    django_capture_on_commit_callbacks: Commit,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        answers = [
            jobs.put(stage="ingest", instrument_id=instrument.pk, slot_at=now, queue="backfill") for _ in range(5)
        ]
    job = Job.objects.get()
    assert answers == [job.pk, None, None, None, None]
    assert sent == [(job.pk, "backfill")]
    assert (job.state, job.attempt, job.stage, job.slot_at) == ("queued", 0, "ingest", now)


def test_put_skips_older_slots_that_nobody_tried(instrument: Instrument, now: dt.datetime, sent: Sent) -> None:
    other = make_instrument(symbol="ETHUSDT")
    put(other, now - MINUTE)
    put(instrument, now - MINUTE, stage="advance")
    tried = put(instrument, now - 2 * MINUTE)
    Job.objects.filter(pk=tried).update(attempt=1)
    untried = put(instrument, now - MINUTE)
    newest = put(instrument, now)
    skipped = Job.objects.filter(state=Job.State.SKIPPED)
    assert list(skipped.values_list("pk", flat=True)) == [untried]
    assert Job.objects.get(pk=newest).state == Job.State.QUEUED


def test_put_survives_a_broker_that_is_away(
    instrument: Instrument,
    now: dt.datetime,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Commit,
) -> None:
    def _refuse(*, job_id: int, queue: str) -> None:
        raise BrokerError(f"{job_id} {queue}")

    monkeypatch.setattr(celery, "send", _refuse)
    with django_capture_on_commit_callbacks(execute=True):
        put(instrument, now)
    assert states() == ["queued"]


def test_claimed_gives_one_attempt_with_a_lease(instrument: Instrument, now: dt.datetime, sent: Sent) -> None:
    job_id = put(instrument, now)
    with jobs.claimed(job_id=job_id) as job:
        assert job is not None
        with connection.cursor() as cursor:
            cursor.execute("SELECT lease_until - clock_timestamp() FROM bhweb_job")
            (left,) = cursor.fetchone()
        assert (job.state, job.attempt) == ("running", 1)
        assert dt.timedelta(seconds=100) < left <= dt.timedelta(seconds=105)  # hard limit 90 s and a margin of 15 s


def test_claimed_is_none_while_the_stage_works_on_the_instrument(
    instrument: Instrument, now: dt.datetime, sent: Sent, elsewhere: psycopg.Connection[tuple[Any, ...]]
) -> None:
    job_id = put(instrument, now)
    hold(elsewhere, instrument)
    with jobs.claimed(job_id=job_id) as job:
        assert job is None
    assert states() == ["queued"]


@pytest.mark.parametrize("state", ["done", "dead", "skipped"])
def test_claimed_is_none_for_a_job_that_is_over(
    instrument: Instrument, now: dt.datetime, sent: Sent, state: str
) -> None:
    job_id = put(instrument, now)
    Job.objects.filter(pk=job_id).update(state=state)
    with jobs.claimed(job_id=job_id) as job:
        assert job is None


def test_claimed_is_none_for_an_unknown_job(db: None) -> None:
    with jobs.claimed(job_id=2**62) as job:
        assert job is None


def test_claimed_takes_over_from_a_worker_that_is_gone(instrument: Instrument, now: dt.datetime, sent: Sent) -> None:
    job_id = put(instrument, now)
    Job.objects.filter(pk=job_id).update(state=Job.State.RUNNING, attempt=1)
    with jobs.claimed(job_id=job_id) as job:
        assert job is not None
        assert job.attempt == 2


def test_claimed_sends_what_waited_for_it(
    instrument: Instrument,
    now: dt.datetime,
    sent: Sent,
    django_capture_on_commit_callbacks: Commit,
) -> None:
    first = put(instrument, now)
    with django_capture_on_commit_callbacks(execute=True), jobs.claimed(job_id=first) as job:
        assert job is not None
        jobs.finish(jobs=[job])
        second = put(instrument, now + MINUTE)
        sent.clear()
    assert (second, "live") in sent


def test_finish_skips_what_it_makes_pointless(instrument: Instrument, now: dt.datetime, sent: Sent) -> None:
    older = put(instrument, now - MINUTE)
    Job.objects.filter(pk=older).update(attempt=1)
    newer = put(instrument, now)
    with jobs.claimed(job_id=newer) as job:
        assert job is not None
        jobs.finish(jobs=[job])
    assert states() == ["skipped", "done"]


def test_finish_refuses_an_attempt_that_was_overtaken(instrument: Instrument, now: dt.datetime, sent: Sent) -> None:
    job_id = put(instrument, now)
    with jobs.claimed(job_id=job_id) as job:
        assert job is not None
        Job.objects.filter(pk=job_id).update(attempt=2)
        with pytest.raises(jobs.LeaseLostError):
            jobs.finish(jobs=[job])
    assert states() == ["running"]


def test_fail_three_times_is_dead_with_the_reason(instrument: Instrument, now: dt.datetime, sent: Sent) -> None:
    job_id = put(instrument, now)
    seen = []
    for attempt in (1, 2, 3):
        set_back(job_id, due_at=1)
        with jobs.claimed(job_id=job_id) as job:
            assert job is not None
            jobs.fail(job=job, error=f"reason {attempt}", is_permanent=False)
        job.refresh_from_db()
        seen.append((job.state, job.attempt, job.error, job.finished_at is not None))
    assert seen == [
        ("queued", 1, "reason 1", False),
        ("queued", 2, "reason 2", False),
        ("dead", 3, "reason 3", True),
    ]
    set_back(job_id, due_at=1)
    with jobs.claimed(job_id=job_id) as job:
        assert job is None


def test_fail_for_good_is_dead_at_once(instrument: Instrument, now: dt.datetime, sent: Sent) -> None:
    with jobs.claimed(job_id=put(instrument, now)) as job:
        assert job is not None
        jobs.fail(job=job, error="delisted", is_permanent=True)
    assert states() == ["dead"]


def test_fail_waits_before_the_next_attempt(instrument: Instrument, now: dt.datetime, sent: Sent) -> None:
    job_id = put(instrument, now)
    with jobs.claimed(job_id=job_id) as job:
        assert job is not None
        jobs.fail(job=job, error="busy", is_permanent=False)
    with jobs.claimed(job_id=job_id) as job:
        assert job is None


def test_sweep_brings_back_the_work_of_a_lost_worker(
    instrument: Instrument,
    now: dt.datetime,
    sent: Sent,
    django_capture_on_commit_callbacks: Commit,
) -> None:
    job_id = put(instrument, now)
    Job.objects.filter(pk=job_id).update(state=Job.State.RUNNING, attempt=1)
    set_back(job_id, lease_until=-60)
    with django_capture_on_commit_callbacks(execute=True):
        jobs.sweep()
    assert states() == ["queued"]
    assert sent == [(job_id, "live")]


def test_sweep_gives_up_after_three_lost_workers(instrument: Instrument, now: dt.datetime, sent: Sent) -> None:
    job_id = put(instrument, now)
    Job.objects.filter(pk=job_id).update(state=Job.State.RUNNING, attempt=3)
    jobs.sweep()
    job = Job.objects.get()
    assert (job.state, job.error) == ("dead", "The worker was lost.")


def test_sweep_leaves_a_worker_that_lives(
    instrument: Instrument, now: dt.datetime, sent: Sent, elsewhere: psycopg.Connection[tuple[Any, ...]]
) -> None:
    job_id = put(instrument, now)
    hold(elsewhere, instrument)
    Job.objects.filter(pk=job_id).update(state=Job.State.RUNNING, attempt=1)
    set_back(job_id, lease_until=-60)
    jobs.sweep()
    assert states() == ["running"]


def test_sweep_ends_the_session_of_a_worker_past_its_lease(
    instrument: Instrument, now: dt.datetime, sent: Sent, elsewhere: psycopg.Connection[tuple[Any, ...]]
) -> None:
    job_id = put(instrument, now)
    hold(elsewhere, instrument)
    Job.objects.filter(pk=job_id).update(state=Job.State.RUNNING, attempt=1)
    set_back(job_id, lease_until=1)
    jobs.sweep()
    assert states() == ["queued"]
    with pytest.raises(psycopg.OperationalError):
        elsewhere.execute("SELECT 1")


@pytest.mark.parametrize(("age", "messages"), [(29, 0), (31, 1)])
def test_sweep_sends_again_what_nobody_took(
    queued: int,
    sent: Sent,
    django_capture_on_commit_callbacks: Commit,
    age: int,
    messages: int,
) -> None:
    set_back(queued, sent_at=age)
    with django_capture_on_commit_callbacks(execute=True):
        jobs.sweep()
        jobs.sweep()
    assert len(sent) == messages


@pytest.mark.parametrize(
    ("state", "days", "left"), [("done", 2, 0), ("skipped", 2, 0), ("dead", 2, 1), ("dead", 31, 0)]
)
def test_prune_forgets_old_jobs(queued: int, state: str, days: int, left: int) -> None:
    put(make_instrument(symbol="ETHUSDT"), Job.objects.get().slot_at)
    Job.objects.filter(pk=queued).update(state=state)
    set_back(queued, finished_at=days * 86_400)
    jobs.prune()
    assert Job.objects.filter(pk=queued).count() == left
    assert Job.objects.exclude(pk=queued).count() == 1
