"""What observed liquidations say about turnover, scale and leverage: fitted beside the prior, never put in its place.

Given turnover and prior, what a step sweeps in each leverage group is fixed, and what is seen is Poisson-like around
sum_k theta_k X_k, X the swept contracts [step, side, group]; theta by EM under a Gamma prior (Richardson-Lucy)
theta_k <- (theta_k sum X_k y / lambda + a) / (sum X_k + b), a = c b, so that a group that was hardly swept keeps the
common scale c = sum(X theta) / sum(X). Turnover by profile likelihood over a grid. With a complete feed the scale is
the share of swept contracts that were liquidated; with a thinned one it is that share times the capture rate.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from .estimators.engine import flows, moves, start_state
from .grid import bin_width
from .inventory import GROUPS, Deposits, Inventory
from .score.resampling import gain

if TYPE_CHECKING:
    from .grid import Floats, Ints
    from .score import Interval
    from .steps import Steps

TURNOVERS: Final = (0.02, 0.05, 0.1, 0.2, 0.4)
_STRENGTH: Final = 0.02
_OUTER, _INNER = 6, 60
_TINY: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Fit:
    """A fit of one span: log likelihoods by turnover (highest is 0), the best turnover, scale, weights by group.

    weights: theta / scale, 1 where prints say nothing else; ahead: the held-out Poisson deviance that the weights
    explain beyond the scale alone, as a share of its own; only an interval above 0 lets the fit replace the prior.
    """

    profile: dict[float, float]
    turnover: float
    scale: float
    weights: Floats
    ahead: Interval

    @property
    def is_promotable(self) -> bool:
        """Whether the weights predicted days that they had not seen better than the scale alone."""
        return self.ahead.low > 0.0


@dataclass(slots=True)
class _Recording(Inventory):
    """An inventory that tells what it sweeps by leverage group."""

    lain: Floats = field(default_factory=lambda: np.zeros((2, GROUPS)))

    def _clear(self, side: int, start: int, stop: int) -> float:
        self.lain[side] += self.rows[side, :GROUPS, start:stop].sum(axis=1) * self.scale[side]
        return Inventory._clear(self, side, start, stop)  # noqa: SLF001 -- super() fails where slots made a new class


def swept_by_group(steps: Steps, deposits: Deposits, *, turnover: float, bin_bps: float) -> Floats:
    """Contracts that each step sweeps, float64[step, side, group], under the prior of ``deposits``."""
    state = start_state(steps, deposits, b"")
    inventory = _Recording(deposits)
    flow = flows(steps.open_interest, steps.volume, state.last_open_interest, turnover)
    found = np.empty((len(steps), 2, GROUPS))
    for index, move in enumerate(moves(steps, flow, bin_width(bin_bps))):
        inventory.lain[:] = 0.0
        inventory.step(move)
        found[index] = inventory.lain
    return found


def fit(steps: Steps, deposits: Deposits, seen: Floats, *, bin_bps: float, burn_in: int) -> Fit:
    """Fit to liquidations seen, float64[step, side] contracts, after ``burn_in`` steps.

    Raises:
        ValueError: nothing was liquidated in one of the halves of the span.
    """
    middle = burn_in + (len(steps) - burn_in) // 2
    if not (seen[burn_in:middle].any() and seen[middle:].any()):
        raise ValueError("too few liquidations were seen to fit anything; take a longer span")
    likelihood, swept = {}, {}
    for turnover in TURNOVERS:
        swept[turnover] = swept_by_group(steps, deposits, turnover=turnover, bin_bps=bin_bps)
        likelihood[turnover] = weigh(swept[turnover][burn_in:], seen[burn_in:])[1]
    turnover = max(likelihood, key=lambda one: likelihood[one])
    theta, _ = weigh(swept[turnover][burn_in:], seen[burn_in:])
    scale = _scale(swept[turnover][burn_in:], theta)
    early = weigh(swept[turnover][burn_in:middle], seen[burn_in:middle])[0]
    days = steps.end_ms[middle:] // 86_400_000
    ahead = _ahead(swept[turnover][middle:], seen[middle:], early, _scale(swept[turnover][burn_in:middle], early), days)
    best = max(likelihood.values())
    return Fit({one: value - best for one, value in likelihood.items()}, turnover, scale, theta / scale, ahead)


def weigh(swept: Floats, seen: Floats) -> tuple[Floats, float]:
    """Group factors theta and their Poisson log likelihood, counted in units of the mean print."""
    unit = float(seen[seen > 0.0].mean())
    y, x = seen.reshape(-1) / unit, swept.reshape(-1, GROUPS) / unit
    total = x.sum(axis=0)
    strength, theta = _STRENGTH * total.mean(), np.full(GROUPS, y.sum() / total.sum())
    for _ in range(_OUTER):
        common = float(total @ theta / total.sum())
        for _ in range(_INNER):
            theta = (theta * (x.T @ (y / (x @ theta + _TINY))) + common * strength) / (total + strength)
    rate = x @ theta + _TINY
    return theta, float((y * np.log(rate) - rate).sum())


def _scale(swept: Floats, theta: Floats) -> float:
    total = swept.sum(axis=(0, 1))
    return float(total @ theta / total.sum())


def _ahead(swept: Floats, seen: Floats, theta: Floats, scale: float, days: Ints) -> Interval:
    """Held-out deviance of the common scale less that of the group factors, per unit of the former."""
    unit = float(seen[seen > 0.0].mean())
    plain, fitted = (_deviance(seen / unit, (swept @ one) / unit) for one in (np.full(GROUPS, scale), theta))
    return gain((plain - fitted).sum(axis=1), float(plain.sum()), days)


def _deviance(seen: Floats, said: Floats) -> Floats:
    rate = said + _TINY
    return 2.0 * (np.where(seen > 0.0, seen * np.log(np.maximum(seen, _TINY) / rate), 0.0) - seen + rate)
