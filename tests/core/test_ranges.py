from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heatmaps.core.structure import (
    ATR_BARS,
    SPANS,
    average_true_range,
    efficiency,
    find_range,
    judge_ranges,
    swings,
    trailing,
)

from .hours import Path, path_of, walk

# --- swings -----------------------------------------------------------------------------------------------------------


def test_true_range_reaches_from_the_former_close() -> None:
    high, low, close = np.array([2.0, 9.0, 3.0]), np.array([1.0, 8.0, 2.5]), np.array([1.5, 8.5, 3.0])
    ranges = average_true_range(high, low, close, 1)
    np.testing.assert_array_equal(ranges, [np.nan, 7.5, 6.0])
    assert average_true_range(high, low, close, 2)[-1] == 6.75


def test_zigzag_of_a_triangle_wave_finds_its_corners() -> None:
    close = np.abs((np.arange(200) + 10) % 40 - 20) * 1e-2
    found = swings(*path_of(close))
    corners = [(one.bar, one.is_high) for one in found]
    assert corners == [(0, True), *((bar, bar % 40 == 30) for bar in range(10, 191, 20))]
    assert found[2].price == math.exp(close[30] + 1e-3)


def test_flat_price_and_short_price_have_no_swings() -> None:
    assert swings(*path_of(np.zeros(100), reach=0.0)) == []
    assert swings(*walk(ATR_BARS, 0)) == []
    assert swings(*walk(0, 0)) == []


def test_bar_that_sets_an_extreme_confirms_nothing() -> None:
    high, low, close = path_of(np.concatenate([np.arange(30) * 1e-2, [0.3]]))
    low[-1] = 0.0
    assert [one.is_high for one in swings(high, low, close)] == [False]


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000), count=st.integers(20, 300), holes=st.sampled_from([0.0, 0.02]))
def test_swings_alternate_and_are_the_extremes_of_their_legs(seed: int, count: int, holes: float) -> None:
    high, low, close = walk(count, seed, holes)
    found = swings(high, low, close)
    needed = 1.5 * average_true_range(high, low, close)
    for one, other in itertools.pairwise(found):
        assert one.is_high != other.is_high
        leg = slice(one.bar + 1, other.bar + 1)
        extreme = np.nanmax(high[leg]) if other.is_high else np.nanmin(low[leg])
        assert other.price == math.exp(extreme)
    for one in found:
        back = math.log(one.price) - low[one.confirmed] if one.is_high else high[one.confirmed] - math.log(one.price)
        assert one.bar < one.confirmed
        assert back >= needed[one.confirmed] - 1e-12


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000), stop=st.integers(20, 299))
def test_swings_of_a_prefix_are_those_confirmed_by_then(seed: int, stop: int) -> None:
    whole = walk(300, seed)
    prefix = swings(*(one[:stop] for one in whole))
    assert prefix == [one for one in swings(*whole) if one.confirmed < stop]


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), start=st.integers(1, 200))
def test_swings_forget_where_the_path_began(seed: int, start: int) -> None:
    whole = walk(600, seed)
    later = [(one.bar + start, one.price) for one in swings(*(one[start:] for one in whole))]
    # Once both have turned at the same bar, all that follows is equal.
    known = [(one.bar, one.price) for one in swings(*whole)]
    assert known[-20:] == later[-20:]


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_swings_of_the_mirrored_path_are_mirrored(seed: int) -> None:
    high, low, close = walk(300, seed)
    found = [(one.bar, one.is_high) for one in swings(high, low, close)]
    mirrored = [(one.bar, not one.is_high) for one in swings(-low, -high, -close)]
    # The first turns depend on which of two is looked at first.
    assert found[-20:] == mirrored[-20:]


# --- ranges -----------------------------------------------------------------------------------------------------------


def wave(count: int, period: int = 12, depth: float = 1e-2) -> np.ndarray:
    return depth * np.sin(np.arange(count) * 2 * np.pi / period)


def test_efficiency_of_a_straight_line_is_one_and_of_a_return_is_none() -> None:
    assert efficiency(np.arange(20.0), 10)[-1] == 1.0
    assert efficiency(np.array([0.0, 1.0, 0.0]), 2)[-1] == 0.0
    assert np.isnan(efficiency(np.zeros(20), 10)[-1])


