"""Which bars are looked at, place by place: none that may matter is stepped over, and no other is looked at."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from journal.verdict import Confirmation, Event, Kind, Phase, Quiet, Rule, State, judge, quiet, start
from journal.verdict.branch import levels
from journal.verdict.scanning import Outside, next_place
from tests.journal.test_verdict_properties import COSTS, PLANS, as_bars, tick_path
from tests.journal.verdicts import CENTRE, MINUTE, bars, run, terms

if TYPE_CHECKING:
    from journal.verdict import Terms

D = Decimal
Row = tuple[float, float, float, float]
CALM: Row = (105, 106, 104, 105)
NOTHING = Outside((), ())
BOTH = pytest.mark.parametrize("is_short", [False, True], ids=["long", "short"])
# Few bars are scanned one by one, many as arrays.
SPANS = pytest.mark.parametrize(("before", "count"), [(2, 4), (5, 9)], ids=["few", "many"])


def standing(plan: Terms, last: float | None = 105, **changes: Any) -> State:  # noqa: ANN401  # a branch by name
    """Where a judgement stands that has read the bars before minute 0; prices are of the long."""
    first = start(plan).branches[0]
    if plan.side < 0:
        turn = {name: changes[name] - CENTRE for name in ("stop", "entry") if changes.get(name) is not None}
        changes |= turn
    price = None if last is None else D(str(last if plan.side > 0 else last - CENTRE))
    return State((replace(first, **changes),), 0, price)


def opened(plan: Terms, last: float = 105, **changes: Any) -> State:  # noqa: ANN401  # a branch by name
    return standing(plan, last, **{"phase": Phase.OPEN, "entry": D(100), "opened_ms": -MINUTE} | changes)


def place(plan: Terms, state: State, *rows: Row, outside: Outside = NOTHING, step_ms: int = MINUTE) -> int:
    made = bars(*rows, is_short=plan.side < 0)
    made["open_time"] = np.arange(len(made)) * step_ms
    return next_place(plan, state, made, step_ms, outside)


@BOTH
@SPANS
@pytest.mark.parametrize(
    ("row", "is_met"),
    [
        ((105, 106, 100, 105), True),
        ((105, 120, 104, 105), True),
        ((105, 119.9, 100.1, 105), False),
        ((98, 98.5, 97, 98), True),  # 100 lies in the gap before it
        ((119, 119.5, 118, 119), False),
    ],
    ids=["entry", "target", "between", "gap over the entry", "gap over nothing"],
)
def test_a_waiting_plan_is_looked_at_where_a_level_is_met(
    row: Row, is_met: bool, before: int, count: int, is_short: bool
) -> None:
    plan = terms(is_short=is_short)
    rows = [*[CALM] * before, row, *[(row[3],) * 4] * (count - before - 1)]
    assert place(plan, standing(plan), *rows) == (before if is_met else count)


@BOTH
@SPANS
def test_the_way_from_the_last_price_counts_with_the_first_bar(before: int, count: int, is_short: bool) -> None:
    plan = terms(is_short=is_short)
    touched: list[Row] = [(99.5, 99.7, 99.2, 99.5)] * count
    assert place(plan, standing(plan, 99.5), *touched) == 0
    assert place(plan, standing(plan, 99.5, is_touched=True), *touched) == count
    assert place(plan, standing(plan, 105), *[(112, 113, 111, 112)] * count) == count
    assert place(plan, opened(plan, 105, stop=D(108)), *[CALM] * before) == 0  # it lies beyond the price already
    assert place(plan, standing(plan, None), *[CALM] * count) == 0


@BOTH
def test_a_fill_that_is_met_without_the_entry_is_looked_at(is_short: bool) -> None:
    """With prices between two ticks: touched at 99.5, filled at 99."""
    plan = terms(is_short=is_short)
    judged = run(plan, bars((105, 106, 99.5, 99.5), (99.5, 99.7, 99, 99.2), is_short=is_short))
    assert [(one.kind, one.at_ms // MINUTE) for one in judged.events] == [("touched", 1), ("triggered", 2)]


@SPANS
def test_a_plan_that_waits_is_looked_at_when_it_expires(before: int, count: int) -> None:
    plan = terms(expires_ms=before * MINUTE)
    assert place(plan, standing(plan), *[CALM] * count) == before
    assert place(plan, opened(plan), *[CALM] * count) == count
    judged = run(plan, bars(*[CALM] * count))
    assert [(one.kind, one.at_ms) for one in judged.events] == [
        ("expired", before * MINUTE), ("judged", (before + 1) * MINUTE),
    ]  # fmt: skip


@SPANS
def test_funding_matters_to_what_is_open(before: int, count: int) -> None:
    plan = terms()
    paid = Outside([((before + 1) * MINUTE, D("0.01"))], ())
    assert place(plan, opened(plan), *[CALM] * count, outside=paid) == before
    assert place(plan, standing(plan), *[CALM] * count, outside=paid) == count
    before_it = Outside([(0, D("0.01"))], ())  # paid at the end of the bar before, not as this one begins
    assert place(plan, opened(plan), *[CALM] * count, outside=before_it) == count


@SPANS
def test_signals_matter_until_a_plan_is_confirmed(before: int, count: int) -> None:
    plan = terms(confirmation=Confirmation(Rule.MANUAL, MINUTE))
    pressed = Outside((), [before * MINUTE + 1])
    assert place(plan, standing(plan), *[CALM] * count, outside=pressed) == before
    assert place(plan, standing(plan, is_confirmed=True), *[CALM] * count, outside=pressed) == count
    assert place(plan, standing(plan), *[CALM] * count) == count


@BOTH
@SPANS
def test_ends_of_bars_matter_where_they_manage_a_position(before: int, count: int, is_short: bool) -> None:
    rows = [CALM] * count
    timed = terms(is_short=is_short, time_stop_ms=(before + 1) * MINUTE)
    assert place(timed, opened(timed, opened_ms=-1), *rows) == before
    trailed = terms(is_short=is_short, trail=D(5))
    state = opened(trailed, stop=D(101))
    assert place(trailed, state, *[CALM] * before, (105, 106, 104, 106), *[CALM] * (count - before - 1)) == before
    assert place(trailed, state, *rows) == count
    even = terms(is_short=is_short, breakeven=True, targets=((102, "0.5"), (120, "0.5")))
    assert place(even, opened(even, taken=1), *rows, step_ms=MINUTE // 2) == 1
    assert place(even, opened(even, taken=1, stop=D(100)), *rows) == count
    assert place(even, opened(even, last=101, taken=0), *[(101, 101.5, 100.5, 101)] * count) == count


@BOTH
def test_within_these_bounds_a_plan_is_left_alone(is_short: bool) -> None:
    def turned(low: int, high: int) -> tuple[Decimal, Decimal]:
        return (D(CENTRE - high), D(CENTRE - low)) if is_short else (D(low), D(high))

    waiting = terms(is_short=is_short, expires_ms=600_000)
    assert quiet(waiting, standing(waiting)) == Quiet(*turned(100, 120), 600_000)
    # At a level itself there is nothing in between.
    assert quiet(waiting, standing(waiting, 100, is_touched=True)) == Quiet(*turned(100, 100), 600_000)
    held = terms(is_short=is_short, time_stop_ms=600_000)
    assert quiet(held, opened(held, opened_ms=30_000)) == Quiet(*turned(90, 121), 659_999)
    assert quiet(held, replace(opened(held), branches=(opened(held).branches[0],) * 2)) is not None
    trailed = terms(is_short=is_short, trail=D(15))
    assert quiet(trailed, opened(trailed, stop=D(95))) == Quiet(*turned(95, 110), 253_370_764_800_000)
    assert quiet(waiting, standing(waiting, None)) is None
    assert quiet(waiting, standing(waiting, 99)) is None  # filled there
    asked = terms(is_short=is_short, confirmation=Confirmation(Rule.MANUAL))
    assert quiet(asked, standing(asked)) is None
    ended = State((*standing(waiting).branches, replace(standing(asked).branches[0], phase=Phase.MISSED)), 0, D(-95))
    if is_short:
        assert quiet(waiting, ended) == Quiet(*turned(100, 120), 600_000)


def test_levels_are_those_at_which_something_may_happen() -> None:
    def of(plan: Terms, state: State) -> set[int]:
        return {int(level) for level in levels(state.branches[0], plan)}

    two: dict[str, Any] = {"targets": ((110, "0.5"), (120, "0.5"))}
    assert of(terms(**two), standing(terms(**two))) == {100, 99, 110, 90, 111, 121}
    breakout = terms(kind=Kind.STOP, liquidation=D(94))
    assert of(breakout, standing(breakout)) == {100, 120, 90, 121, 94}
    assert of(terms(**two), opened(terms(**two), taken=1, stop=D(100))) == {100, 121}
    assert of(terms(), standing(terms(), phase=Phase.MISSED)) == set()


RULES: list[tuple[Rule, dict[str, Any], bool, list[bool]]] = [
    (Rule.CLOSE_BEYOND, {}, False, [False, True, False, False]),
    (Rule.RECLAIM, {}, False, [False, False, False, True]),
    (Rule.RECLAIM, {}, True, [False, True, False, False]),
    (Rule.SWEEP_RECLAIM, {}, False, [True, False, True, True]),
    (Rule.SWEEP_RECLAIM, {}, True, [False, True, False, False]),
    (Rule.MANUAL, {"price": None}, False, [False] * 4),
]
# Two-minute candles about 95: through it, back above, through it again, and a close below.
CANDLES: list[Row] = [(97, 98, 94, 96), (96, 97, 95.5, 96), (96, 96.5, 94, 95.5), (95.5, 96, 94, 94.5)]


@BOTH
@pytest.mark.parametrize(("rule", "changes", "is_primed", "expected"), RULES)
def test_bars_that_may_matter_to_a_rule(
    rule: Rule, changes: dict[str, Any], is_primed: bool, expected: list[bool], is_short: bool
) -> None:
    price = CENTRE - D(95) if is_short else D(95)
    asked = Confirmation(rule, 2 * MINUTE, **{"price": price} | changes)
    made = bars(*CANDLES, is_short=is_short)
    found = asked.may_matter(made, -1 if is_short else 1, MINUTE, is_primed=is_primed)
    assert found.tolist() == expected


@pytest.mark.parametrize("shape", range(len(PLANS)))
@BOTH
def test_nothing_happens_in_bars_that_are_stepped_over(shape: int, is_short: bool) -> None:
    """All bars at once are what they are one by one, and no bar is looked at in which nothing could happen."""
    plan = terms(is_short=is_short, costs=COSTS, **PLANS[shape])
    for seed in range(2):
        path = tick_path(np.random.default_rng(seed), 40, 101.0)
        rows = as_bars(CENTRE - path if is_short else path)
        state, events = start(plan), list[Event]()
        for i in range(len(rows)):
            judged = judge(plan, state, rows[i : i + 1], step_ms=MINUTE)
            state, events = judged.state, [*events, *judged.events]
        whole = judge(plan, start(plan), rows, step_ms=MINUTE)
        assert (tuple(events), state) == (whole.events, whole.state)
