"""A skipped job's message gives its turn to the job that took its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bhweb import jobs
from bhweb.models import Job

from .test_jobs import MINUTE, Sent, put

if TYPE_CHECKING:
    import datetime as dt

    from market.models import Instrument


def test_message_of_a_skipped_job_runs_the_one_in_its_place(
    instrument: Instrument, now: dt.datetime, sent: Sent
) -> None:
    first, other = put(instrument, now - MINUTE), put(instrument, now - MINUTE, stage="advance")
    newest = put(instrument, now)
    with jobs.claimed(job_id=first) as job:
        assert job is not None
        assert job.pk == newest
        jobs.finish(jobs=[job])
    for done in (first, newest):
        with jobs.claimed(job_id=done) as job:
            assert job is None
    assert Job.objects.get(pk=other).state == Job.State.QUEUED


def test_skipped_job_gives_no_turn_to_another_queue(instrument: Instrument, now: dt.datetime, sent: Sent) -> None:
    skipped = put(instrument, now - MINUTE)
    put(instrument, now, queue="backfill")
    with jobs.claimed(job_id=skipped) as job:
        assert job is None
