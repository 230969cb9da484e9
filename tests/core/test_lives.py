from __future__ import annotations

import numpy as np
import pytest

from heatmaps.core.lives import LEAST, distance_class, measure


def test_without_censoring_it_is_the_median() -> None:
    found = measure(np.arange(1.0, 100.0), np.ones(99, np.bool_))
    assert (found.count, found.ended, found.hours) == (99, 99, 50.0)
    # The ranks of a binomial interval for the median of 99 are 40 and 60.
    assert [found.low, found.high] == pytest.approx([40.0, 60.0], abs=2.0)


def test_lives_that_were_not_seen_to_end_count_as_far_as_they_were_seen() -> None:
    """Freireich et al. (1963): remission of 21 leukaemia patients under 6-MP; the median is 23 weeks."""
    ends = [6, 6, 6, 7, 10, 13, 16, 22, 23]
    open_ = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    found = measure(np.array([*ends, *open_], np.float64), np.array([True] * 9 + [False] * 12))
    assert (found.count, found.ended, found.hours, found.low, found.high) == (21, 9, 23.0, 13.0, None)


def test_of_few_nothing_is_said() -> None:
    found = measure(np.arange(1.0, LEAST), np.ones(LEAST - 1, np.bool_))
    assert (found.count, found.is_enough, found.hours) == (LEAST - 1, False, None)


def test_where_most_live_on_there_is_no_median() -> None:
    found = measure(np.full(30, 5.0), np.array([True] * 5 + [False] * 25))
    assert (found.is_enough, found.hours, found.low) == (True, None, None)


def test_interval_holds_the_truth_as_often_as_it_says() -> None:
    draw, held = np.random.default_rng(8), 0
    for _ in range(400):
        lives, seen = draw.exponential(10.0, 80), draw.exponential(25.0, 80)
        found = measure(np.minimum(lives, seen), lives <= seen)
        held += (found.low or 0.0) <= 10.0 * np.log(2.0) <= (found.high or np.inf)
    assert 0.92 <= held / 400 <= 0.98


def test_distances_fall_into_three_classes() -> None:
    assert [distance_class(pct) for pct in (-0.3, 1.99, 2.0, -4.9, 5.0, 14.0)] == [0, 0, 1, 1, 2, 2]
