"""How price, volatility and the wish for open interest move; single numbers only, so plain floats are fastest."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .world import SUB_STEPS

if TYPE_CHECKING:
    from .draws import Draws
    from .world import Motion, World

FAST: Final = math.exp(-1 / 120)  # memory of the two volatility factors, the trend and the premium, per minute
SLOW: Final = math.exp(-1 / 2880)
PREMIUM: Final = math.exp(-1 / 240)
MOMENTUM: Final = 0.99
MOMENTUM_LONG: Final = 1 - 1 / 480
FUNDING_BASE: Final = 1e-4  # per 8 hours, the interest that perpetual contracts charge by custom
INTEREST_LEAST: Final = 0.1  # of the usual
FUNDING_LIMIT: Final = 7.5e-3


@dataclass(slots=True)
class State:
    """Everything that goes on from one minute to the next, except the book. Log prices relative to the start."""

    level: float = 0.0  # log price without the wick
    anchor: float = 0.0
    wick: float = 0.0
    volatility_fast: float = 0.0
    volatility_slow: float = 0.0
    trend: float = 0.0  # unit variance
    momentum: float = 0.0
    momentum_block: float = 0.0  # at the start of the block: what the block's traders choose their leverage by
    momentum_long: float = 0.0
    premium: float = 0.0  # unit variance
    premium_sum: float = 0.0  # since the last funding
    premium_count: float = 0.0
    wanted: float = 0.0  # open interest that traders want [lots]
    close: float = 0.0  # last price [ticks], a whole number


def _recall(value: float, memory: float, shock: float) -> float:
    """Move a factor of unit variance one minute on."""
    return memory * value + math.sqrt(1.0 - memory * memory) * shock


def move_factors(state: State, motion: Motion, shock: list[float]) -> float:
    """Move volatility, trend and premium one minute on; return this minute's volatility relative to the usual."""
    state.volatility_fast = _recall(state.volatility_fast, FAST, shock[0])
    state.volatility_slow = _recall(state.volatility_slow, SLOW, shock[1])
    state.trend = _recall(state.trend, math.exp(-1.0 / motion.trend_minutes), shock[2])
    state.premium = _recall(state.premium, PREMIUM, shock[3])
    exponent = 0.30 * state.volatility_fast + 0.45 * state.volatility_slow - 0.14
    return math.exp(min(max(exponent, -2.0), 2.0))


def start_minute(state: State, motion: Motion, draws: Draws, k: int, volatility: float) -> None:
    """Let the anchor drift, and now and then tear a wick."""
    state.anchor += motion.trend * state.trend**3 / math.sqrt(15.0) - motion.anchor_reversion * state.anchor
    if draws.wick_now[k] < motion.wick_chance:
        state.wick += motion.wick_size * motion.volatility * volatility * draws.wick[k]


def move_price(state: State, world: World, shock: float, volatility: float) -> int:
    """Move the price one sub-step on and return it [ticks]."""
    motion = world.motion
    drift = motion.trend * state.trend**3 / math.sqrt(15.0)
    pull = motion.reversion * (state.anchor - state.level)
    state.level += motion.volatility * volatility * shock / math.sqrt(SUB_STEPS) + (drift + pull) / SUB_STEPS
    state.wick *= motion.wick_decay
    return max(round(world.start_price * world.ticks_per_unit * math.exp(state.level + state.wick)), 1)


def push_price(state: State, motion: Motion, side: int, share: float) -> None:
    """Let forced closes of this share of open interest move the price: longs (0) down, shorts (1) up."""
    jump = (-motion.impact if side == 0 else motion.impact) * share**0.7
    lasting = motion.impact_lasting * jump
    state.level += lasting
    state.anchor += lasting
    state.wick += jump - lasting


def move_interest(state: State, world: World, shock: float, volatility: float) -> None:
    """Move the wish for open interest one minute on; it comes back to the usual within days."""
    motion = world.motion
    pull = motion.interest_reversion * math.log(world.open_interest * world.lots_per_unit / state.wanted)
    state.wanted *= math.exp(motion.interest_volatility * math.sqrt(volatility) * shock + pull)


def shrink_interest(state: State, world: World, lots: int) -> None:
    """Let traders want that much less open interest; some will always trade."""
    least = INTEREST_LEAST * world.open_interest * world.lots_per_unit
    state.wanted = max(state.wanted - lots, least)


def end_minute(state: State, close: int) -> float:
    """Note the close, follow momentum and premium; return the minute's log return."""
    gain = math.log(close / state.close)
    state.close = float(close)
    state.momentum = MOMENTUM * state.momentum + gain
    state.momentum_long = MOMENTUM_LONG * state.momentum_long + gain
    state.premium_sum += 4e-5 * state.premium + 0.006 * state.momentum_long
    state.premium_count += 1.0
    return gain


def settle_funding(state: State) -> float:
    """Return the funding rate of the interval that ends now and begin the next."""
    rate = FUNDING_BASE + state.premium_sum / max(state.premium_count, 1.0)
    state.premium_sum = state.premium_count = 0.0
    return round(min(max(rate, -FUNDING_LIMIT), FUNDING_LIMIT), 8)
