"""The bench of live instruments, run small so that it can not rot."""

from __future__ import annotations

import datetime as dt
import json
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from django.core.management import call_command

from bhweb.capacity import prepared, stage, storing
from bhweb.capacity.ingesting import Watch
from bhweb.capacity.ledgers import Stretch
from bhweb.progress import StartError

if TYPE_CHECKING:
    from collections.abc import Callable

BEGUN_AT = dt.datetime(2026, 3, 3, 12, 4, 40, tzinfo=dt.UTC)
START_AT = BEGUN_AT - dt.timedelta(minutes=90)


def at(text: str, seconds: float = 0) -> dt.datetime:
    return dt.datetime.fromisoformat(f"2026-03-03T{text}+00:00") + dt.timedelta(seconds=seconds)


def test_bench_ingest_drains_a_backlog_and_times_a_herd() -> None:
    out = StringIO()
    call_command("bench", "ingest", "--instruments", "20", "--minutes", "1", "--unmetered", "--json", stdout=out)
    figures = json.loads(out.getvalue())
    assert figures["instruments"] == 20
    assert figures["is_unmetered"] is True
    assert figures["herd_minutes"] == 1
    assert 0 < figures["herd_bars_worst_s"] < 20
    assert figures["drained_minutes_per_minute"] > 4


def test_watch_counts_a_mark_when_the_last_instrument_has_it() -> None:
    watch = Watch(count=2, begun_at=BEGUN_AT, start_at=START_AT)
    bars, samples = at("10:34"), at("10:30")
    one_is_behind = [
        Stretch("bars", bars, at("12:05"), 1),
        Stretch("bars", bars, at("12:04"), 1),
        Stretch("open_interest", samples, at("12:00"), 2),
    ]
    watch.note(one_is_behind, at("12:05", 1))
    watch.note([Stretch("bars", bars, at("12:05"), 2), *one_is_behind[2:]], at("12:05", 3))
    assert not watch.has_seen(1)
    watch.note([Stretch("bars", bars, at("12:06"), 2), *one_is_behind[2:]], at("12:06", 2))
    assert watch.has_seen(1)
    assert not watch.has_seen(2)
    assert watch.figures() == {
        "herd_minutes": 1,
        "herd_bars_median_s": 2.0,
        "herd_bars_worst_s": 2.0,
        "herd_open_interest_worst_s": None,
        "drain_s": 21.0,
        "drained_minutes_per_minute": 85.7,
        "live_lag_while_draining_worst_s": 3.0,
    }


def test_watch_waits_for_the_samples_of_a_five_minute_mark() -> None:
    watch = Watch(count=1, begun_at=BEGUN_AT, start_at=START_AT)
    behind = Stretch("open_interest", at("10:30"), at("12:00"), 1)
    watch.note([Stretch("bars", at("10:34"), at("12:04"), 1), behind], at("12:04", 50))
    watch.note([Stretch("bars", at("10:34"), at("12:05"), 1), behind], at("12:05", 1))
    assert not watch.has_seen(1)
    watch.note([Stretch("bars", at("10:34"), at("12:05"), 1), behind._replace(end_at=at("12:05"))], at("12:05", 9))
    assert watch.has_seen(1)
    assert watch.figures()["herd_open_interest_worst_s"] == 9.0


def test_watch_has_no_figure_for_what_did_not_come() -> None:
    watch = Watch(count=2, begun_at=BEGUN_AT, start_at=START_AT)
    watch.note([Stretch("bars", at("12:04"), at("12:05"), 2)], at("12:05", 9))
    figures = watch.figures()
    assert figures["live_lag_while_draining_worst_s"] == 9.0
    assert [figures[name] for name in ("drain_s", "drained_minutes_per_minute", "herd_bars_worst_s")] == [None] * 3


def test_bench_ingest_says_in_one_line_that_the_double_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    absent: Callable[[str], None] = lambda _name: None  # noqa: E731 typed
    monkeypatch.setattr(stage, "find_spec", absent)
    with pytest.raises(StartError, match="run it from a checkout of the repository"):
        call_command("bench", "ingest")


def test_bench_storage_weighs_each_series(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storing, "DAYS", 3)
    out = StringIO()
    call_command("bench", "storage", "--json", stdout=out)
    figures = json.loads(out.getvalue())
    sizes = {name: figure for name, figure in figures.items() if name.endswith("_bytes") and name != "total_bytes"}
    assert sorted(sizes) == sorted(f"{name}_bytes" for name in storing._KEPT)
    assert figures["total_bytes"] == sum(sizes.values())
    # A bar has at least its ten columns and its key twice; a column that is not reported takes no room.
    assert 100 * 1440 < sizes["mark_bars_bytes"] < sizes["bars_bytes"] < 300 * 1440


def test_bench_advance_takes_copied_instruments_through_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "MARKETS", 1)
    monkeypatch.setattr(prepared, "HOURS", 48 * 60)
    monkeypatch.setattr(prepared, "FIVES", 30 * 60)
    out = StringIO()
    call_command("bench", "advance", "--instruments", "3", "--json", stdout=out)
    figures = json.loads(out.getvalue())
    rounded = 0.1501  # three figures of one decimal, each half a step off at most
    assert figures["instruments"] == 3
    for wave in ("minute", "step", "hour"):
        assert figures[f"{wave}_maps_s"] + figures[f"{wave}_zones_s"] == pytest.approx(
            figures[f"{wave}_s"], abs=rounded
        )
    assert figures["hour_with_layers_s"] == pytest.approx(figures["hour_s"] + figures["layers_s"], abs=rounded)
