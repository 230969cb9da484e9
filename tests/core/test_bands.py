from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest

from heatmaps.core.bands import EDGES_PCT, Banded, Factors, buckets
from heatmaps.core.estimators import BUILT, load_estimator

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


def test_classes_go_by_half_the_width() -> None:
    low, high = np.full((2, COUNT), 0.6), np.full((2, COUNT), 1.5)
    high[0, :3] = 1.4, 2.3, 2.4
    assert Factors(low, high).classes()[0][:4] == ["narrow", "medium", "wide", "narrow"]


def test_class_at_a_distance_is_that_of_its_bucket() -> None:
    away = np.array([[0.4, 1.0, 4.0, 30.0], [0.4, 1.0, 4.0, 30.0]])
    names = [["narrow", "medium", "wide"][number] for number in FACTORS.class_at(away)[0].tolist()]
    assert names == [FACTORS.classes()[0][bucket] for bucket in (0, 1, 3, COUNT - 1)]


@pytest.mark.parametrize("slug", BUILT)
def test_the_wider_level_holds_the_narrower(slug: str) -> None:
    parameters = load_estimator(slug).parameters
    shown, wider = Factors.of(parameters), Factors.of(parameters, level=90)
    assert (wider.low <= shown.low).all()
    assert (wider.high >= shown.high).all()
    assert (shown.low <= 1.0).all()
    assert (shown.high >= 1.0).all()
