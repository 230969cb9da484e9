"""From a prior on nominal leverage to 24 effective-leverage tiers and their distance to liquidation.

Cross margin and added collateral put a position's real leverage at or below the number it was opened with, so the
nominal mixture is folded with a half-normal shrink of log leverage. The folding is closed form: no sampling.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erfc, sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

from market.contracts import LiquidationRule, liquidation_ratio

if TYPE_CHECKING:
    from market.contracts import Brackets

    from .grid import Floats, Ints

# Leverage groups that the map attributes to; neighbouring tiers cannot be told apart from outside.
GROUP_EDGES: Final = (8.0, 15.0, 22.0, 40.0, 70.0)
GROUP_LABELS: Final = ("<8x", "8-15x", "15-22x", "22-40x", "40-70x", ">70x")


@dataclass(frozen=True, slots=True)
class LeveragePrior:
    """Shares of new notional by nominal leverage, and how far the effective leverage falls short of it.

    ``never_share`` is the part that no price on the map liquidates (hedges, market makers), ``never_share_short``
    that of shorts where it is another; what the shrink takes below ``lowest`` joins it. ``maintenance`` are rates by
    nominal leverage for contracts whose brackets are unknown.
    """

    leverage: tuple[float, ...] = (3.0, 5.0, 10.0, 20.0, 25.0, 50.0, 75.0, 100.0, 125.0)
    share: tuple[float, ...] = (0.16, 0.18, 0.22, 0.14, 0.10, 0.09, 0.04, 0.05, 0.02)
    maintenance: tuple[float, ...] = (0.010, 0.0065, 0.005, 0.005, 0.005, 0.004, 0.004, 0.004, 0.004)
    never_share: float = 0.10
    shrink: float = 0.25
    lowest: float = 2.5
    highest: float = 125.01
    tier_count: int = 24
    never_share_short: float | None = None


@dataclass(frozen=True, slots=True)
class Tiers:
    """Effective-leverage tiers; arrays are [tier] except ``weight`` and ``ratio``, [side, tier] (side 0 long, 1 short).

    ``weight`` sums to less than 1 on each side: the rest is never liquidated. ``ratio`` is liquidation price / entry.
    """

    leverage: Floats
    weight: Floats
    maintenance: Floats
    group: Ints
    ratio: Floats


@dataclass(frozen=True, slots=True)
class Margins:
    """How a venue measures maintenance: its rule, its brackets, and how they are read.

    brackets: None where they are unknown: the prior's own table counts; fee_rate: joins the maintenance rate;
    headroom: a position of leverage x is taken to lie in the largest bracket that still allows headroom * x (or the
    most that is offered), at that bracket's floor. 1 is the largest position that could be; infinite, the smallest.
    """

    rule: LiquidationRule = LiquidationRule.LINEAR_MARK
    brackets: Brackets | None = None
    fee_rate: float = 0.0
    headroom: float = 1.0


def effective_tiers(prior: LeveragePrior, margins: Margins) -> Tiers:
    """Fold the nominal prior with the shrink into log-spaced tiers.

    P(effective <= x) = sum_k share_k * P(|Z| >= ln(leverage_k / x) / shrink) with Z standard normal. Shares of more
    leverage than the venue offers lie at the most that it offers.

    Raises:
        ValueError: shares do not sum to 1, or the brackets leave a position no margin above maintenance.
    """
    share = np.array(prior.share)
    if abs(share.sum() - 1.0) > 1e-9:  # noqa: PLR2004 -- rounding of a sum, not a setting
        raise ValueError("the leverage shares must sum to 1")
    most = np.inf if margins.brackets is None else float(margins.brackets.max_leverage[0])
    edges = np.geomspace(prior.lowest, prior.highest, prior.tier_count + 1)
    nominal = [(min(leverage, most), share) for leverage, share in zip(prior.leverage, prior.share, strict=True)]
    below = np.array([sum(s * _shrunk_below(n, x, prior.shrink) for n, s in nominal) for x in edges.tolist()])
    leverage = np.minimum(np.sqrt(edges[1:] * edges[:-1]), most)
    maintenance, deduction = _maintenance(prior, margins, leverage)
    ratio = liquidation_ratio(
        rule=margins.rule,
        position_side=[[1.0], [-1.0]],
        leverage=leverage,
        maintenance_rate=maintenance,
        fee_rate=margins.fee_rate,
        deduction=deduction,
    )
    if not ((ratio[0] < 1.0) & (ratio[1] > 1.0)).all():
        raise ValueError("the brackets leave a position no margin above maintenance")
    never = prior.never_share, prior.never_share if prior.never_share_short is None else prior.never_share_short
    return Tiers(
        leverage=leverage,
        weight=np.array([np.diff(below) * (1.0 - share) for share in never]),
        maintenance=maintenance,
        group=np.digitize(leverage, GROUP_EDGES).astype(np.int64),
        ratio=ratio,
    )


def _maintenance(prior: LeveragePrior, margins: Margins, leverage: Floats) -> tuple[Floats, Floats]:
    """Maintenance rates [tier] and deductions over the entry value [tier]."""
    table = margins.brackets
    if table is None:
        return np.interp(leverage, prior.leverage, prior.maintenance), np.zeros_like(leverage)
    at = table.allowing(np.minimum(leverage * margins.headroom, table.max_leverage[0]))
    return table.maintenance_rate[at], table.deduction_share()[at]


def offsets(tiers: Tiers, width: float) -> Ints:
    """Whole bins from entry to liquidation, [side, tier]; on a log grid a tier is a shift."""
    return np.rint(np.log(tiers.ratio) / width).astype(np.int64)


def _shrunk_below(nominal: float, x: float, shrink: float) -> float:
    if x >= nominal:
        return 1.0
    return erfc(float(np.log(nominal / x)) / (shrink * sqrt(2.0)))
