from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heatmaps.core.score.resampling import correlations, gain, rank_draws, ranks


@settings(max_examples=50)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=12))
def test_equal_values_share_their_mean_rank(values: list[int]) -> None:
    found = ranks(np.array([values, values], dtype=float))
    slow = [sum(other < one for other in values) + (values.count(one) - 1) / 2 for one in values]
    assert found.tolist() == [slow, slow]


def test_rank_correlation_knows_order_alone() -> None:
    x = np.arange(10.0)
    found = correlations(np.array([x, -np.exp(x), np.zeros(10)]), x**3)
    np.testing.assert_allclose(found[:2], [1.0, -1.0])
    assert np.isnan(found[2])


def test_gain_of_nothing_is_nothing_and_one_day_is_one_block() -> None:
    days = np.repeat(np.arange(5), 24)
    assert gain(np.zeros(120), 2.0, days).value == 0.0
    same = gain(np.ones(120), 240.0, days)
    assert (same.value, same.low, same.high) == (0.5, 0.5, 0.5)
    lone = np.where(days == 3, 1.0, 0.0)
    found = gain(lone, 24.0, days)
    assert found.value == 1.0
    assert (found.low, found.high) == (0.0, 3.0)


def test_rank_draws_are_repeated_by_their_seed() -> None:
    draw = np.random.default_rng(5)
    x, y, days = draw.normal(size=(3, 96)), draw.normal(size=96), np.repeat(np.arange(4), 24)
    one, two = rank_draws(x, y, days, draws=20), rank_draws(x, y, days, draws=20)
    np.testing.assert_array_equal(one[1], two[1])
    assert one[1].shape == (20, 3)
    assert one[0] == pytest.approx(correlations(x, y))
