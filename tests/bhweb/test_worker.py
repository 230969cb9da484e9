"""Real workers and beats on the real database, killed in the middle of their work."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from django.db import connection

from bhweb import celery
from bhweb.models import Job
from tests.factories import make_instrument
from tests.running import ROOT, children, database_url, is_alive, wait_for

if TYPE_CHECKING:
    import datetime as dt
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from market.models import Instrument
    from tests.running import Broker, Programs

pytestmark = pytest.mark.django_db(transaction=True)


class Place:
    """A worker's surroundings: its database, its broker and the gate that holds its work."""

    def __init__(self, programs: Programs, broker: Broker, gate: Path) -> None:
        self.programs, self.broker, self.gate = programs, broker, gate
        self.instrument = make_instrument()
        self._env = {
            "DATABASE_URL": database_url(connection.settings_dict),
            "REDIS_URL": broker.celery_url,
            "DJANGO_SETTINGS_MODULE": "bhweb.settings",
            "STANDIN_GATE": str(gate),
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        }

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a command with the stand-in stage."""
        return self.programs.start("tests/bhweb/standin.py", *command, env=self._env)

    def worker(self) -> subprocess.Popen[bytes]:
        """Start a worker and wait until it takes messages."""
        ready = self.programs.logs().count(" ready.")
        worker = self.start("worker", "--queue", "live")
        wait_for(lambda: self.programs.logs().count(" ready.") > ready, what="the worker")
        return worker

    def take_together(self, most: int) -> None:
        """Let the programs that are started from now on take so many instruments at once."""
        self._env["STANDIN_MOST"] = str(most)

    def put(self, slot_at: dt.datetime, instrument: Instrument | None = None) -> Job:
        """Store a job of which the broker knows nothing."""
        instrument = instrument or self.instrument
        return Job.objects.create(stage="note", instrument=instrument, slot_at=slot_at, queue="live")

    def send(self, job: Job) -> None:
        """Send a message for a job."""
        with celery.app.connection_for_write(self.broker.celery_url) as link:
            celery.run_job.apply_async((job.pk,), queue="live", connection=link)

    def hold(self) -> None:
        """Keep the next work from ending."""
        (self.gate / "hold").touch()

    def entered(self) -> int:
        """Wait until the work is under way; return the process that does it."""
        note = self.gate / "entered"
        wait_for(lambda: note.exists() and note.read_text(), what="the work to begin")
        pid = int(note.read_text())
        note.unlink()
        return pid

    def release(self) -> None:
        """Let the work end."""
        (self.gate / "hold").unlink()

    def effects(self) -> list[tuple[int, dt.datetime]]:
        """Return what the committed work has left."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM standin_effect ORDER BY slot_at")
            return list(cursor.fetchall())


@pytest.fixture
def place(transactional_db: None, programs: Programs, broker: Broker, tmp_path: Path) -> Iterator[Place]:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE standin_effect (instrument_id bigint, slot_at timestamptz)")
    broker.client().flushall()
    gate = tmp_path / "gate"
    gate.mkdir()
    yield Place(programs, broker, gate)
    programs.end()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE standin_effect")


def kill(worker: subprocess.Popen[bytes], child: int) -> None:
    """Kill a worker in its work, and see that its child goes with it."""
    worker.kill()
    worker.wait()
    wait_for(lambda: not is_alive(child), what="the pool's child to die with its parent", within=5)


def is_done(job: Job) -> bool:
    job.refresh_from_db()
    return job.state == Job.State.DONE


def test_worker_works_once_however_often_a_message_comes(place: Place, now: dt.datetime) -> None:
    place.worker()
    job = place.put(now)
    for _ in range(5):
        place.send(job)
    last = Job.objects.create(stage="note", instrument=make_instrument(symbol="ETHUSDT"), slot_at=now, queue="live")
    place.send(last)
    wait_for(lambda: is_done(last), what="the message after the five")
    assert place.effects() == [(place.instrument.pk, now), (last.instrument_id, now)]
    assert is_done(job)
    assert job.attempt == 1


