from __future__ import annotations

from math import erf, log, sqrt

import numpy as np
import pytest

from heatmaps.core.leverage import GROUP_LABELS, LeveragePrior, Margins, effective_tiers, offsets
from market.contracts import LiquidationRule

LINEAR = Margins()


def test_tiers_without_shrink_hold_the_nominal_shares() -> None:
    prior = LeveragePrior(shrink=1e-9)
    tiers = effective_tiers(prior, LINEAR)
    edges = np.geomspace(prior.lowest, prior.highest, prior.tier_count + 1)
    expected = np.histogram(prior.leverage, edges, weights=prior.share)[0] * (1 - prior.never_share)
    np.testing.assert_allclose(tiers.weight, [expected, expected], atol=1e-12)


def test_tiers_equal_the_integral_of_the_shrunk_density() -> None:
    prior = LeveragePrior()
    tiers = effective_tiers(prior, LINEAR)
    # P(lowest <= effective <= highest) from the normal distribution's own definition.
    inside = sum(
        share * erf(log(nominal / prior.lowest) / (prior.shrink * sqrt(2)))
        for nominal, share in zip(prior.leverage, prior.share, strict=True)
    )
    assert tiers.weight.sum(axis=1) == pytest.approx([inside * (1 - prior.never_share)] * 2, rel=1e-12)
    draw = np.random.default_rng(5)
    nominal = draw.choice(prior.leverage, 400_000, p=prior.share)
    effective = nominal * np.exp(-np.abs(prior.shrink * draw.standard_normal(len(nominal))))
    edges = np.geomspace(prior.lowest, prior.highest, prior.tier_count + 1)
    sampled = np.histogram(effective, edges)[0] / len(nominal) * (1 - prior.never_share)
    np.testing.assert_allclose(tiers.weight, [sampled, sampled], atol=2e-3)


def test_tiers_are_the_same_on_every_call() -> None:
    first, second = effective_tiers(LeveragePrior(), LINEAR), effective_tiers(LeveragePrior(), LINEAR)
    assert first.weight.tobytes() == second.weight.tobytes()


def test_groups_follow_the_edges() -> None:
    tiers = effective_tiers(LeveragePrior(), LINEAR)
    lowest = [float(tiers.leverage[tiers.group == group].min()) for group in range(len(GROUP_LABELS))]
    highest = [float(tiers.leverage[tiers.group == group].max()) for group in range(len(GROUP_LABELS))]
    assert [bottom >= edge for bottom, edge in zip(lowest[1:], (8, 15, 22, 40, 70), strict=True)] == [True] * 5
    assert [top < edge for top, edge in zip(highest[:-1], (8, 15, 22, 40, 70), strict=True)] == [True] * 5


def test_offsets_put_longs_below_and_shorts_above() -> None:
    tiers = effective_tiers(LeveragePrior(), LINEAR)
    bins = offsets(tiers, 5e-4)
    assert (bins[0] < 0).all()
    assert (bins[1] > 0).all()
    assert (np.diff(bins[0]) > 0).all()
    assert (np.diff(bins[1]) < 0).all()
    index = 10
    leverage, rate = tiers.leverage[index], tiers.maintenance[index]
    assert bins[0, index] == round(log((1 - 1 / leverage) / (1 - rate)) / 5e-4)


def test_inverse_offsets_mirror_linear_ones() -> None:
    linear = offsets(effective_tiers(LeveragePrior(), LINEAR), 5e-4)
    inverse = offsets(effective_tiers(LeveragePrior(), Margins(LiquidationRule.INVERSE_MARK)), 5e-4)
    np.testing.assert_array_equal(inverse, -linear[::-1])


def test_shares_that_do_not_sum_to_one_are_refused() -> None:
    with pytest.raises(ValueError, match="sum to 1"):
        effective_tiers(LeveragePrior(share=(0.5,) * 9), LINEAR)
