from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest

from heatmaps.core.bands import EDGES_PCT, Banded, Factors, buckets

from .calibration import calibrate

COUNT = len(EDGES_PCT)
FACTORS = Factors(
    low=np.array([np.linspace(0.5, 0.6, COUNT), np.linspace(0.7, 0.8, COUNT)]),
    high=np.array([np.linspace(1.5, 1.6, COUNT), np.linspace(1.7, 1.8, COUNT)]),
)


def test_buckets_begin_at_their_edges() -> None:
    assert buckets(np.array([0.0, 0.99, 1.0, 4.9, 20.0, 500.0])).tolist() == [0, 0, 1, 3, 7, 7]


def test_band_multiplies_by_side_and_distance() -> None:
    assert FACTORS.band(100.0, 1, -0.5) == Banded(100.0, 50.0, 150.0)
    assert astuple(FACTORS.band(100.0, -1, 25.0)) == pytest.approx((100.0, 80.0, 180.0))


def test_band_of_a_sum_adds_the_ends() -> None:
    usd = np.array([100.0, 200.0])
    found = FACTORS.band_sum(usd, 1, np.array([-0.5, -25.0]))
    assert astuple(found) == pytest.approx((300.0, 50.0 + 120.0, 150.0 + 320.0))
    assert FACTORS.band_sum(np.zeros(0), -1, np.zeros(0)) == Banded(0.0, 0.0, 0.0)


def test_ends_are_those_of_each_bands() -> None:
    usd, is_long, away = np.array([100.0, 200.0, 50.0]), np.array([True, False, True]), np.array([-0.5, 25.0, -3.5])
    low, high = FACTORS.ends(usd, is_long, away)
    each = [FACTORS.band(*one) for one in zip(usd.tolist(), (1, -1, 1), away.tolist(), strict=True)]
    assert low.tolist() == [band.low for band in each]
    assert high.tolist() == [band.high for band in each]


def test_calibration_holds_eighty_percent() -> None:
    draw = np.random.default_rng(11)
    ratio = draw.lognormal(0.0, 0.4, 40_000)
    side, distance = draw.integers(0, 2, 40_000), draw.uniform(0.0, 30.0, 40_000)
    table = calibrate(ratio[:20_000], side[:20_000], distance[:20_000])
    low, high = (np.array(table[name])[side[20_000:], buckets(distance[20_000:])] for name in ("low", "high"))
    inside = ((ratio[20_000:] >= low) & (ratio[20_000:] <= high)).mean()
    assert inside == pytest.approx(0.8, abs=0.02)


def test_calibration_without_enough_pairs_takes_the_widest() -> None:
    ratio = np.concatenate([np.linspace(0.5, 2.0, 100), np.linspace(0.9, 1.1, 100)])
    distance = np.concatenate([np.full(100, 0.5), np.full(100, 1.5)])
    table = calibrate(np.tile(ratio, 2), np.repeat([0, 1], 200), np.tile(distance, 2))
    assert table["low"][0][7] == table["low"][0][0] == 0.65
    assert table["high"][1][7] == table["high"][1][0] == 1.85


def test_interval_always_holds_the_estimate() -> None:
    table = calibrate(np.full(400, 3.0), np.repeat([0, 1], 200), np.full(400, 0.5))
    assert table == {"low": [[1.0] * COUNT] * 2, "high": [[3.0] * COUNT] * 2}
