"""Judge every map in simulated worlds and keep what was found, one run for each world."""

from __future__ import annotations

import itertools
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction

from heatmaps.core.estimators import ESTIMATORS, load_estimator
from heatmaps.core.score import Figure
from heatmaps.core.score.chances import DRAWS, Interval
from heatmaps.core.trial import LEAST_DAYS, trial
from heatmaps.core.worlds.world import WORLDS

from .recording import Scored, record_score, releases
from .spans import ScoreError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence

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
            for (slug, level), (share, _) in pooled_coverage(trials).items()
            if abs(share - int(level) / 100) > COVERAGE_SLACK
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


def pooled_coverage(trials: Sequence[dict[str, Any]]) -> dict[tuple[str, str], tuple[float, int]]:
    """Share of 1 % slices inside their interval over several seeds, and how many slices, by (estimator, level)."""
    found = {}
    for slug, levels in trials[0]["coverage"].items():
        for level in levels:
            inside, count = (sum(one["coverage"][slug][level][place] for one in trials) for place in (0, 1))
            found[slug, level] = inside / count, count
    return found


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
    for (slug, level), (share, count) in pooled_coverage(trials).items():
        covered = Interval(share, float("nan"), float("nan"))
        figures.append(Figure.of(covered, measure=f"coverage-{level}", map=slug, n=count, days=seeds * (days // 2)))
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
