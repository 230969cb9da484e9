"""One simulated market, minute by minute: what it reports, what was liquidated, and who holds what.

Both sides hold the same open interest at every minute, as they must. Each minute: voluntary closes (by thinning), six
moves of price with liquidations at the positions' own levels, which push price on, then opens up to the open
interest that is wanted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import numpy as np

from market.series import BAR, MINUTE_MS, OPEN_INTEREST, STEP_MS, Records, Window

from .book import NEVER, PARTIAL, WALLET, Book
from .draws import BLOCK, MOVES, PARCELS, Draws, draw, first_positions, volatility

if TYPE_CHECKING:
    from heatmaps.core.grid import Floats, Ints

    from .world import World

START_MS: Final = 1_767_225_600_000
START_PRICE: Final = 60_000.0
_MOST_HAZARD: Final = 6.0
_CALM_MOMENTUM: Final = 0.99
_PULL: Final = 2e-6
_SLOWEST: Final = 3.0
_SIGNS: Final = np.array([[1.0], [1.0], [-1.0], [-1.0]])

# minute; side 0 long, 1 short; level [ln price]; quantity [contracts].
PRINT: Final = np.dtype([("minute", "<i8"), ("side", "<i8"), ("level", "<f8"), ("quantity", "<f8")])


@dataclass(frozen=True, slots=True)
class Holding:
    """Who would be liquidated where at the end of a minute: level [ln price], quantity [contracts], per side."""

    minute: int
    level: tuple[Floats, Floats]
    quantity: tuple[Floats, Floats]


@dataclass(frozen=True, slots=True)
class Tape:
    """A run: what the market reported, every liquidation (PRINT[n]), and the positions at the asked for minutes."""

    window: Window
    prints: Records
    holdings: tuple[Holding, ...]

    @property
    def sha256(self) -> str:
        """Over all that was reported and liquidated."""
        parts = self.window.bars, self.window.open_interest, self.prints
        return sha256(b"".join(part.tobytes() for part in parts)).hexdigest()


def simulate(world: World, generator: np.random.Generator, *, days: int, every: int) -> Tape:
    """Run a world for ``days`` and keep its positions at the end of each ``every``-th minute (a multiple of 60)."""
    market = _Market(world, days * 24 * BLOCK, generator)
    holdings = []
    for minute in range(days * 24 * BLOCK):
        market.step(minute)
        if (minute + 1) % every == 0:
            holdings.append(market.holding(minute))
    prints = [np.empty(0, PRINT), *market.prints]
    return Tape(market.window(), np.concatenate(prints), tuple(holdings))


class _Market:
    def __init__(self, world: World, minutes: int, generator: np.random.Generator) -> None:
        self.world, self.minutes, self.generator = world, minutes, generator
        self.book = Book()
        self.prints: list[Records] = []
        # open, high, low, close, mean [ln price], flow, open interest at the end [contracts].
        self.bars: list[tuple[float, ...]] = []
        self.price = self.push = self.momentum = 0.0
        self.interest = world.open_interest
        self.sigma = volatility(world, generator, minutes)
        self.mean_sigma = sum(self.sigma) / minutes
        self.maintenance_rise = 0.0
        self.draws: Draws
        rows, columns = first_positions(world, generator)
        self.book.add(rows, columns)

    def step(self, minute: int) -> None:
        k = minute % BLOCK
        if k == 0:
            self._begin_hour(minute)
        closed = self._close(k, minute)
        start, low, high = self.price, self.price, self.price
        path, liquidated = [], [0.0, 0.0]
        sd = self.sigma[minute] / math.sqrt(MOVES)
        for shock in self.draws.shock[k]:
            self.price += sd * shock + self.push - _PULL * self.price
            self.push = 0.0
            path.append(self.price)
            if self.price <= self.book.edge[0]:
                self._liquidate(0, minute, sd, liquidated)
            if self.price >= self.book.edge[1]:
                self._liquidate(1, minute, sd, liquidated)
        low, high = min(low, *path), max(high, *path)
        self.momentum = _CALM_MOMENTUM * self.momentum + self.price - start
        opened = self._open(k, minute, path)
        flow = opened + closed[1] + liquidated[1] + 1e-6 * self.world.open_interest
        self.bars.append((start, high, low, self.price, sum(path) / MOVES, flow, self.book.total[0]))

    def _begin_hour(self, minute: int) -> None:
        self.book.compact()
        if minute * 2 == self.minutes and self.world.bracket_rise:
            self._raise_brackets()
        if self.world.wallet_share:
            self._move_wallets()
        self.draws = draw(self.world, self.generator, self.momentum, self.maintenance_rise)

    def _raise_brackets(self) -> None:
        """A venue asks for more maintenance margin: every level comes nearer, of old positions too."""
        self.maintenance_rise = self.world.bracket_rise
        is_held = np.abs(self.book.level) < 9.0  # noqa: PLR2004 -- NEVER is far beyond
        self.book.level += np.where(is_held, _SIGNS * self.maintenance_rise, 0.0)
        self.book.settle_edge(0)
        self.book.settle_edge(1)

    def _move_wallets(self) -> None:
        """Gains and losses elsewhere move the levels of positions on cross margin."""
        g, width = self.generator, max(self.book.count)
        kind = self.book.kind[:, :width].astype(np.int64)
        moved = ((kind & WALLET) > 0) & (g.random(kind.shape) < self.world.wallet_hazard)
        moved &= np.abs(self.book.level[:, :width]) < 9.0  # noqa: PLR2004 -- NEVER is far beyond
        entry, level = self.book.entry[:, :width][moved], self.book.level[:, :width][moved]
        stretch = np.exp(self.world.wallet_spread * g.standard_normal(len(entry)))
        self.book.level[:, :width][moved] = entry + (level - entry) * stretch
        self.book.settle_edge(0)
        self.book.settle_edge(1)

    def _close(self, k: int, minute: int) -> list[float]:
        """Voluntary closes by thinning: a few positions are asked, some of them agree."""
        world, book, draws = self.world, self.book, self.draws
        hazard = (world.hasty_hazard, world.patient_hazard)
        asked = [int(n * hazard[row % 2] * _MOST_HAZARD + draws.rounding[k][row]) for row, n in enumerate(book.count)]
        width = min(max(asked), draws.slot.shape[2])
        counts = np.array(book.count)[:, None]
        flat = (draws.slot[k, :, :width] * counts).astype(np.int64) + np.arange(4)[:, None] * book.capacity
        profit = _SIGNS * (self.price - book.flat[1][flat])
        eager = 1.0 + world.disposition / 0.02 * np.maximum(profit, -0.5 * profit)
        if world.stop:
            way = np.maximum(np.abs(book.flat[1][flat] - book.flat[2][flat]), 1e-4)
            eager += world.stop * np.minimum(np.maximum(-profit, 0.0) / way, 1.0)
        if world.ageing:
            eager /= 1.0 + np.minimum(world.ageing * (minute - book.flat[3][flat]) / BLOCK, _SLOWEST)
        agreed = draws.accept[k, :, :width] * _MOST_HAZARD < eager
        agreed &= np.arange(width) < np.array(asked)[:, None]
        return book.close(flat[agreed])

    def _liquidate(self, side: int, minute: int, sd: float, liquidated: list[float]) -> None:
        book = self.book
        flat = self._answer_calls(side, book.reached(side, self.price))
        if len(flat) == 0:
            book.settle_edge(side)
            return
        prints = np.zeros(len(flat), PRINT)
        prints["minute"], prints["side"], prints["level"] = minute, side, book.flat[2][flat]
        prints["quantity"] = book.flat[0][flat]
        first = (book.flat[4][flat].astype(np.int64) & PARTIAL) > 0
        if first.any():
            prints["quantity"][first] *= 0.5
            self._keep_half(side, flat[first])
        book.close(flat[~first])
        book.settle_edge(side)
        gone = float(prints["quantity"].sum())
        liquidated[side] += gone
        self.push += (-1.0 if side == 0 else 1.0) * self.world.impact * math.sqrt(gone / self.world.open_interest) * sd
        self.prints.append(prints)

    def _keep_half(self, side: int, flat: Ints) -> None:
        """A venue closes half of a large position; what is left is safer: half as far again from the price."""
        book = self.book
        book.total[side] -= float(book.flat[0][flat].sum()) * 0.5
        book.flat[0, flat] *= 0.5
        book.flat[4, flat] -= PARTIAL
        away = 0.5 * np.abs(book.flat[2, flat] - book.flat[1, flat]) + 2e-3
        book.flat[2, flat] = self.price + (away if side else -away)

    def _answer_calls(self, side: int, flat: Ints) -> Ints:
        """Some add margin, which doubles the way from entry to level, until it is enough; return the others."""
        level, entry = self.book.flat[2], self.book.flat[1]
        left = []
        while len(flat):
            calls = self.generator.random(len(flat)) < self.world.margin_share
            left.append(flat[~calls])
            flat = flat[calls]
            way = np.maximum(np.abs(level[flat] - entry[flat]), 1e-4)
            level[flat] += way if side else -way
            flat = flat[level[flat] <= self.price if side else level[flat] >= self.price]
        return np.concatenate([np.empty(0, np.int64), *left])

    def _open(self, k: int, minute: int, path: list[float]) -> float:
        world, draws, book = self.world, self.draws, self.book
        spread = world.interest_volatility * math.sqrt(self.sigma[minute] / self.mean_sigma) * draws.interest[k]
        self.interest *= math.exp(spread) * (world.open_interest / self.interest) ** 0.0004
        target = max(self.interest, *book.total)
        opened = [target - total for total in book.total]
        columns = draws.fresh[k].copy()
        entry = np.array(path)[draws.moment[k]]
        columns[0] = np.repeat(opened, PARCELS) / PARCELS
        columns[1] = entry
        columns[2] = np.where(np.abs(columns[2]) < 9.0, columns[2] + entry, columns[2])  # noqa: PLR2004 -- NEVER
        columns[3] = minute
        for side, contracts in enumerate(opened):
            if contracts == 0.0:
                columns[2, side * PARCELS : (side + 1) * PARCELS] = NEVER[2 * side]
        book.add(draws.rows[k], columns)
        return opened[0]

    def holding(self, minute: int) -> Holding:
        """Who holds what now; what no price liquidates is left out."""
        self.book.compact()
        sides = []
        for side in (0, 1):
            width = max(self.book.count[2 * side : 2 * side + 2])
            level = self.book.level[2 * side : 2 * side + 2, :width]
            kept = (np.abs(level) < 9.0) & (self.book.quantity[2 * side : 2 * side + 2, :width] > 0)  # noqa: PLR2004
            sides.append((level[kept], self.book.quantity[2 * side : 2 * side + 2, :width][kept]))
        return Holding(minute, (sides[0][0], sides[1][0]), (sides[0][1], sides[1][1]))

    def window(self) -> Window:
        """What the market reported: one-minute bars, open interest every five minutes, and the mark price."""
        g, n = self.generator, len(self.bars)
        start, high, low, close, mean, flow, interest = np.array(self.bars).T
        bars = np.zeros(n, BAR)
        bars["open_time"] = START_MS + np.arange(n) * MINUTE_MS
        for name, value in (("open", start), ("high", high), ("low", low), ("close", close)):
            bars[name] = START_PRICE * np.exp(value)
        bars["volume"] = flow * (1.0 + self.world.churn * np.exp(0.5 * g.standard_normal(n)))
        bars["quote_volume"] = bars["volume"] * START_PRICE * np.exp(mean)
        drift = 0.08 * (close - start) / np.array(self.sigma) + 0.03 * g.standard_normal(n)
        bars["taker_buy_volume"] = bars["volume"] * np.clip(0.5 + drift, 0.05, 0.95)
        sampled = np.arange(STEP_MS // MINUTE_MS - 1, n, STEP_MS // MINUTE_MS)
        samples = np.zeros(len(sampled), OPEN_INTEREST)
        samples["time"] = bars["open_time"][sampled] + MINUTE_MS
        samples["open_interest"] = interest[sampled]
        samples["mark_price"] = bars["close"][sampled]
        samples["open_interest_value"] = samples["open_interest"] * samples["mark_price"]
        # Positions are liquidated at the one price there is, so it is the mark price too.
        length = np.full(n, MINUTE_MS)
        return Window(bars, length, samples, mark_bars=bars, mark_ms=length)
