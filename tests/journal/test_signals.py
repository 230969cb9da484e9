"""Signals of volume and of open interest, candle by candle, and rules as they are kept."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from journal.verdict.confirming import Confirmation, Rule, from_data, to_data
from journal.verdict.signals import USUAL, interest_signals, volume_signals

HOUR = 3_600_000
CANDLE = np.dtype([("open_time", np.int64), ("volume", np.float64)])
SAMPLE = np.dtype([("time", np.int64), ("open_interest", np.float64)])


def candles(*newest: float, usual: float = 2.0) -> np.ndarray:
    volumes = [usual] * USUAL + list(newest)
    return np.array([(place * HOUR, volume) for place, volume in enumerate(volumes)], CANDLE)


@pytest.mark.parametrize(("newest", "expected"), [(6.0, [21 * HOUR]), (5.99, []), (7.0, [21 * HOUR])])
def test_a_candle_of_so_many_times_the_usual_volume(newest: float, expected: list[int]) -> None:
    assert volume_signals(candles(newest), candle_ms=HOUR, times=3.0) == expected


def test_each_candle_is_held_against_the_twenty_before_it() -> None:
    assert volume_signals(candles(6.0, 6.5), candle_ms=HOUR, times=3.0) == [21 * HOUR]
    assert volume_signals(candles(6.0, 6.7), candle_ms=HOUR, times=3.0) == [21 * HOUR, 22 * HOUR]


def test_what_is_not_there_tells_nothing() -> None:
    assert volume_signals(candles(), candle_ms=HOUR, times=3.0) == []
    assert volume_signals(candles()[:USUAL], candle_ms=HOUR, times=3.0) == []
    assert volume_signals(candles(1.0, usual=0.0), candle_ms=HOUR, times=3.0) == []
    assert volume_signals(candles(1.5, usual=0.5), candle_ms=HOUR, times=3.0) == [21 * HOUR]  # below one coin as well
    holed = candles(6.0)
    holed["open_time"][USUAL:] += HOUR
    assert volume_signals(holed, candle_ms=HOUR, times=3.0) == []


def samples(*rows: tuple[int, float]) -> np.ndarray:
    return np.array(list(rows), SAMPLE)


def changes(percent: float, *rows: tuple[int, float], since: int = HOUR, until: int = 3 * HOUR) -> list[int]:
    return interest_signals(samples(*rows), candle_ms=HOUR, percent=percent, since_ms=since, until_ms=until)


def test_open_interest_changes_with_its_sign() -> None:
    rows = ((HOUR, 100.0), (2 * HOUR, 200.0), (3 * HOUR, 100.0))
    assert changes(100.0, *rows) == [2 * HOUR]
    assert changes(100.1, *rows) == []
    assert changes(-50.0, *rows) == [3 * HOUR]
    assert changes(-50.1, *rows) == []


def test_the_last_value_in_a_candle_is_its_own() -> None:
    rows = ((HOUR // 2, 50.0), (HOUR, 100.0), (2 * HOUR - 1, 110.0), (2 * HOUR + 1, 200.0))
    assert changes(10.0, *rows) == [2 * HOUR, 3 * HOUR]
    assert changes(10.0, *rows, until=3 * HOUR - 1) == [2 * HOUR]
    assert changes(10.0, *rows, since=2 * HOUR + 1) == [3 * HOUR]


def test_a_candle_without_a_value_tells_nothing() -> None:
    assert changes(1.0) == []
    assert changes(1.0, (HOUR, 100.0), since=2, until=1) == []
    assert changes(1.0, (HOUR, 100.0), (3 * HOUR, 200.0)) == []
    # A value at the very beginning belongs to the candle before.
    assert changes(1.0, (0, 100.0), (HOUR, 200.0), since=HOUR, until=HOUR) == [HOUR]
    assert changes(1.0, (-HOUR, 100.0), (HOUR, 200.0), since=HOUR, until=HOUR) == []


@pytest.mark.parametrize(
    "rule",
    [
        None,
        Confirmation(Rule.MANUAL),
        Confirmation(Rule.RECLAIM, HOUR, Decimal("61250.5")),
        Confirmation(Rule.OPEN_INTEREST, 4 * HOUR, None, Decimal("-2.5")),
    ],
)
def test_a_rule_is_read_as_it_was_kept(rule: Confirmation | None) -> None:
    assert from_data(to_data(rule)) == rule


@pytest.mark.parametrize("rule", [Rule.CLOSE_BEYOND, Rule.RECLAIM, Rule.SWEEP_RECLAIM, Rule.VOLUME, Rule.OPEN_INTEREST])
def test_a_rule_without_what_it_is_about_is_refused(rule: Rule) -> None:
    with pytest.raises(ValueError, match="that the rule is about"):
        Confirmation(rule)
