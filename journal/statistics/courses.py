"""The course of results: what their order was, what chance alone makes of orders, and where more of the same may lead.

Everything here takes results to be independent of each other and to stay as they were: the pages say so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from .intervals import DRAWS, LEAST, TAIL, Floats
from .shapes import drawdowns

if TYPE_CHECKING:
    from collections.abc import Sequence

LEAST_FANNED: Final = 30
HORIZON: Final = 100
SHARES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
FALLS: Final = (0.5, 0.9, 0.95)
STREAKS: Final = (3, 5, 8, 12)


@dataclass(frozen=True, slots=True)
class Streaks:
    """The longest row of losses beside that of the same results in other orders.

    low, high: where 95 % of the orders lie; chance: the share of orders whose longest row is as long or longer.
    """

    longest: int
    low: int
    high: int
    chance: float


@dataclass(frozen=True, slots=True)
class Fan:
    """Where ``horizon`` more results may lead [R], drawn from the own ones.

    lines: of each of SHARES the running sum after 0 to ``horizon`` results; falls: quantiles FALLS of the deepest
    fall; streaks: the chance of a row of so many losses or more; below: the share of draws that end under 0.
    """

    horizon: int
    count: int
    draws: int
    seed: int
    lines: tuple[tuple[float, ...], ...]
    falls: tuple[float, ...]
    streaks: tuple[tuple[int, float], ...]
    below: float


def streaks(results: Sequence[float], *, seed: int = 1) -> Streaks | None:
    """Set the longest row of losses beside 10,000 random orders of the same results; None below 10 results."""
    lost = np.asarray(results, dtype=np.float64) < 0
    if lost.size < LEAST:
        return None
    orders = np.random.default_rng(seed).permuted(np.tile(lost, (DRAWS, 1)), axis=1)
    drawn, own = _longest(orders), int(_longest(lost[None])[0])
    low, high = np.quantile(drawn, [TAIL, 1 - TAIL], method="inverted_cdf")
    return Streaks(own, int(low), int(high), float((drawn >= own).mean()))


def fan(results: Sequence[float], *, horizon: int = HORIZON, seed: int = 1) -> Fan | None:
    """Draw 10,000 times ``horizon`` results from the own ones, with replacement; None below 30 results."""
    values = np.asarray(results, dtype=np.float64)
    if values.size < LEAST_FANNED:
        return None
    rows = values[np.random.default_rng(seed).integers(values.size, size=(DRAWS, horizon))]
    walk: Floats = np.concatenate([np.zeros((DRAWS, 1)), np.cumsum(rows, axis=1)], axis=1)
    longest = _longest(rows < 0)
    return Fan(
        horizon=horizon,
        count=values.size,
        draws=DRAWS,
        seed=seed,
        lines=tuple(tuple(line) for line in np.quantile(walk, SHARES, axis=0).tolist()),
        falls=tuple(np.quantile(drawdowns(rows), FALLS).tolist()),
        streaks=tuple((length, float((longest >= length).mean())) for length in STREAKS),
        below=float((walk[:, -1] < 0).mean()),
    )


def _longest(lost: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Return the longest row of losses of each row of results."""
    here = np.zeros(len(lost), np.int64)
    longest = here.copy()
    for column in lost.T:
        here = (here + 1) * column
        np.maximum(longest, here, out=longest)
    return longest
