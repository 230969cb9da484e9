"""How likely a fixed way of betting ruins an account: simulated, with the closed form beside it.

Closed forms are Decimal and exact where they say so; the simulation is float64 and states its own error.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from .terms import ONE, ZERO, exact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from decimal import Decimal

MOST_PATHS: Final = 20_000
MOST_TRADES: Final = 2_000
_BLOCK: Final = 5
_ROUNDS: Final = 120
# Up to so many it is faster to compare with each than to look each number up.
_FEW_EDGES: Final = 16


@dataclass(frozen=True, slots=True)
class Ruin:
    """Share of simulated accounts that fell by the threshold with its 95 % interval (Wilson), and how they fared.

    quantiles: 5, 25, 50, 75 and 95 % of what accounts ended with, falls: of the share that was left at their deepest
    fall from a peak, both as a share (1 = all of it).
    """

    chance: float
    low: float
    high: float
    quantiles: tuple[float, ...]
    falls: tuple[float, ...]


@exact
def ruin_even_money(*, win_rate: Decimal, units: int) -> Decimal:
    """Return the chance of ever losing ``units`` equal even-money bets: ((1 - e) / (1 + e))^U, e = p - q > 0."""
    edge = 2 * win_rate - 1
    return ONE if edge <= 0 else ((1 - edge) / (1 + edge)) ** units


@exact
def ruin_whole_payoff(*, win_rate: Decimal, payoff: int, units: int) -> Decimal:
    """Return the chance of ever losing ``units`` bets of one that win ``payoff``: z^U.

    z in (0, 1) solves p z^(W + 1) - z + (1 - p) = 0; without an edge ruin is certain.
    """
    if win_rate * payoff <= 1 - win_rate:
        return ONE

    def excess(z: Decimal) -> Decimal:
        return win_rate * z ** (payoff + 1) - z + (1 - win_rate)

    # The left side is convex with a root at 1: between 0 and its lowest point it falls through the other root.
    low, high = ZERO, (1 / (win_rate * (payoff + 1))) ** (ONE / payoff)
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return low**units


def lundberg_exponent(
    *, results: Sequence[float], fraction: float, weights: Sequence[float] | None = None
) -> float | None:
    """Return theta > 0 with mean (1 + f R)^-theta = 1; None without an edge (a negative mean of the logarithm).

    Infinite where no result is a loss: nothing can fall. ``weights``: how often each result comes; None: all alike.
    """
    growth = np.log1p(fraction * np.asarray(results, np.float64))
    shares = np.ones(len(growth)) if weights is None else np.asarray(weights, np.float64)
    shares = shares / shares.sum()
    if shares @ growth <= 0:
        return None
    if growth.min() >= 0:
        return math.inf

    def excess(theta: float) -> float:
        return float(shares @ np.exp(np.minimum(-theta * growth, 700.0))) - 1.0

    low, high = 0.0, 1.0
    while excess(high) <= 0:
        low, high = high, 2 * high
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if excess(middle) <= 0 else (low, middle)
    return low


def drawdown_bound(
    *, results: Sequence[float], fraction: float, drawdown: float, weights: Sequence[float] | None = None
) -> float:
    """Return the upper bound of ever falling ``drawdown`` below the start: (1 - d)^theta; 1 without an edge."""
    theta = lundberg_exponent(results=results, fraction=fraction, weights=weights)
    return 1.0 if theta is None else float((1.0 - drawdown) ** theta)


def simulate_ruin(  # noqa: PLR0913  # a simulation has this many terms, each by name
    *,
    results: Sequence[float],
    fraction: float,
    drawdown: float,
    trades: int,
    paths: int,
    generator: np.random.Generator,
    weights: Sequence[float] | None = None,
) -> Ruin:
    """Draw accounts that risk ``fraction`` of equity on each of ``trades`` results [R].

    With ``weights`` single results are drawn by them; without, blocks of five in their order, so that streaks stay.
    Ruined is an account that once lay ``drawdown`` below its start. Raises ValueError where a loss takes all or more.
    """
    if not (1 <= trades <= MOST_TRADES and 1 <= paths <= MOST_PATHS):
        raise ValueError(f"Give at most {MOST_TRADES:,} trades and {MOST_PATHS:,} paths.")
    values = np.asarray(results, np.float64)
    if (1.0 + fraction * values <= 0).any():
        raise ValueError("The worst loss at this risk takes the whole account. Lower the risk of each trade.")
    growth = np.log1p(fraction * values)
    walk, lows, peaks, falls = np.zeros((4, paths))
    for _, drawn in zip(range(trades), _draw(len(values), paths, generator, weights), strict=False):
        walk += growth[drawn]
        np.minimum(lows, walk, out=lows)
        np.maximum(peaks, walk, out=peaks)
        np.minimum(falls, walk - peaks, out=falls)
    chance = float(np.mean(lows <= math.log1p(-drawdown) + 1e-12))
    return Ruin(chance, *_wilson(chance, paths), _quantiles(walk), _quantiles(falls))


def _draw(
    count: int, paths: int, generator: np.random.Generator, weights: Sequence[float] | None
) -> Iterator[npt.NDArray[np.intp]]:
    """Return trade after trade which of ``count`` results each path meets: (paths,)."""
    if weights is not None:
        edges = np.cumsum(np.asarray(weights, np.float64))
        while True:
            yield _place(generator.random(paths), edges[:-1] / edges[-1])
    while True:
        starts = generator.integers(0, count, paths)
        yield from ((starts + later) % count for later in range(_BLOCK))


def _place(drawn: npt.NDArray[np.float64], edges: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Return how many edges, ascending, are at or below each number."""
    if len(edges) > _FEW_EDGES:
        return np.searchsorted(edges, drawn, side="right")
    found = np.zeros(drawn.shape, np.intp)
    for edge in edges:
        found += drawn >= edge
    return found


def _wilson(share: float, count: int) -> tuple[float, float]:
    z = 1.959963984540054
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    return max(0.0, middle - half), min(1.0, middle + half)


def _quantiles(walk: npt.NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(np.exp(np.quantile(walk, (0.05, 0.25, 0.5, 0.75, 0.95))).tolist())
