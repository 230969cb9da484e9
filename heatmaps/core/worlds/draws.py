"""The chance in a simulated market, an hour at a time: numpy draws arrays much faster than numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from market.contracts import LiquidationRule, liquidation_ratio

from .book import FIELDS, PARTIAL, WALLET
from .world import LEVERAGE, MAINTENANCE

if TYPE_CHECKING:
    from heatmaps.core.grid import Floats, Ints

    from .world import World

BLOCK: Final = 60  # minutes
MOVES: Final = 6  # of price in a minute
PARCELS: Final = 3  # positions opened per side and minute
_CANDIDATES: Final = 64
_FIRST: Final = 4000  # positions per side with which a market begins
_FIRST_SPREAD: Final = 0.03
_MIDDLE: Final = 2.7  # ln of a usual leverage
_LEAST_MARGIN: Final = 1.5
_SIDES: Final = np.array([[1.0], [-1.0]])


@dataclass(frozen=True, slots=True)
class Draws:
    """One hour's chance. Lists are by minute.

    shock: moves of price [MOVES]; rounding, slot, accept: who is asked whether to close, and agrees; interest: the
    wish for open interest; churn, taker: of volume; rows, moment, fresh: new positions, longs first, with fresh
    float64[FIELDS, 2 * PARCELS] as a book holds them, level relative to entry.
    """

    shock: list[list[float]]
    rounding: list[list[float]]
    slot: Floats
    accept: Floats
    interest: list[float]
    rows: list[list[int]]
    moment: Ints
    fresh: Floats


def draw(world: World, g: np.random.Generator, momentum: float, maintenance_rise: float) -> Draws:
    """Draw an hour; new positions choose their leverage by ``momentum`` [ln price]."""
    wild = np.where(g.random((BLOCK, MOVES)) < 0.02, 2.5, 1.0)  # noqa: PLR2004 -- one in fifty is wild: fat tails
    rows, fresh = _positions(world, g, (BLOCK, 2, PARCELS), momentum, maintenance_rise)
    return Draws(
        shock=(wild * g.standard_normal((BLOCK, MOVES))).tolist(),
        rounding=g.random((BLOCK, 4)).tolist(),
        slot=g.random((BLOCK, 4, _CANDIDATES)),
        accept=g.random((BLOCK, 4, _CANDIDATES)),
        interest=g.standard_normal(BLOCK).tolist(),
        rows=rows.reshape(BLOCK, -1).tolist(),
        moment=g.integers(0, MOVES, (BLOCK, 2 * PARCELS)),
        fresh=fresh.reshape(FIELDS, BLOCK, -1).transpose(1, 0, 2),
    )


def first_positions(world: World, g: np.random.Generator) -> tuple[list[int], Floats]:
    """The positions with which a market begins: entries around its first price (ln price 0)."""
    rows, columns = _positions(world, g, (1, 2, _FIRST), 0.0, 0.0)
    columns = columns.reshape(FIELDS, -1)
    columns[0] = world.open_interest / _FIRST
    columns[1] = _FIRST_SPREAD * g.standard_normal(2 * _FIRST)
    is_held = np.abs(columns[2]) < 9.0  # noqa: PLR2004 -- the hedged are far beyond
    columns[2] = np.where(is_held, columns[2] + columns[1], columns[2])
    return rows.reshape(-1).tolist(), columns


def volatility(world: World, g: np.random.Generator, minutes: int) -> list[float]:
    """Standard deviation of ln price per minute: two factors with memories of two hours and two days."""
    shocks, factors, moved = g.standard_normal((minutes, 2)).tolist(), [0.0, 0.0], np.empty(minutes)
    memory, size = (1 - 1 / 120, 1 - 1 / 2880), (0.3, 0.45)
    fresh = [s * (1 - m * m) ** 0.5 for m, s in zip(memory, size, strict=True)]
    for minute, (fast, slow) in enumerate(shocks):
        factors = [memory[0] * factors[0] + fresh[0] * fast, memory[1] * factors[1] + fresh[1] * slow]
        moved[minute] = factors[0] + factors[1]
    sigma: list[float] = (world.volatility * np.exp(np.clip(moved - 0.14, -2.0, 2.0))).tolist()
    return sigma


def _positions(
    world: World, g: np.random.Generator, shape: tuple[int, int, int], momentum: float, maintenance_rise: float
) -> tuple[Ints, Floats]:
    """Rows [shape] and columns float64[FIELDS, *shape]; shape is (minutes, sides, positions)."""
    leverage = np.array(LEVERAGE)
    taste = world.tilt * momentum / 0.01 * _SIDES * (np.log(leverage) - _MIDDLE)
    mix = (np.array(world.share) * np.exp(taste)).cumsum(axis=1)
    pick = (g.random(shape)[..., None] * mix[:, None, -1:] > mix[:, None, :]).sum(axis=-1)
    maintenance = np.array(MAINTENANCE)[pick] + maintenance_rise
    effective = leverage[pick] * np.exp(-np.abs(world.shrink * g.standard_normal(shape)))
    # No venue opens a position that has hardly more margin than it must keep.
    effective = np.clip(effective, 1.0 + 1e-6, 1.0 / (_LEAST_MARGIN * maintenance))
    ratio = liquidation_ratio(
        rule=LiquidationRule.LINEAR_MARK,
        position_side=_SIDES,
        leverage=effective,
        maintenance_rate=maintenance,
    )
    columns = np.zeros((FIELDS, *shape))
    is_hedged = g.random(shape) < world.hedged_share
    columns[2] = np.where(is_hedged, -99.0 * _SIDES, np.log(ratio))
    columns[4] = WALLET * (g.random(shape) < world.wallet_share) + PARTIAL * (g.random(shape) < world.partial_share)
    is_patient = g.random(shape) >= world.hasty_share
    rows = np.array([[0], [2]]) + is_patient
    return rows, columns
