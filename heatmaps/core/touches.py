"""Chances of a touch held against what came, beside the base rate of the same distance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from .reach import DAY, HORIZONS, Fit, Path, fit, windows_of

if TYPE_CHECKING:
    from collections.abc import Mapping

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
