from __future__ import annotations

import numpy as np
import pytest

from heatmaps.core.bands import EDGES_PCT
from heatmaps.core.calibration import Pairs, calibrate, compare, is_inside, join
from heatmaps.core.views import REACH

COUNT = 2 * len(EDGES_PCT)


def _world(seed: int, middle: float, spread: float) -> Pairs:
    g = np.random.default_rng(seed)
    return Pairs(g.normal(middle, spread, 40_000), g.integers(0, COUNT, 40_000))


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
        calibrate([Pairs(world.log_ratio, world.bucket * 0)], 0.8)


def test_pairs_are_of_whole_percents_where_the_map_shows_something() -> None:
    shown, held = np.zeros((1, 2, REACH)), np.ones((1, 2, REACH))
    shown[0, 1, 20:40] = 0.5
    pairs = compare(shown, held)
    assert pairs.log_ratio == pytest.approx([np.log(2.0)])
    assert pairs.bucket.tolist() == [len(EDGES_PCT) + 1]
    assert len(join([pairs, pairs]).bucket) == 2
