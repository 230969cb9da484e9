"""One job takes those of the same stage and minute along, and none of them holds the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection

from bhweb import jobs, pipeline
from bhweb.models import Job
from tests.factories import make_instrument
from tests.running import database_url

from .test_jobs import MINUTE, Sent, hold, put

if TYPE_CHECKING:
    import datetime as dt

    from market.models import Instrument

    from .conftest import Work

MOST = 4


@pytest.fixture
def many(instrument: Instrument) -> list[Instrument]:
    return [instrument, *(make_instrument(symbol=f"S{number}", is_live=True) for number in range(5))]


@pytest.fixture
def worked(work: Work, monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """A stage that takes MOST instruments at once; what it was asked is noted, the broken one raises."""
    asked: list[list[int]] = []

    def _work(*, instrument_ids: list[int], now: dt.datetime) -> None:
        asked.append(instrument_ids)
        Job.objects.filter(instrument__in=instrument_ids).update(error="written by the work")
        if set(instrument_ids) & set(work.broken):
            raise work.broken[instrument_ids[-1] if len(instrument_ids) == 1 else min(work.broken)]

    stages = (*pipeline.STAGES[:1], pipeline.Stage("advance", "", pipeline.STAGES[1].reached, most=MOST))
    monkeypatch.setattr(pipeline, "STAGES", (*stages, *pipeline.STAGES[2:]))
    monkeypatch.setattr(pipeline, "import_string", lambda _: _work)
    return asked


def ids_of(instruments: list[Instrument]) -> list[int]:
    return [one.pk for one in instruments]


def test_a_job_takes_others_of_its_stage_queue_and_minute_along(
    many: list[Instrument], now: dt.datetime, worked: list[list[int]]
) -> None:
    first, *_ = [put(one, now, stage="advance") for one in many[:-2]]
    put(many[-2], now, stage="advance", queue="backfill")
    put(many[-1], now - MINUTE, stage="advance")
    pipeline.run(job_id=first)
    pipeline.run(job_id=first)
    assert worked == [ids_of(many[:-2])]
    states = dict(Job.objects.filter(stage="advance").values_list("instrument_id", "state"))
    assert states == {**dict.fromkeys(ids_of(many[:-2]), "done"), **dict.fromkeys(ids_of(many[-2:]), "queued")}
    assert sorted(Job.objects.filter(stage="zones").values_list("instrument_id", flat=True)) == ids_of(many[:-2])


def test_long_catch_ups_are_jobs_by_themselves(
    many: list[Instrument], now: dt.datetime, worked: list[list[int]]
) -> None:
    first, *_ = [put(one, now, stage="advance", queue="backfill") for one in many[:3]]
    pipeline.run(job_id=first)
    assert worked == [[many[0].pk]]


def test_company_is_bounded_and_leaves_what_failed_or_is_held(
    many: list[Instrument], now: dt.datetime, sent: Sent
) -> None:
    first, failed, *_ = [put(one, now, stage="advance") for one in many]
    Job.objects.filter(pk=failed).update(attempt=1)
    with psycopg.connect(database_url(connection.settings_dict), autocommit=True) as session:
        hold(session, many[2], stage="advance")
        with jobs.claimed(job_id=first) as job:
            assert job is not None
            with jobs.accompanied(job=job, most=3) as others:
                assert [one.instrument_id for one in others] == ids_of(many[3:5])
                assert {(one.state, one.attempt) for one in others} == {("running", 1)}
        held = session.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2").fetchone()
    assert held == (1,)


def test_one_that_is_broken_holds_none_of_the_others(
    many: list[Instrument], now: dt.datetime, worked: list[list[int]], work: Work
) -> None:
    work.broken[many[1].pk] = ValueError("no price")
    first, *_ = [put(one, now, stage="advance") for one in many[:3]]
    pipeline.run(job_id=first)
    assert worked == [ids_of(many[:3]), *([pk] for pk in ids_of(many[:3]))]
    told = list(Job.objects.filter(stage="advance").order_by("pk").values_list("state", "attempt", "error"))
    assert told == [("done", 1, ""), ("queued", 1, "ValueError: no price"), ("done", 1, "")]


def test_time_that_is_over_is_over_for_all(
    many: list[Instrument], now: dt.datetime, worked: list[list[int]], work: Work
) -> None:
    work.broken[many[1].pk] = SoftTimeLimitExceeded()
    first, *_ = [put(one, now, stage="advance") for one in many[:3]]
    pipeline.run(job_id=first)
    assert worked == [ids_of(many[:3])]
    assert set(Job.objects.values_list("state", "attempt")) == {("queued", 1)}


def test_a_batch_of_which_one_was_overtaken_counts_for_the_others(
    many: list[Instrument], now: dt.datetime, worked: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, _ = [put(one, now, stage="advance") for one in many[:3]]

    def _overtaken(*, instrument_ids: list[int], now: dt.datetime) -> None:
        worked.append(instrument_ids)
        Job.objects.filter(pk=second).update(attempt=2)

    monkeypatch.setattr(pipeline, "import_string", lambda _: _overtaken)
    pipeline.run(job_id=first)
    states = list(Job.objects.filter(stage="advance").order_by("pk").values_list("state", flat=True))
    assert states == ["done", "running", "done"]
