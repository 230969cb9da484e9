from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bhweb import celery, events, pipeline
from tests.running import Broker, Programs

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from market.models import Instrument


@pytest.fixture
def instrument(db: None) -> Instrument:
    """One live instrument."""
    from tests.factories import make_instrument  # noqa: PLC0415  # needs Django's apps

    return make_instrument(is_live=True)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str]]:
    """Every message (job id, queue) in place of the broker."""
    messages: list[tuple[int, str]] = []
    monkeypatch.setattr(celery, "send", lambda *, job_id, queue: messages.append((job_id, queue)))
    return messages


class Work:
    """Stand-ins for the three stages: they note what they were asked, or raise."""

    def __init__(self) -> None:
        self.done: list[tuple[str, int, dt.datetime]] = []
        self.published: list[tuple[str, str]] = []
        self.errors: dict[str, Exception] = {}
        # By instrument, of stages that take many at once.
        self.broken: dict[int, Exception] = {}
        self.reached: dict[str, dt.datetime | None] = {}

    def stage(self, slug: str, *, is_atomic: bool = True) -> pipeline.Stage:
        """Make a stage whose work is noted here."""
        return pipeline.Stage(
            slug, f"stand.in.{slug}", lambda pks: dict.fromkeys(pks, self.reached.get(slug)), is_atomic
        )

    def do(self, name: str, *, instrument_id: int, now: dt.datetime) -> None:
        """Take the place of a stage's work."""
        slug = name.rpartition(".")[2]
        self.done.append((slug, instrument_id, now))
        if slug in self.errors:
            raise self.errors[slug]

    def publish(self, *, instrument: str, stage: str, at: dt.datetime) -> None:
        """Take the place of Redis."""
        self.published.append((instrument, stage))


@pytest.fixture
def work(sent: list[tuple[int, str]], monkeypatch: pytest.MonkeyPatch) -> Work:
    """Replace the stages' work and everything that leaves the process."""
    noted = Work()
    monkeypatch.setattr(pipeline, "import_string", lambda name: partial(noted.do, name))
    monkeypatch.setattr(events, "publish", noted.publish)
    stages = (noted.stage("ingest", is_atomic=False), noted.stage("advance"), noted.stage("zones"))
    monkeypatch.setattr(pipeline, "STAGES", stages)
    monkeypatch.setattr(pipeline, "ERRANDS", ())
    return noted


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker]:
    """A Valkey of our own: these tests flush and kill it."""
    with tempfile.TemporaryDirectory(prefix="bh") as directory:
        server = Broker(Path(directory))
        server.start()
        yield server
        server.stop()


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    """Child processes that end with the test."""
    started = Programs(tmp_path)
    yield started
    started.end()
    print(started.logs())
