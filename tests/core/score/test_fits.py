from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heatmaps.core.score.fits import deviance, folds, linear, mixture, poisson

DAYS = np.repeat(np.arange(35), 24)


def test_each_week_is_predicted_once_by_what_did_not_see_it() -> None:
    for kind, weeks in (("weeks", 5), ("past", 3)):
        parts = folds(DAYS, kind)
        assert len(parts) == weeks
        for train, test in parts:
            assert not (train & test).any()
            assert len(set((DAYS[test] // 7).tolist())) == 1
            if kind == "past":
                assert DAYS[train].max() < DAYS[test].min()


def test_least_squares_finds_a_line_and_leaves_out_what_no_fold_predicts() -> None:
    x = np.random.default_rng(1).normal(size=len(DAYS))
    predicted = linear(x[:, None], 3.0 + 2.0 * x, folds(DAYS, "past"))
    assert np.isnan(predicted[DAYS < 14]).all()
    np.testing.assert_allclose(predicted[DAYS >= 14], (3.0 + 2.0 * x)[DAYS >= 14])


def test_week_is_not_in_its_own_prediction() -> None:
    x = np.random.default_rng(2).normal(size=len(DAYS))
    y = 2.0 * x
    one = linear(x[:, None], y, folds(DAYS, "weeks"))
    y[DAYS < 7] += 1000.0
    two = linear(x[:, None], y, folds(DAYS, "weeks"))
    np.testing.assert_array_equal(one[DAYS < 7], two[DAYS < 7])


def test_poisson_finds_a_rate_that_is_log_linear() -> None:
    draw = np.random.default_rng(3)
    x = draw.uniform(-2.0, 2.0, len(DAYS))
    mean = np.exp(1.0 + 0.7 * x)
    stated = poisson(lambda _: x[:, None], draw.poisson(mean * 50).astype(float) / 50, folds(DAYS, "weeks"))
    assert np.abs(np.log(stated / mean)).max() < 0.1


def test_mixture_finds_the_weights_of_parts() -> None:
    masses = np.random.default_rng(4).lognormal(size=(len(DAYS), 3))
    target = masses @ np.array([0.0, 5.0, 1.0])
    log = mixture(masses, target, np.full(3, 1 / 3), np.ones(len(DAYS), np.bool_))
    np.testing.assert_allclose(np.exp(log), target, rtol=0.05)


@settings(max_examples=20)
@given(st.lists(st.floats(0.0, 1e9), min_size=2, max_size=20).filter(lambda values: max(values) > 1.0))
def test_deviance_is_least_at_the_value_itself(values: list[float]) -> None:
    target = np.array(values)
    own = deviance(target, target)
    assert (deviance(target, target * 1.5 + 1.0) >= own - 1e-6).all()
    assert own.sum() == pytest.approx(0.0, abs=1e-2 * target.sum())
