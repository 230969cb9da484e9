from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from heatmaps.core.entries import bar_masses, step_masses


def masses_of(low: float, high: float, mean: float) -> tuple[int, list[float]]:
    with np.errstate(all="raise", under="ignore"):
        first, _, masses = bar_masses(np.array([low]), np.array([high]), np.array([mean]))
    return int(first[0]), masses.tolist()


def test_symmetric_triangle_has_known_masses() -> None:
    assert masses_of(0.0, 2.0, 1.0) == (0, [0.5, 0.5, 0.0])
    first, masses = masses_of(-1.5, 2.5, 0.5)
    # On [-1.5, 2.5] with its mode in the middle: CDF (x + 1.5)^2 / 8 up to 0.5.
    assert first == -2
    np.testing.assert_allclose(masses, [0.03125, 0.25, 0.4375, 0.25, 0.03125], atol=1e-12)


def test_flat_bar_is_one_point() -> None:
    assert masses_of(7.25, 7.25, 7.25) == (7, [1.0])


def test_mean_at_the_edge_makes_a_one_sided_triangle() -> None:
    first, masses = masses_of(0.0, 3.0, 0.0)
    # Density falls from the low: CDF 1 - (3 - x)^2 / 9.
    assert first == 0
    np.testing.assert_allclose(masses, [5 / 9, 3 / 9, 1 / 9, 0.0], atol=1e-12)


@given(
    low=hnp.arrays(np.float64, 20, elements=st.floats(-3e4, 3e4)),
    width=hnp.arrays(np.float64, 20, elements=st.one_of(st.just(0.0), st.floats(0.0, 1e-9), st.floats(0.0, 300.0))),
    place=hnp.arrays(np.float64, 20, elements=st.floats(0.0, 1.0)),
)
def test_masses_sum_to_one_and_none_is_negative(low: np.ndarray, width: np.ndarray, place: np.ndarray) -> None:
    high = low + width
    mean = np.clip(low + place * width, low, high)
    with np.errstate(all="raise", under="ignore"):
        first, count, masses = bar_masses(low, high, mean)
    sums = np.add.reduceat(masses, np.cumsum(count) - count)
    np.testing.assert_allclose(sums, 1.0, atol=1e-12)
    assert masses.min() >= -1e-12
    np.testing.assert_array_equal(first, np.floor(low).astype(int))


@given(low=st.floats(0.0, 1.0), width=st.floats(5.0, 200.0), place=st.floats(0.34, 0.66))
def test_mean_of_the_masses_is_the_mean_price(low: float, width: float, place: float) -> None:
    mean = low + place * width
    first, masses = masses_of(low, low + width, mean)
    centre = first + np.arange(len(masses)) + 0.5
    assert abs(float(centre @ np.array(masses)) - mean) <= 0.5


def test_step_joins_bars_by_volume() -> None:
    first, count, masses = bar_masses(np.array([0.0, 2.0]), np.array([0.0, 2.0]), np.array([0.0, 2.0]))
    low, size, joined = step_masses(first, count, masses, np.array([1.0, 3.0]), np.array([0, 0]))
    assert (low.tolist(), size.tolist(), joined.tolist()) == ([0], [3], [0.25, 0.0, 0.75])


def test_step_without_volume_weighs_bars_equally() -> None:
    first, count, masses = bar_masses(np.array([0.0, 2.0]), np.array([0.0, 2.0]), np.array([0.0, 2.0]))
    _, _, joined = step_masses(first, count, masses, np.zeros(2), np.array([0, 0]))
    assert joined.tolist() == [0.5, 0.0, 0.5]


def test_steps_are_kept_apart() -> None:
    first, count, masses = bar_masses(np.array([0.0, 9.0, 9.5]), np.array([0.0, 9.0, 9.5]), np.array([0.0, 9.0, 9.5]))
    low, size, joined = step_masses(first, count, masses, np.ones(3), np.array([0, 1, 1]))
    assert (low.tolist(), size.tolist(), joined.tolist()) == ([0, 9], [1, 1], [1.0, 1.0])
