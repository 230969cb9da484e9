"""Redis away: pages and the API still answer, and limits still hold."""

from __future__ import annotations

import signal
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from django.conf import settings

from bhweb import cache
from bhweb.cache import HintCache

if TYPE_CHECKING:
    from pathlib import Path

    from tests.running import Broker


@pytest.fixture
def absent(tmp_path: Path) -> HintCache:
    return HintCache(f"unix://{tmp_path}/none.sock?db=1", {})


def test_absent_cache_is_a_miss(absent: HintCache) -> None:
    absent.set("key", "value", 60)
    assert absent.get("key", "made anew") == "made anew"
    # As in an empty one that keeps nothing.
    assert [absent.add("key", "value", 60) for _ in range(2)] == [True, True]
    assert absent.delete("key") is False
    assert absent.get_or_set("key", "made anew", 60) == "made anew"


def test_each_act_alone_finds_it_absent(tmp_path: Path) -> None:
    acts = {"add": ("key", "value"), "delete": ("key",), "get": ("key",), "set": ("key", "value")}
    answers = {
        name: getattr(HintCache(f"unix://{tmp_path}/{name}.sock", {}), name)(*told) for name, told in acts.items()
    }
    assert answers == {"add": True, "delete": False, "get": None, "set": None}


def test_present_cache_keeps_what_came_first(broker: Broker) -> None:
    ours = HintCache(f"unix://{broker.socket}?db=1", {})
    ours.clear()
    assert [ours.add("key", value, 60) for value in ("first", "second")] == [True, False]
    assert ours.get("key") == "first"
    assert [ours.delete("key") for _ in range(2)] == [True, False]


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
