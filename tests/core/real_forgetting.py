"""Study 2 of docs/research: chances of a touch where what came long ago counts less, on the real months.

python -m tests.core.real_forgetting            the choice, on October and November
python -m tests.core.real_forgetting --test     the test, on December and January
"""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Final

import numpy as np

from heatmaps.core.reach import DAY, HORIZONS, KNOTS, STRIDE, Excursions, Path, windows_of
from heatmaps.core.score import Interval, brier, calibration_error, skill
from heatmaps.core.score.resampling import share
from heatmaps.core.touches import Touches, distances
from tests.history import ABSENT

from .real_touches import SPLIT_MS, SYMBOLS, real_bars

if TYPE_CHECKING:
    from collections.abc import Iterator

    from heatmaps.core.grid import Floats, Ints

ASKED: Final = ("4h", "24h")
NEVER: Final = 1e9
WEEK: Final = 7 * DAY
# Days from 1 December: 8 October to 30 November, and what there is from December on.
CHOICE, TEST = (-54, 0), (0, 60)
CHOSEN: Final = 30.0


@dataclass(frozen=True, slots=True)
class Windows:
    """All windows of one instrument and horizon, and where December begins [bars]."""

    steps: int
    starts: Ints
    behind: Floats
    ahead: Floats
    reached: Floats
    december: int

    def learn(self, now: int, *, volatility: float, law: float) -> tuple[Floats, Floats, Floats]:
        """(coefficients, scaled excursions, their weights) of what had passed by ``now``; half-lives in days."""
        past = self.starts + self.steps < now
        design, age = np.column_stack([np.ones(past.sum()), self.behind[past]]), (now - self.starts[past]) / DAY
        root = 0.5 ** (age / volatility / 2.0)
        solved = np.linalg.lstsq(design * root[:, None], self.ahead[past] * root, rcond=None)[0]
        coefficients = np.asarray(solved, dtype=np.float64)
        sigma = np.exp(0.5 * (design @ coefficients)) * math.sqrt(self.steps)
        return coefficients, self.reached[:, past] / sigma, 0.5 ** (age / law)

    def hold(self, past: Excursions, now: int, until: int) -> Touches:
        """Its chances in the week from ``now``, or up to ``until``, and what came."""
        week, asked = (self.starts >= now) & (self.starts < min(now + WEEK, until)), distances(self.steps)
        grid = np.broadcast_to(asked, (int(week.sum()), len(asked)))
        touched = [(self.reached[side][week][:, None] >= asked).astype(np.float64) for side in (0, 1)]
        told = [past.chance(self.behind[week], grid, is_up=bool(side)) for side in (0, 1)]
        earlier = self.reached[:, self.starts + self.steps < now]
        base = [np.broadcast_to((earlier[side][:, None] >= asked).mean(axis=0), grid.shape) for side in (0, 1)]
        days = np.broadcast_to(self.starts[week][:, None] // DAY, grid.shape)
        parts = (told, base, touched, [days, days])
        return Touches(*(np.concatenate([one.ravel() for one in part]) for part in parts))


def windows(symbol: str, horizon: str) -> Windows:
    """Those of an instrument; ends the program where the months are not at hand."""
    bars = real_bars(symbol)
    if bars is None:
        raise SystemExit(ABSENT)
    path, steps = Path.of(bars), HORIZONS[horizon]
    starts, behind, ahead = windows_of(path, steps)
    december = int(np.count_nonzero(bars["open_time"] < SPLIT_MS))
    return Windows(steps, starts, behind, ahead, path.excursions(starts, steps), december)


def knots(scaled: Floats, weights: Floats) -> Floats:
    """Weighted quantiles, evenly spaced, rising from 0: float64[2, KNOTS + 1] of float64[2, n]."""
    found = np.zeros((2, KNOTS + 1))
    for row, values in zip(found, scaled, strict=True):
        order = np.argsort(values, kind="stable")
        mass = np.cumsum(weights[order]) - 0.5 * weights[order]
        row[:] = np.interp(np.linspace(0.0, 1.0, KNOTS + 1), mass / weights.sum(), values[order])
    found[:, 0] = 0.0
    return np.maximum.accumulate(found + np.arange(KNOTS + 1) * 1e-12, axis=1)


def walk(
    all_of: list[Windows], days: tuple[int, int], *, volatility: float, law: float, shared: float
) -> list[Touches]:
    """Walk forward week by week, an instrument each; shared: the weight of the law of all in that of each."""
    found: list[list[Touches]] = [[] for _ in all_of]
    for day in range(days[0], days[1], 7):
        nows = [one.december + day * DAY for one in all_of]
        learnt = [one.learn(now, volatility=volatility, law=law) for one, now in zip(all_of, nows, strict=True)]
        common = knots(*(np.concatenate([part[i] for part in learnt], axis=-1) for i in (1, 2))) if shared else 0.0
        for parts, one, now, (coefficients, scaled, weights) in zip(found, all_of, nows, learnt, strict=True):
            mixed = shared * common + (1.0 - shared) * knots(scaled, weights)
            past = Excursions(one.steps, coefficients, mixed, mixed, scaled.shape[1] * STRIDE / one.steps)
            parts.append(one.hold(past, now, one.december + days[1] * DAY))
    return [Touches.pooled(parts) for parts in found]


def rise(before: Touches, after: Touches) -> Interval:
    """By how much the Brier score rises, with a 95 % interval from resampled days."""
    place = np.unique(before.days, return_inverse=True)[1]
    apart = (after.chances - after.outcomes) ** 2 - (before.chances - before.outcomes) ** 2
    sums, counts = (np.asarray(one, dtype=np.float64) for one in (np.bincount(place, apart), np.bincount(place)))
    return share(sums, counts)


def choice() -> Iterator[str]:
    """Mean ECE and mean Brier score of each variant in October and November."""
    made = {name: [windows(symbol, name) for symbol in SYMBOLS] for name in ASKED}
    for shared, half in product((0.0, 0.5, 1.0), (NEVER, 60.0, 30.0, 15.0)):
        for law in sorted({NEVER, half}):
            parts = [
                part for name in ASKED for part in walk(made[name], CHOICE, volatility=half, law=law, shared=shared)
            ]
            errors = [calibration_error(part.chances, part.outcomes) for part in parts]
            scores = [brier(part.chances, part.outcomes) for part in parts]
            yield f"{shared:3} {half:12g} {law:12g}  {np.mean(errors):.4f} {np.mean(scores):.5f}"


def test() -> Iterator[str]:
    """ECE, skill and Brier score of what was chosen beside what never forgets, in December and January."""
    for name in ASKED:
        made = [windows(symbol, name) for symbol in SYMBOLS]
        never = walk(made, TEST, volatility=NEVER, law=NEVER, shared=0.0)
        forgets = walk(made, TEST, volatility=CHOSEN, law=CHOSEN, shared=0.0)
        pairs = zip(
            (*SYMBOLS, "all"), (*never, Touches.pooled(never)), (*forgets, Touches.pooled(forgets)), strict=True
        )
        for symbol, before, after in pairs:
            error = [calibration_error(one.chances, one.outcomes) for one in (before, after)]
            ahead = skill(after.chances, after.base, after.outcomes, days=after.days)
            apart = rise(before, after)
            yield (
                f"{name:3} {symbol:8} ECE {error[0]:.4f} -> {error[1]:.4f}  skill {ahead.value:.3f} [{ahead.low:.3f}, "
                f"{ahead.high:.3f}]  Brier {apart.value:+.5f} [{apart.low:+.5f}, {apart.high:+.5f}]"
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--test", action="store_true")
    for line in test() if parser.parse_args().test else choice():
        sys.stdout.write(line + "\n")
