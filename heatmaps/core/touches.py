"""Chances of a touch held against what came, beside the base rate of the same distance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from .reach import DAY, HORIZONS, SLUG, Fit, Path, fit, windows_of
from .score import Figure, Interval, brier, calibration_error, reliability, skill
from .score.chances import BINS, DRAWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .grid import Floats, Ints

# Distances that are asked of the shortest horizon [ln price]; of a longer one in proportion to the root of its length.
DISTANCES: Final = (0.0025, 0.005, 0.01, 0.02, 0.03, 0.05)


@dataclass(frozen=True, slots=True)
class Touches:
    """Chances, base rates and outcomes (0 or 1), float64[n] each, and the day on which each was stated, int64[n]."""

    chances: Floats
    base: Floats
    outcomes: Floats
    days: Ints

    @classmethod
    def pooled(cls, parts: list[Touches]) -> Touches:
        """Those of several instruments together."""
        names = ("chances", "base", "outcomes", "days")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def distances(steps: int) -> Floats:
    """The distances asked of a horizon [ln price]."""
    return np.array(DISTANCES) * math.sqrt(steps / HORIZONS["4h"])


def hold(path: Path, fitted: Fit, *, split: int, until: int | None = None) -> Mapping[str, Touches]:
    """State chances at every STRIDE-th bar from ``split`` (to ``until``), by a fit that saw only bars before it.

    The base rate of a distance and side is how often the windows that end before ``split`` reached it.
    """
    found: dict[str, list[Touches]] = {name: [] for name in fitted.horizons}
    for name, past in fitted.horizons.items():
        starts, behind, _ = windows_of(path, past.steps)
        reached, asked = path.excursions(starts, past.steps), distances(past.steps)
        is_past, is_scored = starts + past.steps < split, (starts >= split) & (starts < (until or len(path)))
        grid = np.broadcast_to(asked, (int(is_scored.sum()), len(asked)))
        for side in (0, 1):
            touched = reached[side][:, None] >= asked
            chances = fitted.chances(behind[is_scored], grid, is_up=bool(side))[name]
            base = np.broadcast_to(touched[is_past].mean(axis=0), grid.shape)
            days = np.broadcast_to(starts[is_scored][:, None] // DAY, grid.shape)
            outcomes = touched[is_scored].astype(np.float64)
            found[name].append(Touches(chances.ravel(), base.ravel(), outcomes.ravel(), days.ravel()))
    return {name: Touches.pooled(parts) for name, parts in found.items()}


def walk(path: Path, *, split: int, every: int) -> Mapping[str, Touches]:
    """The same with a new fit after each ``every`` bars, from all that had been seen by then."""
    found: dict[str, list[Touches]] = {}
    for start in range(split, len(path), every):
        stated = hold(path, fit(path.upto(start)), split=start, until=start + every)
        for name, part in stated.items():
            found.setdefault(name, []).append(part)
    return {name: Touches.pooled(parts) for name, parts in found.items()}


BASE: Final = "base-rate"
# Said to be nearly sure, and came otherwise.
SURE: Final = 0.9


def missed(chances: Floats, outcomes: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Where what came had been given a chance of less than one in ten."""
    return np.abs(chances - outcomes) > SURE


def expected_misses(chances: Floats) -> float:
    """How many of these would come if every chance held what it says."""
    rare = np.minimum(chances, 1.0 - chances)
    return float(rare[rare < 1.0 - SURE].sum())


def calibration_interval(found: Touches, *, seed: int = 1) -> Interval:
    """ECE with an interval from DRAWS resamples of whole days.

    Resampling adds noise, which a mean distance only grows by: the draws are moved to have their middle at the value.
    """
    place = np.unique(found.days, return_inverse=True)[1]
    days, cell = int(place.max()) + 1, np.minimum((found.chances * BINS).astype(np.int64), BINS - 1)
    apart = np.bincount(place * BINS + cell, found.chances - found.outcomes, days * BINS).reshape(days, BINS)
    counts = np.bincount(place, minlength=days)
    picked = np.random.default_rng(seed).integers(days, size=(DRAWS, days))
    drawn = np.abs(apart[picked].sum(axis=1)).sum(axis=1) / counts[picked].sum(axis=1)
    value = calibration_error(found.chances, found.outcomes)
    low, middle, high = np.quantile(drawn, [0.025, 0.5, 0.975])
    return Interval(value, max(0.0, float(value + low - middle)), float(value + high - middle))


def figures(touches: Mapping[str, Touches], month_of: Callable[[int], str]) -> list[Figure]:
    """All figures of a score of touches, by horizon; ``mode`` names the horizon.

    brier of ours and of the base rate; brier-skill over it, of all and by month ("brier-skill 2025-12"); ece;
    "stated 3" and "observed 3" of the chances from .3 to .4, with Wilson's interval; misses and how many were expected.
    """
    return [figure for name, found in touches.items() if len(found.days) for figure in _figures(name, found, month_of)]


def _figures(horizon: str, found: Touches, month_of: Callable[[int], str]) -> Iterator[Figure]:
    days = np.unique(found.days)

    def of(
        measure: str, value: Interval | float, *, n: int | None = None, versus: str = "", of_map: str = SLUG
    ) -> Figure:
        known = value if isinstance(value, Interval) else Interval(value, math.nan, math.nan)
        count = len(found.days) if n is None else n
        return Figure.of(known, n=count, days=len(days), measure=measure, map=of_map, mode=horizon, versus=versus)

    yield of("brier", brier(found.chances, found.outcomes))
    yield of("brier", brier(found.base, found.outcomes), of_map=BASE)
    yield of("brier-skill", skill(found.chances, found.base, found.outcomes, days=found.days), versus=BASE)
    yield of("ece", calibration_interval(found))
    yield of("misses", float(missed(found.chances, found.outcomes).sum()))
    yield of("misses expected", expected_misses(found.chances))
    for index, one in enumerate(reliability(found.chances, found.outcomes)):
        yield of(f"stated {index}", one.stated, n=one.count)
        yield of(f"observed {index}", one.observed, n=one.count)
    months = np.array([month_of(int(day)) for day in days])
    for month in np.unique(months):
        part = np.isin(found.days, days[months == month])
        value = skill(found.chances[part], found.base[part], found.outcomes[part], days=found.days[part])
        yield of(f"brier-skill {month}", value, n=int(part.sum()), versus=BASE)
