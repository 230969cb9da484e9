"""How a simulated market begins: with a book that an earlier, unseen price path could have left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from .book import BOOKS, Book, veil
from .draws import GENESIS, draw_traits, generator
from .market import Market
from .motion import State
from .world import LEVERAGE, LOG_LEVERAGE, PREFERENCE, World, hundredths, liquidation_ticks

if TYPE_CHECKING:
    import numpy.typing as npt

PAST_MINUTES: Final = 28_800
PAST_VOLATILITY: Final = 5e-4
# Of the hasty and the patient traders of one side:
COUNTS: Final = (300, 5000)
SHARES: Final = (0.05, 0.95)  # of open interest
AGES: Final = (150.0, 5000.0)  # mean minutes since they entered
SPARE: Final = 4  # drawn for each position that is kept; the path has liquidated some of the others


def begin(*, world: World, start_ms: int) -> Market:
    """Return the market at its first moment."""
    g = generator(seed=world.seed, block=GENESIS)
    close = round(world.start_price * world.ticks_per_unit)
    lots = round(world.open_interest * world.lots_per_unit)
    steps = PAST_VOLATILITY * g.standard_normal(PAST_MINUTES)
    steps[0] = 0.0
    past = np.rint(close * np.exp(np.cumsum(steps))).astype(np.int64)  # the newest first
    book = Book()
    for row in range(BOOKS):
        _fill(g, world, book, row, past)
    for side in (0, 1):
        book.quantity[2 * side + 1, 0] += lots - book.total[side]
        book.total[side] = lots
    state = State(
        volatility_fast=float(g.standard_normal()),
        volatility_slow=float(g.standard_normal()),
        wanted=float(lots),
        close=float(close),
    )
    return Market(world=world, start_ms=start_ms, minute=0, state=state, book=book)


def _fill(g: np.random.Generator, world: World, book: Book, row: int, past: npt.NDArray[np.int64]) -> None:
    """Put positions into one row that entered along the past path and that it did not liquidate since."""
    side, patience = 1 - 2 * (row // 2), row % 2
    size = SPARE * COUNTS[patience]
    traits = draw_traits(g, world.behaviour, (size,))
    ages = np.minimum(g.exponential(AGES[patience], size), PAST_MINUTES - 1).astype(np.int64)
    mix = (PREFERENCE * np.exp(-patience * world.behaviour.patience * LOG_LEVERAGE)).cumsum()
    leverage = LEVERAGE[np.searchsorted(mix, traits.nominal * mix[-1])] * traits.shrink
    centi = hundredths(leverage)
    entry = past[ages]
    liquidation = liquidation_ticks(entry=entry, centi=centi, side=side)
    since = np.minimum.accumulate(past) if side > 0 else np.maximum.accumulate(past)
    alive = np.flatnonzero(side * liquidation < side * since[ages])[: COUNTS[patience]]
    weight = traits.weight[alive]
    lots = world.open_interest * world.lots_per_unit
    quantity = (weight / weight.sum() * lots * SHARES[patience]).astype(np.int64)
    book.append(
        row, veil(row, np.stack([quantity, entry[alive], centi[alive], liquidation[alive], traits.spare[alive]]))
    )
