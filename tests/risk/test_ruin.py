"""The simulation of ruin against a slow twin that walks each account alone, and closed forms where they are exact."""

from __future__ import annotations

import math
from decimal import Decimal
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
import pytest

from risk import formulas

if TYPE_CHECKING:
    from collections.abc import Sequence

SEED, TRADES, PATHS, DRAWDOWN = 11, 23, 40, 0.1
RISK = 0.05
Z = 1.959963984540054


def accounts(results: Sequence[float], weights: Sequence[float] | None) -> list[list[float]]:
    """Return what each account is worth after each trade, drawn as the formula says it draws."""
    generator = np.random.default_rng(SEED)
    met: list[list[int]] = [[] for _ in range(PATHS)]
    starts = np.zeros(PATHS, np.intp)
    for trade in range(TRADES):
        if weights is not None:
            drawn = generator.random(PATHS)
            ends = [share / sum(weights) for share in accumulate(weights)]
            picks = [sum(end <= number for end in ends[:-1]) for number in drawn]
        else:
            starts = starts if trade % 5 else generator.integers(0, len(results), PATHS)
            picks = [(start + trade % 5) % len(results) for start in starts]
        for path, pick in zip(met, picks, strict=True):
            path.append(pick)
    return [[math.prod(1 + RISK * results[pick] for pick in path[: n + 1]) for n in range(TRADES)] for path in met]


MANY = [round(-1 + n / 8, 3) for n in range(20)]


@pytest.mark.parametrize(
    ("results", "weights"),
    [
        ([2.0, -1.0], [9.0, 11.0]),
        ([2.0, -1.0, 0.5], [0.25, 0.5, 0.25]),
        (MANY, [1.0 + n % 3 for n in range(20)]),
        (MANY[:17], [1.0] * 17),
        ([2.0, -1.0, -1.0, 0.5, -1.0, 3.0, -1.0], None),
    ],
)
def test_simulation_equals_its_slow_twin(results: list[float], weights: list[float] | None) -> None:
    worth = accounts(results, weights)
    ends = [path[-1] for path in worth]
    falls = [min(now / max(1.0, *path[: n + 1]) for n, now in enumerate(path)) for path in worth]
    ruined = sum(min(path) <= 1 - DRAWDOWN for path in worth)
    found = formulas.simulate_ruin(
        results=results, weights=weights, fraction=RISK, drawdown=DRAWDOWN, trades=TRADES, paths=PATHS,
        generator=np.random.default_rng(SEED),
    )  # fmt: skip
    assert 0 < ruined < PATHS
    assert found.chance == ruined / PATHS
    cuts = (0.05, 0.25, 0.5, 0.75, 0.95)
    # Quantiles are taken of logarithms.
    assert found.quantiles == pytest.approx(np.exp(np.quantile(np.log(ends), cuts)))
    assert found.falls == pytest.approx(np.exp(np.quantile(np.log(falls), cuts)))


@pytest.mark.parametrize("ruined", [0, 3, 10])
def test_interval_is_wilsons(ruined: int) -> None:
    """Its ends are the shares p for which |share - p| is z standard errors under p itself."""
    results = [-1.0] * ruined + [1.0] * (10 - ruined)
    seen = np.random.default_rng(2).integers(0, 10, 50)
    share = float(np.mean(seen < ruined))
    found = formulas.simulate_ruin(
        results=results, fraction=0.5, drawdown=0.5, trades=1, paths=50, generator=np.random.default_rng(2)
    )
    assert found.chance == share
    for end in (found.low, found.high):
        assert abs(share - end) == pytest.approx(Z * math.sqrt(end * (1 - end) / 50), abs=1e-9)
    assert round(found.low, 12) <= share <= round(found.high, 12)


def test_simulation_takes_what_is_allowed_and_no_more() -> None:
    def run(*, trades: int = 1, paths: int = 1) -> formulas.Ruin:
        generator = np.random.default_rng(0)
        return formulas.simulate_ruin(
            results=[-1.0], fraction=0.25, drawdown=0.25, trades=trades, paths=paths, generator=generator
        )

    # A fall to the threshold itself is ruin.
    assert run().chance == 1.0
    assert run(trades=2_000).quantiles[0] == pytest.approx(0.75**2_000)
    assert run(paths=20_000).chance == 1.0
    for terms in ({"trades": 0}, {"paths": 0}, {"trades": 2_001}, {"paths": 20_001}):
        with pytest.raises(ValueError, match=r"^Give at most 2,000 trades and 20,000 paths\.$"):
            run(**terms)
    for loss in (-4.0, -5.0):
        with pytest.raises(ValueError, match=r"^The worst loss at this risk takes the whole account\."):
            formulas.simulate_ruin(
                results=[1.0, loss], fraction=0.25, drawdown=0.5, trades=1, paths=1, generator=np.random.default_rng(0)
            )


@pytest.mark.parametrize("win_rate", [0.51, 0.6, 0.75, 0.99])
@pytest.mark.parametrize("fraction", [0.02, 0.5, 3.0])
def test_exponent_of_a_win_that_undoes_a_loss(win_rate: float, fraction: float) -> None:
    """Factors 1 + f and 1 / (1 + f): p u + (1 - p) / u = 1 has the root u = (1 - p) / p, and u = (1 + f)^-theta."""
    results, weights = [1.0, -1.0 / (1 + fraction)], [win_rate, 1 - win_rate]
    theta = math.log(win_rate / (1 - win_rate)) / math.log1p(fraction)
    found = formulas.lundberg_exponent(results=results, weights=weights, fraction=fraction)
    assert found == pytest.approx(theta, rel=1e-9)
    bound = formulas.drawdown_bound(results=results, weights=weights, fraction=fraction, drawdown=0.2)
    assert bound == pytest.approx(0.8**theta, rel=1e-9)


@pytest.mark.parametrize("win_rate", ["0.34", "0.4", "0.5", "0.9"])
def test_whole_payoff_of_two_is_the_root_of_a_square(win_rate: str) -> None:
    """Here p z^3 - z + 1 - p = (z - 1)(p z^2 + p z - (1 - p))."""
    p = Decimal(win_rate)
    root = ((p * p + 4 * p * (1 - p)).sqrt() - p) / (2 * p)
    found = formulas.ruin_whole_payoff(win_rate=p, payoff=2, units=3)
    assert abs(found - root**3) < Decimal("1e-20")


def test_exponent_needs_an_edge_and_a_loss() -> None:
    assert formulas.lundberg_exponent(results=[0.0], fraction=0.1) is None
    assert formulas.lundberg_exponent(results=[1.0, 0.0], fraction=0.1) == math.inf
    assert formulas.lundberg_exponent(results=[1.0, -0.001], fraction=0.1) == pytest.approx(
        math.log(2) / -math.log1p(-0.0001), rel=1e-3
    )
    # Each share counts for its result, in whatever measure all are given.
    shares = [1.0, 3.0]
    once = formulas.lundberg_exponent(results=[3.0, -0.5], weights=shares, fraction=0.1)
    assert once == formulas.lundberg_exponent(results=[3.0, -0.5], weights=[s / 4 for s in shares], fraction=0.1)
    assert once == pytest.approx(formulas.lundberg_exponent(results=[3.0, -0.5, -0.5, -0.5], fraction=0.1) or 0)
