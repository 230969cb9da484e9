"""The simulated market itself: one minute after the other, and the same again for the same seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Final

import numpy as np

from . import motion
from .book import BOOKS, HEDGED, NEVER, Book
from .draws import CANDIDATES, Draws, draw_block
from .world import BLOCK, LEVERAGE, LOG_LEVERAGE, PARCELS, PREFERENCE, SUB_STEPS, World, hundredths, liquidation_ratio

if TYPE_CHECKING:
    from .motion import State

MINUTE_MS: Final = 60_000
SUB_STEP_MS: Final = MINUTE_MS // SUB_STEPS
ACTIVITY_MAX: Final = 4.0
SIDES: Final = np.array([[1], [-1]], np.int64)
SIGNS: Final = np.array([[1.0], [1.0], [-1.0], [-1.0]])  # of the rows of a book


@dataclass(slots=True)
class Minute:
    """What happened in one minute, in whole ticks and lots."""

    open_time: int
    path: list[int]
    closed: list[int]  # lots closed voluntarily, long and short
    liquidated: list[int] = field(default_factory=lambda: [0, 0])
    opened: list[int] = field(default_factory=lambda: [0, 0])
    prints: list[tuple[int, int, int, int]] = field(default_factory=list)  # time, position_side, ticks, lots


class Market:
    """A world, its book and its state at ``now_ms``; ``step`` moves it one minute on."""

    def __init__(self, *, world: World, start_ms: int, minute: int, state: State, book: Book) -> None:
        self.world = world
        self.start_ms = start_ms
        self.minute = minute
        self.state = state
        self.book = book
        self._block = -1
        self._draws: Draws
        self._leverage: tuple[list[list[list[int]]], list[list[list[float]]]]

    @property
    def now_ms(self) -> int:
        """The end of the last simulated minute."""
        return self.start_ms + self.minute * MINUTE_MS

    def step(self) -> tuple[Minute, tuple[float, ...]]:
        """Simulate one minute; return what happened and its bar, in the order of the fields of BAR."""
        block, k = divmod(self.minute, BLOCK)
        if k == 0:
            self.book.compact()
            self.state.momentum_block = self.state.momentum
        if block != self._block:
            self._block = block
            self._draws = draw_block(seed=self.world.seed, block=block, behaviour=self.world.behaviour)
            self._leverage = self._choose_leverage()
        draws = self._draws
        volatility = motion.move_factors(self.state, self.world.motion, draws.state[k])
        minute = Minute(open_time=self.now_ms, path=[int(self.state.close)], closed=self._close(k, volatility))
        self._walk(k, volatility, minute)
        self._cover(k, minute)
        self._open(k, volatility, minute)
        gain = motion.end_minute(self.state, minute.path[-1])
        self.minute += 1
        return minute, self._bar(k, minute, gain / (self.world.motion.volatility * volatility))

    def _choose_leverage(self) -> tuple[list[list[list[int]]], list[list[list[float]]]]:
        """Choose leverage [hundredths] and liquidation price / entry of the block's new positions.

        The side of the trend prefers more leverage. Both results are [BLOCK][2 sides][PARCELS].
        """
        opening = self._draws.opening
        tilt = self.world.behaviour.tilt * self.state.momentum_block / 0.01 * SIDES
        taste = np.broadcast_to(tilt, (2, PARCELS)).copy()
        taste[:, -1] -= self.world.behaviour.patience
        mix = (PREFERENCE * np.exp(taste[..., None] * LOG_LEVERAGE)).cumsum(-1)
        pick = (opening.nominal[..., None] * mix[..., -1:] > mix).sum(-1)
        leverage = LEVERAGE[pick] * opening.shrink
        centi = hundredths(leverage)
        return centi.tolist(), liquidation_ratio(centi=centi, side=SIDES).tolist()

    def _close(self, k: int, volatility: float) -> list[int]:
        """Close positions whose owners had enough, by thinning: a few are asked, some of them agree."""
        habits, book = self.world.behaviour, self.book
        activity = min(volatility, ACTIVITY_MAX) * habits.hazard_multiple_max
        asked = [
            int(
                count * (habits.hazard_slow if row % 2 else habits.hazard_fast) * activity
                + self._draws.rounding[k][row]
            )
            for row, count in enumerate(book.count)
        ]
        width = min(max(asked), CANDIDATES)
        counts = np.array(book.count)[:, None]
        flat = (self._draws.slot[k, :, :width] * counts).astype(np.int64) + _ROWS * book.capacity
        profit = SIGNS * (self.state.close / book.entry.reshape(-1)[flat] - 1.0)
        multiple = 1.0 + habits.disposition / 0.02 * np.maximum(profit, -0.5 * profit)
        agreed = self._draws.accept[k, :, :width] * habits.hazard_multiple_max < multiple
        agreed &= np.arange(width) < np.array(asked)[:, None]
        return book.close(list(set(flat[agreed].tolist())))

    def _walk(self, k: int, volatility: float, minute: Minute) -> None:
        """Move the price through the minute's sub-steps and liquidate what it reaches."""
        motion.start_minute(self.state, self.world.motion, self._draws, k, volatility)
        for u, shock in enumerate(self._draws.price[k]):
            price = motion.move_price(self.state, self.world, shock, volatility)
            minute.path.append(price)
            if price <= self.book.edge[0]:
                self._liquidate(0, price, u, minute)
            if price >= self.book.edge[1]:
                self._liquidate(1, price, u, minute)

    def _liquidate(self, side: int, price: int, u: int, minute: Minute) -> None:
        interest = max(self.book.total)
        prices, lots = self.book.liquidate(side, price)
        lot_sum = int(lots.sum())
        minute.liquidated[side] += lot_sum
        motion.push_price(self.state, self.world.motion, side, lot_sum / interest)
        start = minute.open_time + u * SUB_STEP_MS
        minute.prints.extend(
            (start + (i + 1) * SUB_STEP_MS // (len(lots) + 1), 1 - 2 * side, int(p), int(q))
            for i, (p, q) in enumerate(zip(prices, lots, strict=True))
        )

    def _cover(self, k: int, minute: Minute) -> None:
        """Let the other side take profit against forced closes, and the wish for open interest shrink."""
        for side in (0, 1):
            lots = int(self.world.behaviour.deleveraging * minute.liquidated[side])
            if lots == 0:
                continue
            motion.shrink_interest(self.state, self.world, lots)
            rows = slice(2 - 2 * side, 4 - 2 * side)
            slots = (self._draws.cover[k] * np.array(self.book.count[rows])).astype(np.int64)
            flat = slots + _ROWS[rows, 0] * self.book.capacity
            minute.closed[1 - side] += self.book.reduce(flat.ravel().tolist(), lots)

    def _open(self, k: int, volatility: float, minute: Minute) -> None:
        """Open positions until both sides hold the open interest that is wanted."""
        motion.move_interest(self.state, self.world, self._draws.interest[k], volatility)
        target = max(int(self.state.wanted), *self.book.total)
        minute.opened = [target - total for total in self.book.total]
        prices = minute.path[1:]
        low = list(accumulate(reversed(prices), min))[::-1]
        high = list(accumulate(reversed(prices), max))[::-1]
        for side, lots in enumerate(minute.opened):
            columns = np.array(self._terms(k, side, lots, prices, low if side == 0 else high), np.int64).T
            self.book.append(2 * side, columns[:, :-1])
            self.book.append(2 * side + 1, columns[:, -1:])

    def _terms(self, k: int, side: int, lots: int, prices: list[int], reached: list[int]) -> list[tuple[int, ...]]:
        """Return the new positions of one side, each in the order of a book's fields."""
        traits, centis, ratios = self._draws.opening, self._leverage[0][k][side], self._leverage[1][k][side]
        terms: list[tuple[int, ...]] = []
        left, last = lots, len(centis) - 1
        for i, (centi, ratio) in enumerate(zip(centis, ratios, strict=True)):
            moment = traits.moment[k][side][i]
            entry, level = prices[moment], max(round(prices[moment] * ratio), 1)
            if level >= reached[moment] if side == 0 else level <= reached[moment]:
                # Who would have been liquidated within the minute came later: at the close.
                entry, level = prices[-1], max(round(prices[-1] * ratio), 1)
            quantity = left if i == last else int(lots * traits.weight[k][side][i])
            left -= quantity
            spare = traits.spare[k][side][i]
            level = _NEVER[side] if quantity == 0 or spare == HEDGED else level
            terms.append((quantity, entry, centi, level, spare))
        return terms

    def _bar(self, k: int, minute: Minute, move: float) -> tuple[float, ...]:
        """Translate a minute to a bar; every purchase opens a long or closes a short, the rest is churn."""
        world, path, draws = self.world, minute.path, self._draws
        flow = minute.opened[0] + minute.closed[1] + minute.liquidated[1]
        volume = int(flow * (1.0 + world.behaviour.churn * draws.churn[k] * (0.6 + 0.5 * abs(move)))) + 1
        share = min(max(0.5 + 0.08 * move + 0.03 * draws.taker[k], 0.05), 0.95)
        mean = sum(w * p for w, p in zip(draws.vwap[k], path[1:], strict=True))
        prices = (path[0], max(path), min(path), path[-1])
        return (
            minute.open_time,
            *(p / world.ticks_per_unit for p in prices),
            volume / world.lots_per_unit,
            mean / world.ticks_per_unit * (volume / world.lots_per_unit),
            int(volume * share) / world.lots_per_unit,
        )


_NEVER: Final = (int(NEVER[0]), int(NEVER[-1]))
_ROWS: Final = np.arange(BOOKS)[:, None]
