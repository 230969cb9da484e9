from __future__ import annotations

import pytest
from django.db import OperationalError, connection

from bhweb import jobs, pipeline
from bhweb.management.commands.beat import Beat

pytestmark = pytest.mark.django_db


class Duties:
    """Stand-ins that note what the beat does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[str] = []
        self.error: Exception | None = None
        monkeypatch.setattr(pipeline, "refresh", lambda *, now: self._do("refresh"))
        monkeypatch.setattr(jobs, "sweep", lambda: self._do("sweep"))
        monkeypatch.setattr(jobs, "prune", lambda: self._do("prune"))

    def _do(self, name: str) -> None:
        self.done.append(name)
        if name == "refresh" and self.error is not None:
            raise self.error


@pytest.fixture
def duties(monkeypatch: pytest.MonkeyPatch) -> Duties:
    return Duties(monkeypatch)


def test_tick_refreshes_and_sweeps_and_prunes_now_and_then(duties: Duties) -> None:
    beat = Beat()
    beat.tick()
    beat.tick()
    assert duties.done == ["refresh", "sweep", "prune", "refresh", "sweep"]


def test_tick_sweeps_though_the_refresh_failed(duties: Duties) -> None:
    duties.error = ValueError("a bad instrument")
    Beat().tick()
    assert duties.done == ["refresh", "sweep", "prune"]


def test_tick_gives_up_its_place_when_the_database_is_away(duties: Duties, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []
    monkeypatch.setattr(connection, "close", lambda: closed.append(True))
    duties.error = OperationalError("gone")
    beat = Beat()
    beat.tick()
    assert (duties.done, closed, beat._is_leader) == (["refresh"], [True], False)
