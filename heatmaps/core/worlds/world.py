"""The three worlds in which estimators are judged: what traders do and how price moves.

They are not the simulated venue of ``market.sources``, which is for demonstrations and has whole ticks and lots. Here
a market is as simple as a fair judge allows, and each world breaks other assumptions of the estimator.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

# Nominal leverages on offer and their maintenance margin rates.
LEVERAGE: Final = (3.0, 5.0, 10.0, 20.0, 25.0, 50.0, 75.0, 100.0, 125.0)
MAINTENANCE: Final = (0.010, 0.0065, 0.005, 0.005, 0.005, 0.004, 0.004, 0.004, 0.004)


@dataclass(frozen=True, slots=True)
class World:
    """How traders act and price moves; times in minutes, prices in ln, shares of notional."""

    share: tuple[float, ...]  # of new positions by nominal leverage
    tilt: float = 0.15  # preference for leverage on the side of the trend, per 1 % of momentum
    shrink: float = 0.25  # effective leverage = nominal * exp(-|N(0, shrink)|)
    hedged_share: float = 0.15  # never liquidated
    margin_share: float = 0.10  # of those about to be liquidated: margin added instead
    hasty_share: float = 0.6  # positions of traders who stay for hours, the others for days
    hasty_hazard: float = 1 / 240  # voluntary closes per minute
    patient_hazard: float = 1 / 7200
    disposition: float = 0.5  # closing gets likelier per 2 % of profit, half as much per 2 % of loss
    open_interest: float = 1e5  # [contracts]
    interest_volatility: float = 4e-4
    volatility: float = 6.5e-4
    churn: float = 2.5  # market makers' volume per unit of position flow
    impact: float = 2.0  # push of forced closes, in a sub-step's standard deviations per sqrt(share of open interest)
    # What the estimator does not know of:
    ageing: float = 0.0  # hazard falls with age: divided by 1 + ageing * hours held, down to a quarter
    stop: float = 0.0  # closing gets likelier as a loss eats the way to liquidation
    wallet_share: float = 0.0  # cross margin: the way to liquidation is drawn anew as the wallet changes
    wallet_spread: float = 0.0
    wallet_hazard: float = 0.0  # per hour
    bracket_rise: float = 0.0  # added to every maintenance rate when half of the time is over
    partial_share: float = 0.0  # positions of which only half is closed at the first liquidation


_BASE: Final = (0.16, 0.20, 0.24, 0.14, 0.10, 0.08, 0.03, 0.04, 0.01)
_HIGH: Final = (0.06, 0.10, 0.16, 0.16, 0.14, 0.16, 0.08, 0.10, 0.04)

WORLDS: Final[Mapping[str, World]] = MappingProxyType(
    {
        "base": World(share=_BASE),
        "high-leverage": World(share=_HIGH, tilt=0.30, hedged_share=0.08),
        "misspecified": World(
            share=_BASE,
            hasty_share=0.4,
            hedged_share=0.30,
            disposition=1.0,
            ageing=0.03,
            stop=2.0,
            wallet_share=0.4,
            wallet_spread=0.35,
            wallet_hazard=0.02,
            bracket_rise=0.005,
            partial_share=0.5,
        ),
    }
)
