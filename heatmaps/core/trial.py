"""One trial: a seeded run of a world, every map judged on the half that came later, ours beside each baseline."""

from __future__ import annotations

from dataclasses import asdict
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from market.series import DAY_MS

from .bands import LEVELS, Factors
from .calibration import compare, held
from .estimators import BUILT, ESTIMATORS, load_estimator
from .judge import advantage, shape, swept
from .views import slices, view_estimator
from .worlds.market import START_MS, simulate
from .worlds.world import WORLDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .calibration import Pairs
    from .grid import Floats
    from .views import Slices

# Slices are three hours apart; half of the days, five at least, only fill the map.
EVERY_MINUTES: Final = 180
LEAST_DAYS: Final = 10
OURS: Final = next(iter(ESTIMATORS))
CLIMATOLOGY: Final = "climatology"

# What is demanded of ours in the base world, seed by seed: (figure, bound, whether it is the most that is allowed).
TARGETS: Final[Mapping[str, tuple[float, bool]]] = MappingProxyType(
    {
        "distance_bp": (25.0, True),
        "rank": (0.68, False),
        "precision": (0.60, False),
        "swept_rank": (0.80, False),
        "lift": (3.8, False),
    }
)
OVER_CLIMATOLOGY: Final = 0.05


def trial(*, world: str, seed: int, days: int) -> dict[str, Any]:
    """Run a world and judge all maps; figures by estimator, ours less each baseline, and which demands were met.

    Raises:
        ValueError: an unknown world, or too few days to fill a map and judge it.
    """
    if world not in WORLDS:
        raise ValueError(f"there is no world {world!r}; there are {', '.join(WORLDS)}")
    if days < LEAST_DAYS:
        raise ValueError(f"a trial needs {LEAST_DAYS} days or more, half of them to fill the map")
    tape = simulate(WORLDS[world], np.random.default_rng(seed), days=days, every=EVERY_MINUTES)
    at = slices(tape)
    late = at.where(at.end_ms > START_MS + days * DAY_MS // 2)
    maps = {slug: view_estimator(load_estimator(slug), tape.window, late) for slug in ESTIMATORS}
    figures = {slug: _figures(views, late) for slug, views in maps.items()}
    ahead = {slug: asdict(advantage(maps[OURS], views, late)) for slug, views in maps.items() if slug != OURS}
    return {
        "world": world,
        "seed": seed,
        "days": days,
        "slices": len(late),
        "data_sha256": tape.sha256,
        "figures": figures,
        "log_skill_ahead": ahead,
        "coverage": {slug: coverage(maps[slug], late, slug) for slug in BUILT},
        "demands": demands(world, figures),
    }


def coverage(views: Floats, at: Slices, slug: str) -> dict[str, list[Any]]:
    """How many 1 % slices of true positions lie inside their interval, of how many.

    By level [%]: int[day][bucket] = [inside, count], bucket = 8 * side + distance.
    """
    pairs, parameters = compare(views, at.held), load_estimator(slug).parameters
    day = at.end_ms // DAY_MS
    return {str(level): held(pairs, Factors.of(parameters, level=level), day).tolist() for level in LEVELS}


def calibration_pairs(*, world: str, seed: int, days: int) -> dict[str, Pairs]:
    """What was true for what the built estimators said in the second half of a run, by slug."""
    tape = simulate(WORLDS[world], np.random.default_rng(seed), days=days, every=EVERY_MINUTES)
    at = slices(tape)
    late = at.where(at.end_ms > START_MS + days * DAY_MS // 2)
    return {slug: compare(view_estimator(load_estimator(slug), tape.window, late), late.held) for slug in BUILT}


def demands(world: str, figures: Mapping[str, Mapping[str, float]]) -> list[dict[str, Any]]:
    """Each demand on ours, its value and whether it was met; beyond the base world only that baselines are beaten."""
    ours, found = figures[OURS], []
    if world == "base":
        for name, (bound, is_most) in TARGETS.items():
            met = ours[name] <= bound if is_most else ours[name] >= bound
            found.append({"what": name, "value": ours[name], "bound": bound, "is_met": met})
    for slug, theirs in figures.items():
        if slug == OURS:
            continue
        least = OVER_CLIMATOLOGY if world == "base" and slug == CLIMATOLOGY else 0.0
        names = ("log_skill",) if world == "base" else ("log_skill", "swept_rank")
        for name in names:
            ahead = ours[name] - theirs[name]
            what = f"{name} over {slug}"
            found.append({"what": what, "value": ahead, "bound": least, "is_met": ahead > 0.0 and ahead >= least})
    return found


def _figures(views: Floats, at: Slices) -> dict[str, float]:
    found = asdict(swept(views, at))
    found["swept_rank"] = found.pop("rank")
    return {**asdict(shape(views, at.held)), **found}
