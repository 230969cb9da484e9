"""The book of positions against a plain list of positions that does the same slowly."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest

from market.sources.simulated.book import BOOKS, HEDGED, NEVER, Book, veil
from market.sources.simulated.world import liquidation_ticks


@dataclass(eq=False)
class Position:
    row: int
    quantity: int
    entry: int
    centi: int
    spare: int

    @property
    def side(self) -> int:
        return 1 if self.row < 2 else -1

    @property
    def level(self) -> int | None:
        """The rule written out: E (1 - s/l) / (1 - s m), m by straight lines between the tiers."""
        if self.spare == HEDGED:
            return None
        leverage = self.centi * 0.01
        tiers = [(3, 0.010), (5, 0.0065), (10, 0.005), (20, 0.005), (25, 0.005), (50, 0.004), (125, 0.004)]
        rate = tiers[0][1]
        for (l0, m0), (l1, m1) in pairwise(tiers):
            if leverage > l0:
                rate = m0 + (m1 - m0) * (min(leverage, l1) - l0) / (l1 - l0)
        return max(round(self.entry * ((1 - self.side / leverage) / (1 - self.side * rate))), 1)


@dataclass
class SlowBook:
    """The twin."""

    held: list[Position] = field(default_factory=list)

    def total(self, side: int) -> int:
        return sum(p.quantity for p in self.held if p.side == side)

    def liquidate(self, side: int, price: int) -> list[tuple[int, int]]:
        prints = []
        for position in [p for p in self.held if p.side == side]:
            while (level := position.level) is not None and side * level >= side * price:
                if position.spare == 0:
                    prints.append((level, position.quantity))
                    self.held.remove(position)
                    break
                position.spare -= 1
                position.centi = max(position.centi // 2, 1)
        return sorted(prints, key=lambda print_: (-side * print_[0], print_[1]))


def open_some(g: np.random.Generator, book: Book, twin: SlowBook, row: int, price: int) -> None:
    count = int(g.integers(1, 40))
    quantity = g.integers(0, 5000, count)
    centi = g.integers(250, 12_500, count)
    spare = g.choice([HEDGED, 0, 0, 0, 1, 2], count)
    entry = np.full(count, price)
    level = liquidation_ticks(entry=entry, centi=centi, side=1 if row < 2 else -1)
    book.append(row, veil(row, np.stack([quantity, entry, centi, level, spare])))
    columns = (x.tolist() for x in (quantity, entry, centi, spare))
    twin.held += [Position(row, *terms) for terms in zip(*columns, strict=True) if terms[0]]


def contents(book: Book) -> list[tuple[int, ...]]:
    rows, slots = np.nonzero(book.quantity)
    return sorted(zip(rows.tolist(), *(cells[rows, slots].tolist() for cells in book.cells), strict=True))


def twin_contents(twin: SlowBook) -> list[tuple[int, ...]]:
    never = NEVER.tolist()
    return sorted(
        (p.row, p.quantity, p.entry, p.centi, never[p.row] if p.level is None else p.level, p.spare) for p in twin.held
    )


def assert_alike(book: Book, twin: SlowBook) -> None:
    assert contents(book) == twin_contents(twin)
    assert book.total == [twin.total(1), twin.total(-1)]


@pytest.mark.parametrize("seed", range(4))
def test_book_agrees_with_a_plain_list(seed: int) -> None:
    g = np.random.default_rng(seed)
    book, twin, price, printed = Book(capacity=8), SlowBook(), 600_000, 0
    for _ in range(60):
        open_some(g, book, twin, int(g.integers(BOOKS)), price)
        price = round(price * float(np.exp(0.01 * g.standard_normal())))
        for side in (0, 1):
            prices, lots = book.liquidate(side, price)
            expected = twin.liquidate(1 - 2 * side, price)
            assert sorted(zip(prices.tolist(), lots.tolist(), strict=True)) == sorted(expected)
            assert prices.tolist() == [level for level, _ in expected]
            printed += len(expected)
        assert_alike(book, twin)
        if g.random() < 0.2:
            book.compact()
            assert_alike(book, twin)
    assert printed > 50


@pytest.mark.parametrize("seed", range(4))
def test_edge_never_hides_a_position_that_the_price_reached(seed: int) -> None:
    g = np.random.default_rng(seed)
    book, twin = Book(), SlowBook()
    for _ in range(20):
        open_some(g, book, twin, int(g.integers(BOOKS)), 600_000)
        book.liquidate(int(g.integers(2)), int(g.integers(590_000, 610_000)))
        held = book.quantity > 0
        assert book.edge[0] >= max(book.liquidation[:2][held[:2]].tolist(), default=0)
        assert book.edge[1] <= min(book.liquidation[2:][held[2:]].tolist(), default=book.edge[1])


def filled() -> tuple[Book, list[int]]:
    """Two longs of 100 and 50 lots in the patient row, one short of 70."""
    book = Book(capacity=4)
    for row, quantity in ((1, 100), (1, 50), (2, 70)):
        book.append(row, np.array([[quantity], [1000], [1000], [905 if row == 1 else 1094], [0]]))
    return book, [book.capacity, book.capacity + 1, 2 * book.capacity]


def test_close_returns_the_lots_of_each_side_and_allows_holes() -> None:
    book, (first, second, short) = filled()
    assert book.close([first, short]) == [100, 70]
    assert book.close([first, short]) == [0, 0]
    assert book.total == [50, 0]
    assert book.close([second]) == [50, 0]
    assert book.liquidate(0, 1)[0].tolist() == []


def test_reduce_closes_the_last_position_in_part() -> None:
    book, (first, second, _) = filled()
    assert book.reduce([second, second, first], 80) == 80
    assert book.total == [70, 70]
    assert book.quantity[1, :2].tolist() == [70, 0]


def test_reduce_stops_when_nobody_is_left_to_ask() -> None:
    book, (first, _, _) = filled()
    assert book.reduce([first], 500) == 100
    assert book.total == [50, 70]


def test_prints_come_in_the_order_in_which_the_price_meets_them() -> None:
    book = Book()
    for row, levels in ((0, [900, 950, 925]), (3, [1100, 1050, 1075])):
        count = len(levels)
        book.append(row, np.array([[1] * count, [1000] * count, [1000] * count, levels, [0] * count]))
    assert book.liquidate(0, 925)[0].tolist() == [950, 925]
    assert book.liquidate(1, 2000)[0].tolist() == [1050, 1075, 1100]
    assert book.total == [1, 0]


def test_margin_call_halves_leverage_and_moves_the_liquidation_price_away() -> None:
    book = Book()
    centi = np.array([2000])
    level = liquidation_ticks(entry=np.array([600_000]), centi=centi, side=1)
    book.append(0, np.array([[10], [600_000], [2000], level, [1]]))
    assert level.tolist() == [572_864]
    prices, _ = book.liquidate(0, 572_864)
    assert prices.tolist() == []
    assert (book.centi[0, 0], book.liquidation[0, 0], book.spare[0, 0]) == (1000, 542_714, 0)
    assert book.liquidate(0, 542_714)[0].tolist() == [542_714]
