"""The layers that name a state: regime and crowding."""

from __future__ import annotations

import numpy as np
import pytest

from heatmaps.core.layers import Hours, Reading, load_layer, read
from heatmaps.core.layers.base import WINDOW
from heatmaps.core.layers.regime import drift_t

from .hours import make_hours

ONE_HOUR = make_hours(count=1)


def test_drift_is_the_mean_over_its_standard_error() -> None:
    steps = np.array([[1.0, 2.0, 3.0, 4.0], [1.0, 1.0, 1.0, 1.0]])
    expected = 2.5 / (np.std([1, 2, 3, 4], ddof=1) / 2)
    found = drift_t(steps)
    assert found[0] == pytest.approx(expected)
    assert np.isnan(found[1])


@pytest.mark.parametrize(
    ("rate", "level", "moved", "word"),
    [
        (1.0, 90.0, 50.0, "crowded and paying"),
        (-1.0, 90.0, 50.0, "crowded and paying"),
        (0.0, 90.0, 50.0, "crowded, neutral funding"),
        (1.0, 79.9, 50.0, "ordinary"),
        (0.0, 20.0, 20.0, "quiet and thin"),
        (0.0, 20.1, 20.0, "ordinary"),
        (0.0, 20.0, 20.1, "ordinary"),
    ],
)
def test_crowding_states_by_their_thresholds(rate: float, level: float, moved: float, word: str) -> None:
    layer = load_layer("crowding")
    one = np.array([1.0])
    paid = {1.0: 80.0, -1.0: 20.0, 0.0: 50.0}[rate]
    known = {
        "funding": reading(rate * one, paid * one),
        "open-interest": reading(one, one, level_percentile=level * one),
        "volatility": reading(one, moved * one),
    }
    found = layer.compute(ONE_HOUR, known)
    assert layer.states[int(found.values[-1])] == word
    assert found.numbers["open_interest_percentile"] == level


def reading(values: np.ndarray, percentiles: np.ndarray, **series: np.ndarray) -> Reading:
    return Reading(values, percentiles, np.ones(len(values), np.int64), series=series)


def test_low_funding_that_is_not_below_zero_pays_nobody() -> None:
    one = np.array([1.0])
    known = {
        "funding": reading(0.001 * one, 1.0 * one),
        "open-interest": reading(one, one, level_percentile=99 * one),
        "volatility": reading(one, 50 * one),
    }
    layer = load_layer("crowding")
    assert layer.states[int(layer.compute(ONE_HOUR, known).values[-1])] == "crowded, neutral funding"


def straight(count: int, step: float) -> Hours:
    """A price that goes one way, with some unrest in its steps."""
    draw = np.random.default_rng(1)
    close = 100.0 * np.exp(np.cumsum(step + draw.normal(0, 1e-3, count)))
    hours = make_hours(count=count)
    fields = {name: getattr(hours, name) for name in Hours.__slots__}
    return Hours(**fields | {"close": close, "high": close * 1.001, "low": close * 0.999})


def test_regime_of_a_price_that_goes_one_way_is_a_trend() -> None:
    found = read(straight(WINDOW, 2e-3), slugs=["regime"])["regime"]
    assert load_layer("regime").states[int(found.values[-1])] == "trend"
    assert found.numbers["efficiency"] > 0.9


def test_regime_of_a_price_that_calms_down_is_a_squeeze() -> None:
    draw = np.random.default_rng(2)
    steps = draw.normal(0, 5e-3, WINDOW)
    steps[-60:] = 4e-4 * (-1.0) ** np.arange(60)
    close = 100.0 * np.exp(np.cumsum(steps))
    hours = make_hours(count=WINDOW)
    fields = {name: getattr(hours, name) for name in Hours.__slots__}
    calm = Hours(**fields | {"close": close, "high": close * 1.0005, "low": close * 0.9995})
    found = read(calm, slugs=["regime"])["regime"]
    assert load_layer("regime").states[int(found.values[-1])] == "squeeze"
    assert found.numbers["band_width_percentile"] < 15


def test_regime_of_a_price_that_leaves_its_range_is_an_expansion() -> None:
    draw = np.random.default_rng(3)
    close = 100.0 * np.exp(np.cumsum(draw.normal(0, 3e-3, WINDOW)))
    wave = 3e-2 * np.sin(np.arange(120) * 2 * np.pi / 16)
    close[-121:-1] = close[-122] * np.exp(wave)
    close[-1] = close[-122] * 1.06
    high, low = close * 1.001, close * 0.999
    high[-1], low[-1] = close[-1] * 1.01, close[-2] * 0.99
    hours = make_hours(count=WINDOW)
    fields = {name: getattr(hours, name) for name in Hours.__slots__}
    found = read(Hours(**fields | {"close": close, "high": high, "low": low}), slugs=["regime"])["regime"]
    assert (found.numbers["range_broken"], found.numbers["pace_percentile"] > 85) == (1.0, True)
    assert load_layer("regime").states[int(found.values[-1])] == "expansion"
