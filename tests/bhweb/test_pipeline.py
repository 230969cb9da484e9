from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError
from django.utils import timezone
from django.utils.module_loading import import_string

from bhweb import celery, events, jobs, pipeline
from bhweb.models import Job
from market.models import Coverage, FeedState, VenueState
from tests.factories import make_instrument

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

    from market.models import Instrument
    from tests.running import Broker

    from .conftest import Work

SECOND = dt.timedelta(seconds=1)


def rows() -> list[tuple[str, dt.datetime, str, str]]:
    return list(Job.objects.order_by("id").values_list("stage", "slot_at", "queue", "state"))


def run_next() -> Job:
    job = Job.objects.filter(state=Job.State.QUEUED).earliest("id")
    pipeline.run(job_id=job.pk)
    job.refresh_from_db()
    return job


def test_every_stage_names_a_function() -> None:
    assert [stage.slug for stage in pipeline.STAGES] == ["ingest", "advance", "zones"]
    assert [errand.slug for errand in pipeline.ERRANDS] == [
        "settle",
        "control",
        "look",
        "stand",
        "learn",
        "chances",
        "score",
        "month",
    ]
    assert all(callable(import_string(one.work)) for one in (*pipeline.STAGES, *pipeline.ERRANDS))


def test_refresh_asks_once_per_live_instrument_and_minute(instrument: Instrument, now: dt.datetime, work: Work) -> None:
    make_instrument(symbol="ETHUSDT", is_live=True)
    make_instrument(symbol="OLDUSDT", is_live=False)
    counts = [pipeline.refresh(now=now + seconds * SECOND) for seconds in (0, 2, 59, 60, 61)]
    assert counts == [2, 0, 0, 2, 0]


def test_refresh_makes_pairs_and_asks_for_them_after_their_members(
    instrument: Instrument, now: dt.datetime, work: Work
) -> None:
    make_instrument(venue="bybit", is_live=True)
    counts = [pipeline.refresh(now=now + seconds * SECOND) for seconds in (0, 19, 20, 21, 60, 80)]
    assert counts == [2, 0, 1, 0, 2, 1]
    newest = Job.objects.order_by("-pk").values_list("instrument__venue", flat=True)
    assert newest[0] == "pair"


def test_refresh_leaves_a_resting_venue_alone(instrument: Instrument, now: dt.datetime, work: Work) -> None:
    other = make_instrument(venue="okx", is_live=True)
    VenueState.objects.create(venue=instrument.venue, failures=1, retry_at="2999-01-01T00:00Z")
    assert pipeline.refresh(now=now) == 1
    assert Job.objects.get().instrument == other
    VenueState.objects.update(retry_at="2020-01-01T00:00Z")
    assert pipeline.refresh(now=now) == 1


def test_refresh_waits_for_the_feed_a_little(instrument: Instrument, now: dt.datetime, work: Work) -> None:
    FeedState.objects.create(venue=instrument.venue, channel="1", connected_at=now)
    assert [pipeline.refresh(now=now + seconds * SECOND) for seconds in (0, 7, 8)] == [0, 0, 1]


def test_refresh_waits_for_no_feed_where_a_replayed_minute_is_shorter_than_a_tick(
    instrument: Instrument, now: dt.datetime, work: Work, settings: Settings
) -> None:
    FeedState.objects.create(venue=instrument.venue, channel="1", connected_at=now)
    settings.CLOCK_SPEED = 10
    assert [pipeline.refresh(now=now + seconds * SECOND) for seconds in (39, 40)] == [0, 1]
    settings.CLOCK_SPEED = 60
    assert pipeline.refresh(now=now + 60 * SECOND) == 1


def test_refresh_goes_on_as_soon_as_the_feed_has_brought_the_bar(
    instrument: Instrument, now: dt.datetime, work: Work
) -> None:
    FeedState.objects.create(venue=instrument.venue, channel="1", connected_at=now)
    Coverage.objects.create(instrument=instrument, series="bars", timeframe=60, start_at=now - 60 * SECOND, end_at=now)
    assert pipeline.refresh(now=now + SECOND) == 1


