"""Factors for the intervals of the next version of an estimator, from worlds whose positions are known.

And how far the map moves when it is told less: the spreads by which intervals are widened.
"""

from __future__ import annotations

import itertools
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from heatmaps.core.bands import LEVELS
from heatmaps.core.calibration import calibrate, is_inside, join
from heatmaps.core.estimators import BUILT
from heatmaps.core.thinned import spreads
from heatmaps.core.trial import LEAST_DAYS, calibration_pairs
from heatmaps.core.worlds.world import WORLDS

from .spans import ScoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def calibrate_intervals(*, seeds: Sequence[int], days: int, jobs: int) -> dict[str, Any]:
    """Return the factors by estimator and level, and the share of pairs that they hold in each world.

    They are printed, not used: a version's factors are frozen in ``heatmaps.core.bands``. Raises ScoreError.
    """
    found: dict[str, Any] = {}
    runs = _in_each_world(calibration_pairs, seeds, days, jobs)
    for slug in BUILT:
        worlds = {world: join([run[slug] for run in ones]) for world, ones in runs.items()}
        for level in LEVELS:
            try:
                factors = calibrate(list(worlds.values()), level / 100)
            except ValueError as error:
                raise ScoreError(f"{error}.".capitalize()) from error
            held = {world: float(is_inside(pairs, factors).mean()) for world, pairs in worlds.items()}
            found[f"{slug} {level}"] = {"low": factors.low.tolist(), "high": factors.high.tolist(), "held": held}
    return found


def measure_doubts(*, seeds: Sequence[int], days: int, jobs: int) -> list[dict[str, Any]]:
    """Return how far the map moves when it is told less, by world, seed and case (``heatmaps.core.thinned``).

    Raises ScoreError.
    """
    runs = _in_each_world(spreads, seeds, days, jobs)
    return list(itertools.chain.from_iterable(itertools.chain.from_iterable(runs.values())))


def _in_each_world(measure: Callable[..., Any], seeds: Sequence[int], days: int, jobs: int) -> dict[str, list[Any]]:
    """What is measured in each world under each seed, in their order."""
    if days < LEAST_DAYS or not seeds or jobs < 1:
        raise ScoreError(f"Calibrating needs a seed, a job and {LEAST_DAYS} days or more.")
    cases = [{"world": world, "seed": seed, "days": days} for world in WORLDS for seed in seeds]
    if jobs == 1:
        done = [measure(**case) for case in cases]
    else:
        with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
            done = [one.result() for one in [pool.submit(partial(measure, **case)) for case in cases]]
    size = len(seeds)
    return {world: done[place * size : (place + 1) * size] for place, world in enumerate(WORLDS)}