def test_wave_is_a_range_with_clean_boundaries() -> None:
    found = find_range(*path_of(wave(400)))
    assert found is not None
    assert (found.bars, found.lower.is_clean, found.upper.is_clean) == (SPANS[0], True, True)
    assert found.upper.price == pytest.approx(math.exp(1e-2))
    # The first and the last wave are cut.
    assert found.upper.touches == SPANS[0] // 12 + 1
    assert found.width == pytest.approx(2e-2)


def test_straight_line_flat_line_and_short_path_are_no_range() -> None:
    for close in (np.arange(400) * 1e-3, np.zeros(400), wave(20), np.zeros(0)):
        assert find_range(*path_of(np.asarray(close, np.float64))) is None


def test_hole_in_the_span_leaves_a_shorter_range() -> None:
    high, low, close = path_of(wave(400))
    for one in (high, low, close):
        one[300] = np.nan
    found = find_range(high, low, close)
    assert found is not None
    assert found.bars == 96


def test_wick_beyond_a_boundary_makes_it_unclean() -> None:
    high, low, close = path_of(wave(400))
    high[350] += 1.5e-2
    found = find_range(high, low, close)
    assert found is not None
    assert (found.upper.is_clean, found.lower.is_clean) == (False, True)
    assert found.upper.overshoot > found.epsilon


def test_boundary_that_was_not_touched_of_late_is_unclean() -> None:
    close = wave(336)
    close[150:] = np.minimum(close[150:], 5e-3)
    found = judge_ranges(*path_of(close), bars=336 - 1, newest=1).at(-1)
    assert found is not None
    assert found.upper.since >= 336 / 2
    assert (found.upper.is_clean, found.lower.is_clean) == (False, True)


def plain_range(path: Path, bars: int) -> tuple[bool, list[int]]:
    """The last bars judged by loops."""
    high, low, close = (one.tolist() for one in path)
    window = close[-bars:]
    top, bottom = max(window), min(window)
    true = [max(high[i], close[i - 1]) - min(low[i], close[i - 1]) for i in range(len(close) - ATR_BARS, len(close))]
    epsilon = max(0.25 * sum(true) / ATR_BARS, 0.1 * (top - bottom))
    steps = [close[i] - close[i - 1] for i in range(len(close) - bars, len(close))]
    travelled = sum(abs(step) for step in steps)
    expected = 2 * math.sqrt(2 / math.pi) * math.sqrt(sum(step * step for step in steps))
    ends = ([one <= bottom + epsilon for one in low[-bars:]], [one >= top - epsilon for one in high[-bars:]])
    touches = [sum(one and not (i and inside[i - 1]) for i, one in enumerate(inside)) for inside in ends]
    is_still = travelled > 0 and abs(sum(steps)) / travelled <= 0.25
    return is_still and top - bottom <= 0.8 * expected and min(touches) >= 2, touches


@settings(max_examples=80)
@given(seed=st.integers(0, 10_000), bars=st.sampled_from([24, 48]))
def test_range_is_that_of_the_slow_twin(seed: int, bars: int) -> None:
    path = walk(bars + 20, seed)
    judged = judge_ranges(*path, bars=bars, newest=1)
    is_range, touches = plain_range(path, bars)
    assert judged.touches[:, -1].tolist() == touches
    assert bool(judged.is_range[-1]) == is_range


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), stop=st.integers(100, 199))
def test_ranges_look_at_nothing_after_their_place(seed: int, stop: int) -> None:
    path = walk(200, seed)
    whole = judge_ranges(*path, bars=48, newest=200)
    prefix = judge_ranges(*(one[:stop] for one in path), bars=48, newest=stop)
    assert whole.upper[:stop].tobytes() == prefix.upper.tobytes()
    assert whole.epsilon[:stop].tobytes() == prefix.epsilon.tobytes()
    assert whole.is_range[:stop].tobytes() == prefix.is_range.tobytes()


def test_close_beyond_the_range_before_it_breaks_it() -> None:
    close = np.concatenate([wave(100), [3e-2, 3e-2]])
    judged = judge_ranges(*path_of(close), bars=48, newest=102)
    assert np.flatnonzero(judged.is_broken(close)).tolist() == [100]


def test_trailing_rows_end_at_their_place() -> None:
    np.testing.assert_array_equal(trailing(np.array([1.0, 2.0]), 2), [[np.nan, 1.0], [1.0, 2.0]])
    assert trailing(np.empty(0), 3).shape == (0, 3)
