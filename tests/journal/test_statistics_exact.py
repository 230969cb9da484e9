"""Figures of the journal's statistics where they are known exactly, and where each begins to be given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from journal import statistics as own
from journal.statistics import intervals, shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Figure = Callable[[Sequence[float]], object]

SKEWED = np.random.default_rng(4).exponential(1, 40).round(3).tolist()


@pytest.mark.parametrize(("freedom", "off"), [(3, 4e-3), (5, 3e-4), (9, 1.5e-5), (19, 4e-7), (29, 4e-8)])
@pytest.mark.parametrize("share", [0.9, 0.975])
def test_students_expansion_is_off_by_its_next_term_only(freedom: int, off: float, share: float) -> None:
    assert intervals.student(share, freedom) == pytest.approx(stats.t.ppf(share, freedom), abs=off)


@pytest.mark.parametrize("count", [10, 20, 100])
def test_quantiles_are_expanded_as_hesterberg_says(count: int) -> None:
    reach = np.sqrt(count / (count - 1)) * stats.t.ppf(0.975, count - 1)
    assert intervals.expanded(count) == pytest.approx((stats.norm.cdf(-reach), stats.norm.cdf(reach)), abs=1e-5)


def test_a_skewed_mean_is_scipys() -> None:
    low, high = intervals.expanded(len(SKEWED))
    oracle = stats.bootstrap(
        (SKEWED,), np.mean, method="BCa", confidence_level=high - low, n_resamples=50_000, rng=np.random.default_rng(5)
    ).confidence_interval
    found = own.mean_interval(SKEWED)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((oracle.low, oracle.high), abs=0.025)
    # With numpy's generator of seed 1, so that a slip in the acceleration shows.
    assert (found.value, found.low, found.high) == pytest.approx((1.33355, 0.957547454, 1.914742017), abs=1e-8)


@pytest.mark.parametrize(
    ("figure", "least"),
    [
        (own.mean_interval, 10),
        (own.zero_chance, 10),
        (own.streaks, 10),
        (own.fan, 30),
        (lambda row: own.resampled(row, shapes.medians), 10),
        (lambda row: own.difference_interval(row, [0.0, 1.0] * 50), 10),
        (lambda row: own.difference_interval([0.0, 1.0] * 50, row), 10),
        (lambda row: own.judge_belief([0.5] * len(row), [True] * len(row)), 10),
        (lambda row: own.control(row, [(0.0, 1.0)] * len(row)), 10),
        (lambda row: own.quantile_interval(row, 0.5), 10),
    ],
)
def test_a_figure_is_given_from_so_many_results_on(figure: Figure, least: int) -> None:
    row = [2.0, -1.0, 0.5] * 10
    assert figure(row[: least - 1]) is None
    assert figure(row[:least]) is not None


def test_of_two_rows_the_shorter_one_counts() -> None:
    found = own.difference_interval([1.0, 2.0] * 5, [0.0, 1.0] * 100)
    assert found is not None
    assert (found.value, found.count) == (1.0, 10)


def test_losses_alone_have_one_course() -> None:
    assert own.streaks([-1.0] * 10) == own.Streaks(10, 10, 10, 1.0)
    found = own.fan([-1.0] * 30, horizon=4)
    assert found is not None
    assert found.lines == ((0.0, -1.0, -2.0, -3.0, -4.0),) * 5
    assert (found.falls, found.below) == ((4.0,) * 3, 1.0)
    assert found.streaks == ((3, 1.0), (5, 0.0), (8, 0.0), (12, 0.0))
    assert (found.horizon, found.count, found.draws, found.seed) == (4, 30, 10_000, 1)


@pytest.mark.parametrize("result", [0.0, 0.5])
def test_nothing_and_a_small_gain_are_no_losses(result: float) -> None:
    assert own.streaks([result] * 10) == own.Streaks(0, 0, 0, 1.0)
    found = own.fan([result] * 30, horizon=4)
    assert found is not None
    assert (found.below, found.streaks[0]) == (0.0, (3, 0.0))
    shaped = own.shape([result, 0.5, -2.0])
    assert shaped is not None
    assert (shaped.factor, shaped.payoff, shaped.losing_streak) == ((result + 0.5) / 2, 0.25, 1)


def test_orders_are_counted_as_they_are() -> None:
    # One loss among ten: its longest row is one in every order. Two: side by side in 9 of 45 orders.
    assert own.streaks([-1.0] + [1.0] * 9) == own.Streaks(1, 1, 1, 1.0)
    found = own.streaks([-1.0, -1.0] + [1.0] * 8)
    assert found is not None
    assert (found.longest, found.low, found.high) == (2, 1, 2)
    assert found.chance == pytest.approx(9 / 45, abs=0.012)  # three standard errors of 10,000 draws


def test_a_mean_of_nothing_is_never_far() -> None:
    assert own.zero_chance([1.0, -1.0] * 5) == 1.0


def test_groups_are_pulled_as_worked_by_hand() -> None:
    # 42 results with mean 2/21: within 21/20, scatter 160/21 over 80/21, so between 2759/1600.
    found = own.shrink([[1.0, 3.0], [-1.0, 1.0] * 20])
    between, within, common = 2759 / 1600, 21 / 20, 2 / 21
    expected = [common + between / (within / n + between) * (mean - common) for n, mean in ((2, 2.0), (40, 0.0))]
    assert found == pytest.approx(expected, abs=1e-12)
    # One degree of freedom is enough: within 2, between 3 around a mean of 2.
    assert own.shrink([[0.0, 2.0], [4.0]]) == pytest.approx([1.25, 3.2])
    assert own.shrink([[1.0, 1.0], [3.0]]) == pytest.approx([1.0, 3.0])
    # Groups nearer to each other than their noise would have them share one mean.
    assert own.shrink([[0.0, 0.2], [0.1, 0.3]]) == pytest.approx([0.15, 0.15])


def test_replays_as_high_as_the_own_mean() -> None:
    found = own.control([1.0] * 10, [(0.0, 1.0)] * 10)
    assert found is not None
    assert (found.own, found.drawn, found.gain.value) == (1.0, 0.0, 1.0)
    assert found.as_high == pytest.approx(stats.norm.sf(np.sqrt(10)), abs=1e-12)


def test_small_bins_are_counted() -> None:
    found = own.judge_belief([0.1] + [0.5] * 19, [True] * 20)
    assert found is not None
    assert (len(found.bins), found.bins_too_small) == (1, 1)


MIXED = [1.0, -1.0, 2.0, -0.5, 0.3, -1.0, 1.5, -0.2, 0.7, -0.9]


def test_draws_are_those_of_their_seed() -> None:
    """With numpy's generator of seed 1: a slip in what is drawn, or in which quantile is taken, shows."""
    found = own.resampled(MIXED, shapes.medians)
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((0.05, -0.5, 0.7))
    assert own.zero_chance(MIXED) == pytest.approx(0.5865413458654135)
    assert own.streaks(MIXED) == own.Streaks(1, 2, 4, 1.0)


