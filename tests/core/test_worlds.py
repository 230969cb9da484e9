"""The judge's markets obey what every market obeys, whatever their traders do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from heatmaps.core.views import REACH, Slices, slices, view
from heatmaps.core.worlds.book import NEVER, Book
from heatmaps.core.worlds.market import START_MS, START_PRICE, Tape, simulate
from heatmaps.core.worlds.world import WORLDS
from market.series import DAY_MS, MINUTE_MS, validate

DAYS = 2


@pytest.fixture(scope="module", params=list(WORLDS))
def tape(request: pytest.FixtureRequest) -> Tape:
    return simulate(WORLDS[request.param], np.random.default_rng(3), days=DAYS, every=180)


def test_the_same_generator_gives_the_same_market() -> None:
    one, other = (simulate(WORLDS["misspecified"], np.random.default_rng(5), days=1, every=360) for _ in range(2))
    assert one.window.bars.tobytes() == other.window.bars.tobytes()
    assert one.prints.tobytes() == other.prints.tobytes()
    assert [holding.level[1].tolist() for holding in one.holdings] == [
        holding.level[1].tolist() for holding in other.holdings
    ]


def test_what_it_reports_is_believed(tape: Tape) -> None:
    now_ms = START_MS + (DAYS + 1) * DAY_MS
    assert validate(tape.window.bars, now_ms=now_ms, timeframe=60).rejected == ()
    assert validate(tape.window.open_interest, now_ms=now_ms).rejected == ()
    assert len(tape.window.bars) == DAYS * 1440
    assert len(tape.window.open_interest) == DAYS * 288


def test_volume_covers_every_change_of_open_interest(tape: Tape) -> None:
    volume = tape.window.bars["volume"].reshape(-1, 5).sum(axis=1)
    change = np.abs(np.diff(tape.window.open_interest["open_interest"]))
    assert (volume[1:] >= change).all()


def test_nobody_is_held_beyond_the_price(tape: Tape) -> None:
    # Who entered at an extreme of the last minute is found by the next one.
    for holding in tape.holdings:
        bar = tape.window.bars[holding.minute]
        close = np.log(bar["close"] / START_PRICE)
        spread = np.log(bar["high"] / bar["low"])
        assert (holding.level[0] <= close + spread).all()
        assert (holding.level[1] >= close - spread).all()


def test_holdings_are_at_most_open_interest(tape: Tape) -> None:
    samples = tape.window.open_interest
    for holding in tape.holdings:
        reported = samples["open_interest"][(holding.minute + 1) // 5 - 1]
        assert max(quantity.sum() for quantity in holding.quantity) <= reported * (1 + 1e-9)


def test_liquidations_lie_within_their_minute_or_just_behind(tape: Tape) -> None:
    bars, prints = tape.window.bars, tape.prints
    low = np.log(bars["low"][prints["minute"]] / START_PRICE)
    high = np.log(bars["high"][prints["minute"]] / START_PRICE)
    longs = prints["side"] == 0
    assert (prints["level"][longs] >= low[longs] - 1e-12).all()
    assert (prints["level"][~longs] <= high[~longs] + 1e-12).all()
    assert (prints["quantity"] > 0.0).all()


def test_partial_liquidation_leaves_a_half_behind() -> None:
    world = replace(WORLDS["base"], partial_share=1.0, margin_share=0.0)
    whole = simulate(replace(world, partial_share=0.0), np.random.default_rng(4), days=1, every=1440)
    half = simulate(world, np.random.default_rng(4), days=1, every=1440)
    first = np.flatnonzero(whole.prints["minute"] == whole.prints["minute"][0])
    assert half.prints["quantity"][first[0]] == pytest.approx(whole.prints["quantity"][first[0]] / 2)


def test_a_book_counts_what_it_closes_once() -> None:
    book = Book()
    columns = np.array([[2.0, 3.0, 5.0], [0.0] * 3, [-0.1, -0.2, 0.3], [0.0] * 3, [0.0] * 3])
    book.add([0, 0, 3], columns)
    assert book.edge == [-0.1, 0.3]
    assert book.reached(0, -0.15).tolist() == [0]
    assert book.close(np.array([0, 0, 3 * book.capacity])) == [2.0, 5.0]
    assert book.total == [3.0, 0.0]
    book.compact()
    assert (book.count, book.level[0, 0], book.level[3, 0]) == ([1, 0, 0, 0], -0.2, NEVER[3])


def test_slices_put_positions_and_prints_at_their_distance(tape: Tape) -> None:
    at = slices(tape)
    index, holding = 5, tape.holdings[5]
    price = START_PRICE * np.exp(holding.level[1])
    near = (price > at.price[index] * 1.011) & (price < at.price[index] * 1.049)
    assert at.held[index, 1, 20:100].sum() >= holding.quantity[1][near].sum() * (1 - 1e-12)
    within = (tape.prints["minute"] > holding.minute) & (tape.prints["minute"] <= holding.minute + 60)
    assert at.printed[index].sum() <= tape.prints["quantity"][within].sum() * (1 + 1e-12)
    assert at.end_ms[index] == START_MS + (holding.minute + 1) * MINUTE_MS
    assert isinstance(at.where(at.end_ms > at.end_ms[3]), Slices)
    assert len(at.where(at.end_ms > at.end_ms[3])) == len(at) - 4


def test_view_runs_away_from_the_close_on_both_sides() -> None:
    column = np.arange(4096, dtype=np.float64)
    found = view(column, anchor=1000, close_bin=1700)
    assert found.shape == (2, REACH)
    assert found[0, :3].tolist() == [699.0, 698.0, 697.0]
    assert found[1, :3].tolist() == [701.0, 702.0, 703.0]
    assert view(column, anchor=1000, close_bin=1002)[0, :3].tolist() == [1.0, 0.0, 0.0]
