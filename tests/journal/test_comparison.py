"""Trades beside their plans: positions, the waterfall that adds up, lateness, adherence and matching."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal import comparison
from journal.comparison import Candidate, Execution, Trade
from journal.verdict import Kind
from risk.formulas import Costs, exact
from tests.journal.verdicts import MINUTE, D, bars, bounds, run, terms

if TYPE_CHECKING:
    from decimal import Decimal

HOUR = 3_600_000
PLAN = terms(costs=Costs(entry_fee=D("0.0002"), exit_fee=D("0.0005")), targets=((110, "0.5"), (120, "0.5")))


def made(*rows: tuple[int, int, str, str], fee: str = "0") -> list[Execution]:
    return [
        Execution(at * MINUTE, side, D(price), D(quantity), D(fee), key)
        for key, (at, side, price, quantity) in enumerate(rows)
    ]


def closed(entry: str = "100", leave: str = "120", quantity: str = "2", at: int = 5) -> Trade:
    (trade,) = comparison.trades_of(made((at, 1, entry, quantity), (at + 9, -1, leave, quantity), fee="0.1"))
    return trade


def test_a_position_runs_from_flat_to_flat() -> None:
    first, second = comparison.trades_of(
        made(
            (3, -1, "103", "1"), (1, 1, "100", "2"), (2, 1, "102", "2"), (4, -1, "105", "4"), (9, 1, "90", "1"), fee="4"
        )
    )
    assert (first.side, first.entry, first.size, first.exit, first.left) == (1, D(101), D(4), D("104.5"), D(0))
    assert (first.gross, first.fees, first.opened_ms, first.closed_ms) == (D(14), D(15), MINUTE, 4 * MINUTE)
    # The sale of four closed three and opened a short of one, and so did its fee.
    assert (second.side, second.size, second.entry, second.fees, second.gross) == (-1, D(1), D(105), D(5), D(15))


def test_what_is_still_open_has_no_end() -> None:
    (trade,) = comparison.trades_of(made((1, 1, "100", "2"), (2, -1, "103", "1")))
    assert (trade.left, trade.is_closed, trade.closed_ms, trade.gross) == (D(1), False, None, D(3))
    with pytest.raises(ValueError, match="still open"):
        comparison.waterfall(PLAN, trade, planned_size=D(1), model=D(0), entered=D(0))


ROWS = st.lists(
    st.tuples(st.integers(0, 50), st.sampled_from((1, -1)), st.integers(80, 120).map(str), st.integers(1, 9).map(str)),
    max_size=30,
)


@given(ROWS)
def test_positions_lose_no_quantity_and_no_fee(rows: list[tuple[int, int, str, str]]) -> None:
    executions = made(*rows, fee="0.3")
    trades = comparison.trades_of(executions)
    parts = [part for trade in trades for part in (*trade.opens, *trade.closes)]
    assert sum(part.side * part.quantity for part in parts) == sum(one.side * one.quantity for one in executions)
    assert sum(part.quantity for part in parts) == sum(one.quantity for one in executions)
    assert abs(sum((part.fee for part in parts), D(0)) - D("0.3") * len(rows)) < D("1e-50")
    assert all(trade.is_closed for trade in trades[:-1])


RESULT, QUANTITY = st.decimals("-3", "5", places=9), st.decimals("0.001", "9", places=3)
PRICES = st.tuples(st.decimals("91", "115", places=2), st.decimals("70", "140", places=2))


@given(PRICES, st.tuples(QUANTITY, QUANTITY), st.tuples(RESULT, RESULT), st.decimals("-5", "5", places=4))
def test_the_waterfall_adds_up_to_the_last_digit(
    prices: tuple[Decimal, Decimal], sizes: tuple[Decimal, Decimal], results: tuple[Decimal, Decimal], funding: Decimal
) -> None:
    (entry, leave), (quantity, planned), (model, entered) = prices, sizes, results
    trade = closed(str(entry), str(leave), str(quantity))
    found = comparison.waterfall(PLAN, trade, planned_size=planned, model=model, entered=entered, funding=funding)
    assert found.model + found.entry + found.size + found.management + found.costs == found.actual
    risked = PLAN.unit * planned
    net = (leave - entry) * quantity - D("0.2") - funding
    assert abs(found.actual - net / risked) < D("1e-11")


def test_each_step_of_the_waterfall_is_worked_by_hand() -> None:
    plain = terms(targets=((120, "1"),))
    # Planned: 1 at 100, stop 90. Done: 2 at 102, out at 112, fees 0.2.
    found = comparison.waterfall(plain, closed("102", "112"), planned_size=D(1), model=D(2), entered=D("1.8"))
    assert (found.entry, found.size, found.management, found.costs, found.actual) == (
        D("-0.2"), D("1.8"), D("-1.6"), D("-0.02"), D("1.98"),
    )  # fmt: skip
    assert comparison.result_of_fill(plain, closed("102", "112")) == exact(lambda: D("19.8") / D("24.2"))()


def test_a_plan_entered_late_takes_its_exits_from_there() -> None:
    plain = terms(targets=((120, "1"),))
    state = comparison.entered_at(plain, price=D(105), at_ms=90_000)
    rows = bars((200, 200, 200, 200), (200, 200, 200, 200), (105, 121, 104, 120))
    judged = run(plain, rows, state)
    assert bounds(plain, judged) == (D("1.5"), D("1.5"))
    # The minute in which it was entered is skipped, as the minute of arming is.
    assert judged.state.through_ms == 3 * MINUTE


@pytest.mark.parametrize(
    ("price", "at", "label"),
    [("100.5", 20, "on plan"), ("102", 20, "late"), ("103", 20, "chased"), ("100", 5, "early"), ("98", 20, "late")],
)
def test_labels_of_lateness(price: str, at: int, label: str) -> None:
    found = comparison.lateness(PLAN, closed(price, at=at), triggered_ms=10 * MINUTE)
    assert found.label == label
    assert found.delay_ms == (at - 10) * MINUTE
    assert found.chase == (D(price) - 100) / 10
    assert found.move_used == (D(price) - 100) / 10


def test_an_entry_that_leaves_too_little_is_chased() -> None:
    found = comparison.lateness(PLAN, closed("102", at=20), triggered_ms=0, least_reward=D(1))
    assert (found.reward, found.label) == (exact(lambda: D(8) / D(12))(), "chased")
    assert comparison.lateness(PLAN, closed("85", at=20), triggered_ms=0).reward is None
    assert comparison.lateness(PLAN, closed(), triggered_ms=None).label == "early"


def test_lateness_of_a_short_is_its_mirror() -> None:
    short = terms(is_short=True)
    sold = closed("98", at=20)
    sold = replace(sold, side=-1)
    assert comparison.lateness(short, sold, triggered_ms=0).chase == D("0.2")


KEPT = {
    "had_plan": True,
    "chase": D(0),
    "size_ratio": D(1),
    "beyond_stop": D(0),
    "widened": False,
    "exit_by_rule": True,
}


@pytest.mark.parametrize(
    ("changes", "score"),
    [
        ({}, 100),
        ({"chase": D("0.2")}, 90),
        ({"chase": D("-0.3")}, 80),
        ({"size_ratio": D("1.2")}, 90),
        ({"size_ratio": D(3)}, 80),
        ({"beyond_stop": D(1)}, 80),
        ({"widened": True}, 90),
        ({"exit_by_rule": False}, 90),
        # What is not known is left out, and the rest makes the whole.
        ({"chase": None, "size_ratio": None, "widened": None, "exit_by_rule": False}, 80),
        (
            {
                "had_plan": False,
                "chase": None,
                "size_ratio": None,
                "beyond_stop": None,
                "widened": None,
                "exit_by_rule": None,
            },
            0,
        ),
    ],
)
def test_adherence_counts_what_is_known(changes: dict[str, object], score: int) -> None:
    found = comparison.adherence(**(KEPT | changes))  # type: ignore[arg-type]
    assert found.score == score
    assert sum(part.weight for part in found.parts) == 100


def test_a_trade_finds_its_plan_or_asks() -> None:
    plan = Candidate(1, PLAN, 10 * HOUR)
    assert comparison.match(closed("101"), [plan]) == comparison.Match(1, ((1, D(95)),))
    near = Candidate(2, terms(entry=D("100.5"), stop=D(90)), 10 * HOUR)
    asked = comparison.match(closed("101"), [plan, near])
    assert asked.is_question
    assert [key for key, _ in asked.scores] == [2, 1]
    unsure = comparison.match(closed("107"), [plan])
    assert unsure.is_question
    assert unsure.scores == ((1, D(65)),)


@pytest.mark.parametrize(
    "plan",
    [
        Candidate(1, terms(is_short=True), 10 * HOUR),
        Candidate(1, replace(PLAN, armed_ms=HOUR), 10 * HOUR),
        Candidate(1, terms(entry=D(111), stop=D(101)), 10 * HOUR),
        Candidate(1, replace(PLAN, kind=Kind.STOP), -25 * HOUR),
    ],
)
def test_a_trade_of_another_side_time_or_price_is_unplanned(plan: Candidate) -> None:
    assert comparison.match(closed("100"), [plan]) == comparison.Match(None, ())
