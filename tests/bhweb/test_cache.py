"""Redis away: pages and the API still answer, and limits still hold."""

from __future__ import annotations

import datetime as dt
import signal
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django.core.cache import caches
from django.db import connection
from django.utils import timezone

from bhweb import cache
from bhweb.cache import HintCache
from bhweb.management.commands.beat import Beat

if TYPE_CHECKING:
    from pathlib import Path

    from tests.running import Broker


@pytest.fixture
def absent(tmp_path: Path) -> HintCache:
    return HintCache(f"unix://{tmp_path}/none.sock?db=1", {})


def test_absent_cache_is_a_miss(absent: HintCache) -> None:
    absent.set("key", "value", 60)
    assert absent.get("key", "made anew") == "made anew"


def test_hung_cache_is_asked_once_and_again_later(
    broker: Broker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    options = {"OPTIONS": settings.CACHES["default"]["OPTIONS"]}
    ours, of_another_thread = (HintCache(f"unix://{broker.socket}?db=1", options) for _ in range(2))
    broker.signal(signal.SIGSTOP)
    try:
        answers = [one.get("key", "made anew") for one in (ours, of_another_thread, ours)]
    finally:
        broker.signal(signal.SIGCONT)
    ours.set("key", "value", 60)
    assert answers == ["made anew"] * 3
    assert len(caplog.records) == 1
    later = time.monotonic() + cache.PAUSE_S
    monkeypatch.setattr(cache, "time", SimpleNamespace(monotonic=lambda: later))
    assert ours.get("key", "made anew") == "made anew"
    ours.set("key", "value", 60)
    assert of_another_thread.get("key") == "value"


@pytest.mark.django_db
def test_limits_are_counted_in_the_database() -> None:
    caches["limits"].set("key", [1.0, 2.0], 60)
    assert caches["limits"].get("key") == [1.0, 2.0]
    assert type(caches["limits"]).__name__ == "DatabaseCache"


@pytest.mark.django_db
def test_no_count_is_lost_to_many_others_and_old_ones_are_pruned() -> None:
    limits = caches["limits"]
    limits.clear()
    past, future = (timezone.now() + dt.timedelta(hours=hours) for hours in (-1, 1))
    with connection.cursor() as cursor:
        for prefix, expires in (("a", past), ("b", future)):
            cursor.execute(
                "INSERT INTO bhweb_limits SELECT %s || number, '', %s FROM generate_series(1, 1000) AS number",
                (prefix, expires),
            )
        limits.set("key", [1.0], 60)
        cursor.execute("SELECT count(*) FROM bhweb_limits")
        assert cursor.fetchone() == (2001,)
        Beat()._prune()
        cursor.execute("SELECT count(*), count(*) FILTER (WHERE cache_key LIKE 'a%%') FROM bhweb_limits")
        assert cursor.fetchone() == (1001, 0)
