"""Factors for the intervals of the next version of an estimator, from worlds whose positions are known."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, Any

from heatmaps.core.bands import LEVELS
from heatmaps.core.calibration import calibrate, is_inside, join
from heatmaps.core.estimators import BUILT
from heatmaps.core.trial import LEAST_DAYS, calibration_pairs
from heatmaps.core.worlds.world import WORLDS

from .spans import ScoreError

if TYPE_CHECKING:
    from collections.abc import Sequence


def calibrate_intervals(*, seeds: Sequence[int], days: int, jobs: int) -> dict[str, Any]:
    """Return the factors by estimator and level, and the share of pairs that they hold in each world.

    They are printed, not used: a version's factors are frozen in ``heatmaps.core.bands``. Raises ScoreError.
    """
    if days < LEAST_DAYS or not seeds or jobs < 1:
        raise ScoreError(f"Calibrating needs a seed, a job and {LEAST_DAYS} days or more.")
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        coming = {
            world: [pool.submit(calibration_pairs, world=world, seed=seed, days=days) for seed in seeds]
            for world in WORLDS
        }
        runs = {world: [one.result() for one in ones] for world, ones in coming.items()}
    found: dict[str, Any] = {}
    for slug in BUILT:
        worlds = {world: join([run[slug] for run in ones]) for world, ones in runs.items()}
        for level in LEVELS:
            factors = calibrate(list(worlds.values()), level / 100)
            held = {world: float(is_inside(pairs, factors).mean()) for world, pairs in worlds.items()}
            found[f"{slug} {level}"] = {"low": factors.low.tolist(), "high": factors.high.tolist(), "held": held}
    return found
