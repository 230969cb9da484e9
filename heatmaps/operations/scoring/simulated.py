"""Judge every map in simulated worlds and keep what was found, one run for each world."""

from __future__ import annotations

import itertools
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from django.db import transaction

from heatmaps.core.bands import EDGES_PCT, distance_names
from heatmaps.core.estimators import ESTIMATORS, load_estimator
from heatmaps.core.score import Figure
from heatmaps.core.score.bands import SIDES
from heatmaps.core.score.chances import DRAWS, Interval
from heatmaps.core.score.resampling import share
from heatmaps.core.trial import LEAST_DAYS, trial
from heatmaps.core.worlds.world import WORLDS

from .recording import Scored, record_score, releases
from .spans import ScoreError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence

    from heatmaps.core.grid import Ints
    from heatmaps.models import ScoreRun

SIMULATOR: Final = "simulator"
# How far the share inside an interval may lie from its level.
COVERAGE_SLACK: Final = 0.05
_COUNTED: Final = ("segments", "bins")


@dataclass(frozen=True, slots=True)
class Judged:
    """All trials as ``heatmaps.core.trial`` returns them, and the runs that keep them."""

    trials: Sequence[dict[str, Any]]
    runs: Sequence[ScoreRun]

    @property
    def missed(self) -> list[str]:
        """Demands that were not met, in words."""
        worlds = dict.fromkeys(one["world"] for one in self.trials)
        pooled = {world: [one for one in self.trials if one["world"] == world] for world in worlds}
        off = [
            f"{world}: {share:.3f} of the true positions inside the {level} % interval of {slug}"
            for world, trials in pooled.items()
            for (slug, level), counts in coverage_counts(trials).items()
            if abs((share := _whole(counts)) - int(level) / 100) > COVERAGE_SLACK
        ]
        return off + [
            f"{one['world']} seed {one['seed']}: {demand['what']} {demand['value']:.4f} (bound {demand['bound']})"
            for one in self.trials
            for demand in one["demands"]
            if not demand["is_met"]
        ]


def score_simulator(*, worlds: Sequence[str], seeds: int, days: int, jobs: int, now: dt.datetime) -> Judged:
    """Judge all maps in each world under seeds 1 to ``seeds``; worlds may be ["all"].

    Raises:
        ScoreError: an unknown world, or a number out of range.
    """
    names = list(WORLDS) if list(worlds) == ["all"] else list(worlds)
    _check(names, seeds, days, jobs)
    trials = list(_run(list(itertools.product(names, range(1, seeds + 1))), days, jobs))
    with transaction.atomic():
        runs = [_keep(name, [one for one in trials if one["world"] == name], seeds, days, now) for name in names]
    return Judged(trials, runs)


def coverage_counts(trials: Sequence[dict[str, Any]]) -> dict[tuple[str, str], Ints]:
    """How many 1 % slices lay inside their interval, of how many, by (estimator, level): int64[day, bucket, 2].

    Days of different seeds are different days.
    """
    return {
        (slug, level): np.concatenate([np.array(one["coverage"][slug][level]) for one in trials])
        for slug, levels in trials[0]["coverage"].items()
        for level in levels
    }


def _whole(counts: Ints) -> float:
    inside, count = counts.sum(axis=(0, 1)).tolist()
    return float(inside / count)


def _covered(trials: Sequence[dict[str, Any]]) -> Iterator[Figure]:
    """Coverage of all, by side, and by side and distance, each with an interval from resampled days."""
    buckets = np.arange(2 * len(EDGES_PCT)).reshape(2, -1)
    groups = [("both", "", buckets.ravel()), *((side, "", of) for side, of in zip(SIDES, buckets, strict=True))]
    groups += [
        (side, name, of[place : place + 1])
        for side, of in zip(SIDES, buckets, strict=True)
        for place, name in enumerate(distance_names())
    ]
    for (slug, level), counts in coverage_counts(trials).items():
        for side, mode, of in groups:
            inside, count = counts[:, of].sum(axis=1).astype(np.float64).T
            if count.sum() > 0:
                about = {"measure": f"coverage-{level}", "map": slug, "side": side, "mode": mode}
                yield Figure.of(share(inside, count), n=int(count.sum()), days=int((count > 0).sum()), **about)


def _check(names: list[str], seeds: int, days: int, jobs: int) -> None:
    unknown = [name for name in names if name not in WORLDS]
    if unknown or not names:
        raise ScoreError(f"There is no world {', '.join(unknown)!r}. Known: all, {', '.join(WORLDS)}.")
    if seeds < 1 or jobs < 1:
        raise ScoreError("Seeds and jobs are counted from 1.")
    if days < LEAST_DAYS:
        raise ScoreError(f"A trial needs {LEAST_DAYS} days or more: half of them only fill the map.")


def _run(cases: list[tuple[str, int]], days: int, jobs: int) -> Iterator[dict[str, Any]]:
    """Trials in the order of ``cases``; the core knows no database, so it may leave this process."""
    if jobs == 1 or len(cases) == 1:
        yield from (trial(world=world, seed=seed, days=days) for world, seed in cases)
        return
    with ProcessPoolExecutor(min(jobs, len(cases)), multiprocessing.get_context("spawn")) as pool:
        coming = [pool.submit(trial, world=world, seed=seed, days=days) for world, seed in cases]
        yield from (one.result() for one in coming)


def _keep(world: str, trials: list[dict[str, Any]], seeds: int, days: int, now: dt.datetime) -> ScoreRun:
    figures = [figure for one in trials for figure in _figures(one)]
    figures += _covered(trials)
    scored = Scored(
        figures=figures,
        estimators=releases(load_estimator(slug) for slug in ESTIMATORS),
        data_sha256=sha256("".join(one["data_sha256"] for one in trials).encode()).hexdigest(),
        settings={"world": world, "seeds": seeds, "days": days, "draws": DRAWS},
    )
    command = f"python3 manage.py score simulator --worlds {world} --seeds {seeds} --days {days} --json"
    return record_score(subject=SIMULATOR, against=world, command=command, scored=scored, now=now)


def _figures(found: dict[str, Any]) -> Iterator[Figure]:
    """The figures of one trial; ``mode`` names its seed."""
    mode, count = f"seed {found['seed']}", {"n": found["slices"], "days": found["days"] // 2}
    for slug, figures in found["figures"].items():
        for measure, value in figures.items():
            if measure not in _COUNTED:
                known = Interval(value, float("nan"), float("nan"))
                yield Figure.of(known, measure=measure.replace("_", "-"), map=slug, mode=mode, **count)
    for slug, ahead in found["log_skill_ahead"].items():
        yield Figure.of(
            Interval(**ahead), measure="log-skill", map=next(iter(ESTIMATORS)), versus=slug, mode=mode, **count
        )
