from __future__ import annotations

import numpy as np
import pytest

from heatmaps.core.bands import EDGES_PCT, Factors
from heatmaps.core.calibration import Pairs, calibrate, compare, held, is_inside, join
from heatmaps.core.views import REACH

COUNT = 2 * len(EDGES_PCT)


def _world(seed: int, middle: float, spread: float) -> Pairs:
    g = np.random.default_rng(seed)
    return Pairs(g.normal(middle, spread, 40_000), g.integers(0, COUNT, 40_000), np.arange(40_000) // 40)


def test_one_table_holds_its_level_in_worlds_that_differ() -> None:
    shapes = ((0.0, 0.3), (0.4, 0.3), (-0.2, 0.5))
    known = [_world(seed, *shape) for seed, shape in enumerate(shapes)]
    unseen = [_world(seed + 10, *shape) for seed, shape in enumerate(shapes)]
    for level in (0.8, 0.9):
        factors = calibrate(known, level)
        assert [is_inside(pairs, factors).mean() for pairs in unseen] == pytest.approx([level] * 3, abs=0.05)


def test_the_estimate_is_inside_its_interval() -> None:
    factors = calibrate([_world(1, 1.0, 0.1)], 0.8)
    assert (factors.low <= 1.0).all()
    assert (factors.high > 2.0).all()


def test_a_bucket_without_a_pair_is_refused() -> None:
    world = _world(1, 0.0, 0.3)
    with pytest.raises(ValueError, match="more days"):
        calibrate([Pairs(world.log_ratio, world.bucket * 0, world.place)], 0.8)


def test_pairs_are_of_whole_percents_where_the_map_shows_something() -> None:
    shown, held = np.zeros((1, 2, REACH)), np.ones((1, 2, REACH))
    shown[0, 1, 20:40] = 0.5
    pairs = compare(shown, held)
    assert pairs.log_ratio == pytest.approx([np.log(2.0)])
    assert pairs.bucket.tolist() == [len(EDGES_PCT) + 1]
    assert join([pairs, pairs]).place.tolist() == [0, 1]


def test_held_counts_by_day_and_bucket() -> None:
    ratio, bucket = np.log([1.0, 9.0, 1.0, 1.0]), np.array([0, 0, 9, 0])
    pairs = Pairs(ratio, bucket, np.array([0, 1, 1, 2]))
    factors = Factors(np.full((2, len(EDGES_PCT)), 0.5), np.full((2, len(EDGES_PCT)), 2.0))
    counts = held(pairs, factors, np.array([7, 7, 8]))
    assert counts.shape == (2, COUNT, 2)
    assert (counts[0, 0].tolist(), counts[0, 9].tolist(), counts[1, 0].tolist()) == ([1, 2], [1, 1], [1, 1])
    assert counts.sum() == 7
