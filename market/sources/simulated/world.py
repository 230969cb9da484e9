"""The constants of the simulated market: what its traders trade, at which leverage, and how prices move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from market.contracts import linear_mark
from market.sources.base import InstrumentFacts

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

SUB_STEPS: Final = 6  # moments inside a minute at which the price moves and liquidations happen
BLOCK: Final = 60  # minutes that share one generator
PARCELS: Final = 3  # positions opened per side and minute; the last one belongs to a patient trader

# Nominal leverages on offer, how often they are chosen (notional weighted) and their maintenance margin rates.
LEVERAGE: Final = np.array([3.0, 5.0, 10.0, 20.0, 25.0, 50.0, 75.0, 100.0, 125.0])
PREFERENCE: Final = np.array([0.10, 0.14, 0.20, 0.16, 0.12, 0.12, 0.06, 0.07, 0.03])
MAINTENANCE: Final = np.array([0.010, 0.0065, 0.005, 0.005, 0.005, 0.004, 0.004, 0.004, 0.004])
LOG_LEVERAGE: Final = np.log(LEVERAGE) - 2.7  # around the usual
LEVERAGE_UNIT: Final = 0.01  # effective leverages are whole hundredths
LEVERAGE_MIN: Final = 1.05
_NONE: Final = np.zeros(())


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How traders act; the same in every simulated instrument."""

    tilt: float = 0.15  # preference for leverage on the side of the trend, per 1 % of momentum
    patience: float = 0.9  # patient traders prefer less leverage: weight * leverage ** -patience
    jitter: float = 0.25  # effective leverage = nominal * exp(-|N(0, jitter)|): cross margin, partial use
    hedged_share: float = 0.15  # positions that another book covers: never liquidated
    margin_call_share: float = 0.10  # traders who double their margin instead of being liquidated
    patient_share: float = 0.40  # part of opened notional that belongs to patient traders
    hazard_fast: float = 1 / 240  # voluntary closes per minute
    hazard_slow: float = 1 / 7200
    disposition: float = 0.5  # closing gets likelier per 2 % of profit, half as much per 2 % of loss
    hazard_multiple_max: float = 4.0
    deleveraging: float = 0.5  # part of liquidated open interest that nobody reopens at once
    churn: float = 2.5  # market makers' volume per unit of position flow


@dataclass(frozen=True, slots=True)
class Motion:
    """How prices and open interest move; log units per minute unless said otherwise."""

    volatility: float = 5.5e-4
    trend: float = 1.4e-5  # size of the drift; its cube law gives quiet ranges and few strong moves
    trend_minutes: float = 720.0
    reversion: float = 1 / 500  # pull of the price towards its anchor: what makes ranges
    anchor_reversion: float = 1 / 28_800
    impact: float = 0.02  # price move per (liquidated / open interest) ** 0.7
    impact_lasting: float = 0.35  # part of it that stays; the rest is a wick
    wick_decay: float = 0.97  # per sub-step
    wick_chance: float = 1 / 600
    wick_size: float = 4.0  # in minutes' standard deviations
    interest_volatility: float = 8e-4
    interest_reversion: float = 1 / 2880


@dataclass(frozen=True, slots=True)
class World:
    """One simulated instrument: its terms, its seed and where it starts."""

    facts: InstrumentFacts
    seed: int
    start_price: float
    open_interest: float  # [base]
    ticks_per_unit: int  # prices are whole ticks inside, so that nothing is lost by rounding
    lots_per_unit: int  # quantities are whole lots inside, so that sums are exact
    behaviour: Behaviour
    motion: Motion


def _facts(base: str, tick_size: str) -> InstrumentFacts:
    return InstrumentFacts(
        symbol=f"{base}-USDT",
        base=base,
        quote="USDT",
        contract_type="linear",
        contract_size=1.0,
        tick_size=tick_size,
        lot_size="0.001",
    )


WORLDS: Final[Mapping[str, World]] = {
    "SIMBTC-USDT": World(
        facts=_facts("SIMBTC", "0.1"),
        seed=7,
        start_price=60_000.0,
        open_interest=100_000.0,
        ticks_per_unit=10,
        lots_per_unit=1000,
        behaviour=Behaviour(),
        motion=Motion(),
    ),
    "SIMETH-USDT": World(
        facts=_facts("SIMETH", "0.01"),
        seed=6,
        start_price=3_000.0,
        open_interest=1_500_000.0,
        ticks_per_unit=100,
        lots_per_unit=1000,
        behaviour=Behaviour(),
        motion=Motion(volatility=6.6e-4, trend=1.6e-5),
    ),
}


def hundredths(leverage: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return effective leverages as the whole hundredths in which a book holds them."""
    return np.maximum(np.rint(leverage / LEVERAGE_UNIT), LEVERAGE_MIN / LEVERAGE_UNIT).astype(np.int64)


def liquidation_ratio(*, centi: npt.NDArray[np.int64], side: npt.NDArray[np.int64] | int) -> npt.NDArray[np.float64]:
    """Return liquidation price / entry of isolated linear positions.

    centi = effective leverage in hundredths, side +1 long, -1 short, of shapes that broadcast.
    By the linear rule without fees and brackets' amounts: (1 - s/l) / (1 - s m).
    """
    leverage = np.asarray(centi * LEVERAGE_UNIT, np.float64)
    maintenance = np.interp(leverage, LEVERAGE, MAINTENANCE)
    return linear_mark(np.asarray(side, np.float64), 1.0 / leverage, maintenance, _NONE, _NONE)


def liquidation_ticks(
    *, entry: npt.NDArray[np.int64], centi: npt.NDArray[np.int64], side: npt.NDArray[np.int64] | int
) -> npt.NDArray[np.int64]:
    """Return liquidation prices [ticks], at least one tick, of positions entered at ``entry`` [ticks]."""
    ticks = np.rint(entry * liquidation_ratio(centi=centi, side=side))
    return np.maximum(ticks, 1.0).astype(np.int64)
