from __future__ import annotations

import numpy as np
import pytest

from heatmaps.core.estimators.open_interest import OpenInterest
from heatmaps.core.fitting import TURNOVERS, Fit, fit, weigh
from heatmaps.core.inventory import GROUPS
from heatmaps.core.steps import Steps, cut_steps, sampled_ends
from heatmaps.core.worlds.market import Tape, simulate
from heatmaps.core.worlds.world import WORLDS
from market.terms import LINEAR

DAYS = 16
BURN_IN = 4 * 288
THINNED = 0.4


@pytest.fixture(scope="module")
def tape() -> Tape:
    return simulate(WORLDS["base"], np.random.default_rng(2), days=DAYS, every=1440)


def _seen(tape: Tape, share: float) -> np.ndarray:
    kept = tape.prints[np.random.default_rng(9).random(len(tape.prints)) < share]
    seen = np.zeros((DAYS * 288, 2))
    np.add.at(seen, (kept["minute"] // 5, kept["side"]), kept["quantity"])
    return seen


def _fit(tape: Tape, share: float) -> Fit:
    ours = OpenInterest(terms=LINEAR)
    window = tape.window
    steps: Steps = cut_steps(
        window, sampled_ends(window), width=ours.width, through_ms=None, digest=b"", reading=ours.options.reading
    )
    return fit(steps, ours.deposits[-1], _seen(tape, share), bin_bps=ours.bin_bps, burn_in=BURN_IN)


def test_thinning_is_found_in_the_scale_and_turnover_on_the_grid(tape: Tape) -> None:
    whole, part = _fit(tape, 1.0), _fit(tape, THINNED)
    assert part.scale / whole.scale == pytest.approx(THINNED, rel=0.1)
    for found in (whole, part):
        assert abs(TURNOVERS.index(found.turnover) - TURNOVERS.index(0.1)) <= 1
        assert max(found.profile.values()) == 0.0


def test_group_factors_are_found_where_prints_follow_them() -> None:
    g = np.random.default_rng(4)
    swept = g.gamma(0.5, 200.0, (4000, 2, GROUPS))
    true = np.array([0.5, 0.8, 1.0, 1.2, 0.3, 0.6])
    theta, _ = weigh(swept, g.poisson(swept @ true).astype(np.float64))
    assert theta == pytest.approx(true, abs=0.05)


def test_a_group_that_was_not_swept_keeps_the_common_scale() -> None:
    g = np.random.default_rng(4)
    swept = g.gamma(0.5, 200.0, (2000, 2, GROUPS))
    swept[..., 0] = 0.0
    theta, _ = weigh(swept, g.poisson(0.4 * swept.sum(axis=2)).astype(np.float64))
    assert theta[0] == pytest.approx(0.4, rel=0.02)