def test_refresh_does_not_wait_for_a_feed_that_is_away(instrument: Instrument, now: dt.datetime, work: Work) -> None:
    FeedState.objects.create(venue=instrument.venue, channel="1", connected_at=now, described_at="2020-01-01T00:00Z")
    assert pipeline.refresh(now=now) == 1


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_run_outlives_a_session_that_broke_before_the_unlock(
    error: type[Exception], instrument: Instrument, now: dt.datetime, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    def _break(**_: object) -> None:
        raise error("gone")

    pipeline.refresh(now=now)
    monkeypatch.setattr(jobs, "_unlock", _break)
    assert run_next().state == Job.State.DONE


def test_refresh_after_a_pause_asks_for_the_newest_minute_only(
    instrument: Instrument, now: dt.datetime, work: Work
) -> None:
    work.reached["ingest"] = now
    pipeline.refresh(now=now)
    pipeline.refresh(now=now + 3600 * SECOND)
    assert rows() == [
        ("ingest", now, "live", "skipped"),
        ("ingest", now + 3600 * SECOND, "live", "queued"),
    ]


@pytest.mark.parametrize(
    ("behind_s", "queue"), [(None, "backfill"), (21_601, "backfill"), (21_600, "live"), (60, "live")]
)
def test_refresh_sends_long_catch_ups_apart(
    instrument: Instrument, now: dt.datetime, work: Work, behind_s: int | None, queue: str
) -> None:
    work.reached["ingest"] = None if behind_s is None else now - behind_s * SECOND
    pipeline.refresh(now=now)
    assert rows() == [("ingest", now, queue, "queued")]


def test_refresh_keeps_a_failing_instrument_apart(instrument: Instrument, now: dt.datetime, work: Work) -> None:
    work.reached["ingest"] = now
    jobs.put(stage="ingest", instrument_id=instrument.pk, slot_at=now, queue="live")
    Job.objects.update(state=Job.State.DEAD, finished_at=now)
    pipeline.refresh(now=now + 60 * SECOND)
    assert rows()[1] == ("ingest", now + 60 * SECOND, "backfill", "queued")


def test_run_goes_through_all_stages(
    instrument: Instrument,
    now: dt.datetime,
    work: Work,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    pipeline.refresh(now=now)
    with django_capture_on_commit_callbacks(execute=True):
        for _ in pipeline.STAGES:
            run_next()
    assert work.done == [(slug, instrument.pk, now) for slug in ("ingest", "advance", "zones")]
    assert [(stage, state) for stage, _, _, state in rows()] == [
        ("ingest", "done"),
        ("advance", "done"),
        ("zones", "done"),
    ]
    assert work.published == [(instrument.key, slug) for slug in ("ingest", "advance", "zones")]


def test_errands_follow_the_last_stage_when_they_are_due(
    instrument: Instrument, now: dt.datetime, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    due = {"yes": True, "no": False}
    errands = [
        pipeline.Errand(
            slug, f"stand.in.{slug}", lambda slug=slug, *, instrument_ids, **_: set(instrument_ids if due[slug] else ())
        )
        for slug in due
    ]
    monkeypatch.setattr(pipeline, "ERRANDS", tuple(errands))
    pipeline.refresh(now=now)
    for _ in range(4):
        run_next()
    assert rows()[3:] == [("yes", now, "backfill", "done")]
    assert work.done[3:] == [("yes", instrument.pk, now)]


def test_stage_that_is_not_due_is_left_out_and_errands_follow(
    instrument: Instrument, now: dt.datetime, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    zones = replace(pipeline.STAGES[2], due=lambda *, instrument_ids: set(instrument_ids) - {instrument.pk})
    monkeypatch.setattr(pipeline, "STAGES", (*pipeline.STAGES[:2], zones))
    monkeypatch.setattr(
        pipeline,
        "ERRANDS",
        (pipeline.Errand("settle", "stand.in.settle", lambda *, instrument_ids, **_: set(instrument_ids)),),
    )
    pipeline.refresh(now=now)
    for _ in range(3):
        run_next()
    assert [stage for stage, *_ in rows()] == ["ingest", "advance", "settle"]


def test_run_delivered_five_times_works_once(instrument: Instrument, now: dt.datetime, work: Work) -> None:
    pipeline.refresh(now=now)
    job = Job.objects.get()
    for _ in range(5):
        pipeline.run(job_id=job.pk)
    assert work.done == [("ingest", instrument.pk, now)]
    assert Job.objects.filter(stage="advance").count() == 1


@pytest.mark.parametrize("slug", ["ingest", "advance"])
def test_run_that_fails_puts_no_next_stage(instrument: Instrument, now: dt.datetime, work: Work, slug: str) -> None:
    jobs.put(stage=slug, instrument_id=instrument.pk, slot_at=now, queue="live")
    work.errors[slug] = ValueError("no price")
    job = run_next()
    assert (job.state, job.attempt, job.error) == ("queued", 1, "ValueError: no price")
    assert Job.objects.count() == 1


class BusyError(Exception):
    def __init__(self, busy_s: float) -> None:
        super().__init__("the budget is spent")
        self.busy_s = busy_s


def test_run_that_would_wait_for_a_budget_gives_its_job_back_once(
    instrument: Instrument, now: dt.datetime, work: Work
) -> None:
    jobs.put(stage="ingest", instrument_id=instrument.pk, slot_at=now, queue="live")
    work.errors["ingest"] = BusyError(7.0)
    job = run_next()
    assert (job.state, job.attempt, job.error, job.sent_at) == ("queued", 0, jobs.WAITED, None)
    assert (job.due_at - timezone.now()).total_seconds() == pytest.approx(7, abs=2)
    pipeline.run(job_id=job.pk)  # a message that comes too early
    assert len(work.done) == 1
    Job.objects.update(due_at=timezone.now())
    job = run_next()
    assert (job.state, job.attempt, job.error) == ("done", 1, "")
    assert Job.objects.filter(stage="advance", state="queued").exists()


def test_run_goes_on_where_its_budget_is_spent_for_long(instrument: Instrument, now: dt.datetime, work: Work) -> None:
    jobs.put(stage="ingest", instrument_id=instrument.pk, slot_at=now, queue="live")
    work.errors["ingest"] = BusyError(pipeline.LONGEST_WAIT_S + 1)
    assert run_next().state == "done"


def test_run_that_can_never_succeed_is_dead(instrument: Instrument, now: dt.datetime, work: Work) -> None:
    class GoneError(Exception):
        permanent = True

    jobs.put(stage="ingest", instrument_id=instrument.pk, slot_at=now, queue="live")
    work.errors["ingest"] = GoneError("delisted")
    job = run_next()
    assert (job.state, job.attempt, job.error) == ("dead", 1, "GoneError: delisted")


def test_run_overtaken_leaves_no_trace(
    instrument: Instrument, now: dt.datetime, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    def _slow(*, instrument_id: int, now: dt.datetime) -> None:
        Job.objects.filter(stage="advance").update(error="the work's own row")
        raise jobs.LeaseLostError

    jobs.put(stage="advance", instrument_id=instrument.pk, slot_at=now, queue="live")
    monkeypatch.setattr(pipeline, "import_string", lambda _: _slow)
    job = run_next()
    assert (job.state, job.attempt, job.error) == ("running", 1, "")


def test_publish_without_redis_fails_nobody(
    now: dt.datetime, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EVENTS_URL = f"unix://{tmp_path}/none.sock"
    events._redis.cache_clear()
    events.publish(instrument="binance:BTCUSDT", stage="ingest", at=now)
    events._redis.cache_clear()
    assert "Redis is away" in caplog.text


def test_publish_speaks_as_agreed(now: dt.datetime, broker: Broker, settings: Settings) -> None:
    settings.EVENTS_URL = f"unix://{broker.socket}"
    events._redis.cache_clear()
    with broker.ear() as ear:
        events.publish(instrument="binance:BTCUSDT", stage="ingest", at=now)
        heard = ear.get_message(timeout=5)
    events._redis.cache_clear()
    assert heard is not None
    assert heard["data"] == b'{"instrument": "binance:BTCUSDT", "stage": "ingest", "v": 1768478400000}'


def test_limits_fit_twice_into_the_visibility_timeout() -> None:
    celery.check_limits(601)
    with pytest.raises(ImproperlyConfigured):
        celery.check_limits(600)