def test_worker_killed_in_its_work_leaves_nothing_and_the_work_comes_back(place: Place, now: dt.datetime) -> None:
    worker = place.worker()
    place.hold()
    job = place.put(now)
    place.send(job)
    child = place.entered()
    assert children(worker.pid) == [child]
    kill(worker, child)
    assert place.effects() == []
    place.release()
    place.worker()
    place.start("beat")
    wait_for(lambda: is_done(job), what="the work to come back")
    assert (job.attempt, place.effects()) == (2, [(place.instrument.pk, now)])


def test_worker_killed_among_many_leaves_nothing_of_any_and_all_come_back(place: Place, now: dt.datetime) -> None:
    place.take_together(4)
    worker = place.worker()
    place.hold()
    others = [make_instrument(symbol=f"S{number}") for number in range(3)]
    jobs = [place.put(now, one) for one in (place.instrument, *others)]
    place.send(jobs[0])
    child = place.entered()
    assert set(Job.objects.values_list("state", "attempt")) == {(Job.State.RUNNING, 1)}
    kill(worker, child)
    assert place.effects() == []
    place.release()
    place.worker()
    place.start("beat")
    wait_for(lambda: all(is_done(job) for job in jobs), what="all the work to come back")
    assert sorted(place.effects()) == [(job.instrument_id, now) for job in jobs]
    assert {job.attempt for job in jobs} == {2}


def test_child_killed_in_its_work_is_replaced(place: Place, now: dt.datetime) -> None:
    place.worker()
    place.hold()
    job = place.put(now)
    place.send(job)
    child = place.entered()
    place.release()
    os.kill(child, signal.SIGKILL)
    wait_for(lambda: is_done(job), what="the work to come back")
    assert place.effects() == [(place.instrument.pk, now)]


def test_session_ended_in_its_work_is_survived(place: Place, now: dt.datetime) -> None:
    place.worker()
    place.start("beat")
    place.hold()
    job = place.put(now)
    place.entered()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s",
            [place.instrument.pk],
        )
    place.release()
    wait_for(lambda: is_done(job), what="the work to come back")
    assert place.effects() == [(place.instrument.pk, now)]


def test_broker_that_forgets_everything_loses_nothing(place: Place, now: dt.datetime) -> None:
    job = place.put(now)
    place.send(job)
    place.broker.client().flushall()
    place.worker()
    place.start("beat")
    wait_for(lambda: is_done(job), what="the work to be sent again")
    place.broker.client().flushall()
    later = place.put(now.replace(minute=1))
    wait_for(lambda: is_done(later), what="the work after the second flush")
    assert place.effects() == [(place.instrument.pk, now), (place.instrument.pk, now.replace(minute=1))]


def test_broker_restarted_goes_on(place: Place, now: dt.datetime) -> None:
    place.worker()
    place.start("beat")
    place.broker.stop()
    job = place.put(now)
    place.broker.start()
    wait_for(lambda: is_done(job), what="the work after the restart")
    assert place.effects() == [(place.instrument.pk, now)]


def leaders() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = hashtext('bhweb.beat')::oid
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
        )
        return [pid for (pid,) in cursor.fetchall()]


def test_second_beat_stands_by_and_takes_over(place: Place) -> None:
    make_instrument(symbol="ETHUSDT", is_live=True)
    first = place.start("beat")
    (leader,) = wait_for(leaders, what="a leader")
    place.start("beat")
    wait_for(lambda: Job.objects.filter(stage="note").exists(), what="the minute's job")
    assert leaders() == [leader]
    first.kill()
    wait_for(lambda: leaders() not in ([], [leader]), what="the second to take over")
    assert len(leaders()) == 1


def test_beat_takes_up_its_lock_again_after_the_database_dropped_it(place: Place) -> None:
    beat = place.start("beat")
    (leader,) = wait_for(leaders, what="a leader")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [leader])
    wait_for(lambda: leaders() not in ([], [leader]), what="the lock to be taken again")
    assert beat.poll() is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_beat_stops_when_told(place: Place, number: signal.Signals) -> None:
    beat = place.start("beat")
    wait_for(leaders, what="a leader")
    beat.send_signal(number)
    assert beat.wait(10) == 0


def test_worker_told_to_stop_does_not_wait_for_its_work(place: Place, now: dt.datetime) -> None:
    worker = place.worker()
    place.hold()
    place.send(place.put(now))
    child = place.entered()
    worker.terminate()
    worker.wait(10)
    wait_for(lambda: not is_alive(child), what="the child to end", within=5)
    assert place.effects() == []