def test_a_quantile_lies_between_its_ranks() -> None:
    # Of 30 values 9 or fewer lie below the median with a chance of 0.021, 21 or more as often.
    row = [float(number) for number in range(1, 31)]
    middle, upper = own.quantile_interval(row, 0.5), own.quantile_interval(row, 0.9)
    assert middle is not None
    assert upper is not None
    assert (middle.low, middle.high, upper.low, upper.high) == (10.0, 21.0, 23.0, np.inf)


@pytest.mark.parametrize(("count", "parts"), [(10, 3), (15, 3), (16, 4), (21, 5), (50, 10)])
def test_blocks_are_the_parts_that_a_resampled_figure_is_widened_for(count: int, parts: int) -> None:
    """A figure that numbers its draws tells which of them are the bounds; fewer than three blocks count as three."""
    found = own.resampled([1.0] * count, lambda rows: np.arange(float(len(rows))))
    low, high = intervals.expanded(parts)
    assert found is not None
    assert (found.low, found.high) == (np.ceil(low * intervals.DRAWS) - 1, np.ceil(high * intervals.DRAWS) - 1)


def test_a_result_of_nothing_is_neither_won_nor_lost() -> None:
    found = own.shape([2.0, -1.0, 0.0, -0.5, -0.5, 0.0, 1.0])
    assert found is not None
    assert (found.factor, found.payoff, found.losing_streak) == (1.5, 1.5 / (2 / 3), 2)
    assert own.shape([1.0, 0.0]) == own.Shape(2, 1.0, 0.5, 1.0, 0.0, None, None, 0.0, 0)
