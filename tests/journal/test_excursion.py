"""How far the price went against a plan and for it: certain parts, possible parts, and the truth between them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from journal.verdict import Confirmation, Event, Excursion, Kind, Phase, Rule, excursion, judge, start
from journal.verdict.branch import Branch
from journal.verdict.excursion import excursion_of
from tests.journal.test_verdict_properties import COSTS, PLANS, TICKS_A_BAR, as_bars, as_ticks, tick_path
from tests.journal.verdicts import CENTRE, MINUTE, bars, run, terms

D = Decimal


def of(
    rows: list[tuple[float, float, float, float]],
    *,
    is_short: bool = False,
    **changes: Any,  # noqa: ANN401  # terms by name
) -> Excursion | None:
    plan = terms(is_short=is_short, **changes)
    made = bars(*rows, is_short=is_short)
    judged = run(plan, made)
    return excursion(plan, judged.state.branches, judged.events, made, step_ms=MINUTE)


@pytest.mark.parametrize("is_short", [False, True])
def test_bars_in_between_are_certain_and_the_edges_are_bounds(is_short: bool) -> None:
    """1 R is 10: filled at 100 on the way down to 97, then 94 to 112, then the target at 120 in a bar from 105."""
    rows: list[tuple[float, float, float, float]] = [
        (104, 106, 97, 101), (101, 112, 94, 108), (108, 125, 92, 122),
    ]  # fmt: skip
    assert of(rows, is_short=is_short) == Excursion((0.6, 0.8), (2.0, 2.0))


@pytest.mark.parametrize("is_short", [False, True])
def test_a_loss_may_have_seen_the_high_of_its_bars(is_short: bool) -> None:
    rows: list[tuple[float, float, float, float]] = [(104, 106, 97, 101), (101, 109, 80, 82)]
    # Against it: as far as the stop. For it: not at all for certain; 9 at most in the bar of its end.
    assert of(rows, is_short=is_short) == Excursion((1.0, 1.0), (0.0, 0.9))
    assert of([(104, 105, 99, 101), (85, 88, 80, 82)], is_short=is_short) == Excursion((1.5, 1.5), (0.0, 0.5))


def test_what_was_not_entered_has_none() -> None:
    assert of([(104, 130, 103, 125)]) is None
    assert of([(104, 106, 97, 101)]) is None
    # Nor has what is still open, although it has taken its first target.
    assert of([(104, 106, 97, 101), (101, 112, 98, 108)], targets=((110, "0.5"), (120, "0.5"))) is None


def course(kind: str, opened_ms: int, closed_ms: int, **changes: Any) -> tuple[Branch, Event]:  # noqa: ANN401  # a branch by name
    """A course from 100 that was closed so, and the event that says it."""
    branch = Branch(kind, Phase.CLOSED, D(90), D(100), opened_ms=opened_ms, closed_ms=closed_ms)
    return replace(branch, **changes), Event(closed_ms, kind, kind)


@pytest.mark.parametrize("within_ms", [1, 30_000])
def test_a_time_stop_within_a_bar_knows_the_entry_only(within_ms: int) -> None:
    """Finer bars ended it there: neither the rest of that bar nor its close was lived through for certain."""
    branch, event = course("timed_out", MINUTE, 2 * MINUTE + within_ms)
    rows = bars((104, 106, 97, 101), (101, 105, 96, 104), (104, 109, 93, 108))
    assert excursion(terms(), [branch], [event], rows, step_ms=MINUTE) == Excursion((0.4, 0.7), (0.5, 0.9))


@pytest.mark.parametrize(("opened_ms", "most"), [(1, 0.9), (30_000, 0.9), (MINUTE, 0.7)])
def test_an_entry_after_a_confirmation_may_have_lived_through_its_bar(opened_ms: int, most: float) -> None:
    """Where finer bars told it, the rest of its bar is possible; at the end of a bar it is over."""
    branch, event = course("target", opened_ms, 3 * MINUTE)
    rows = bars((104, 106, 91, 101), (101, 105, 96, 104), (104, 125, 93, 122))
    plan = terms(kind=Kind.CONFIRMED, confirmation=Confirmation(Rule.MANUAL))
    assert excursion(plan, [branch], [event], rows, step_ms=MINUTE) == Excursion((0.4, most), (2.0, 2.0))


def test_of_several_courses_the_bounds_hold_each() -> None:
    stopped = course("stopped", MINUTE, 2 * MINUTE)
    won = course("target", MINUTE, 3 * MINUTE, stop=D(85))
    rows = bars((104, 106, 97, 101), (101, 109, 88, 95), (95, 125, 93, 122))
    found = [
        excursion(terms(), [branch for branch, _ in some], [event for _, event in some], rows, step_ms=MINUTE)
        for some in ([stopped], [won], [stopped, won])
    ]
    assert found == [
        Excursion((1.0, 1.0), (0.0, 0.9)), Excursion((1.2, 1.2), (2.0, 2.0)), Excursion((1.0, 1.2), (0.0, 2.0)),
    ]  # fmt: skip


def test_bounds_have_six_places() -> None:
    rows = bars((100, 102, 99, 101))
    found = excursion_of(rows, side=1, entry=100.0, marks=(), whole=(0, MINUTE), edges=(), unit=3.0)
    assert found == Excursion((0.333333, 0.333333), (0.666667, 0.666667))


def test_an_entry_at_the_close_has_not_lived_through_its_bar() -> None:
    rule = Confirmation(Rule.RECLAIM, MINUTE, D(100))
    rows: list[tuple[float, float, float, float]] = [(101, 102, 96, 98), (98, 104, 97, 103), (103, 125, 101, 124)]
    found = of(rows, kind=Kind.CONFIRMED, confirmation=rule)
    assert found == Excursion((0.0, 0.2), (1.7, 1.7))


@pytest.mark.parametrize("shape", range(len(PLANS)))
def test_the_truth_lies_within_the_bounds(shape: int) -> None:
    generator = np.random.default_rng(40 + shape)
    decided = 0
    for number in range(120):
        is_short = bool(number % 2)
        plan = terms(is_short=is_short, costs=COSTS, **PLANS[shape] | {"breakeven": False, "time_stop_ms": None})
        path = tick_path(generator, 60, 101.0 if plan.kind is Kind.LIMIT else 99.0)
        path = CENTRE - path if is_short else path
        rows, ticks, tick_ms = as_bars(path), as_ticks(path), MINUTE // TICKS_A_BAR
        coarse = judge(plan, start(plan), rows, step_ms=MINUTE)
        fine = judge(plan, start(plan), ticks, step_ms=tick_ms)
        truth = excursion(plan, fine.state.branches, fine.events, ticks, step_ms=tick_ms)
        if truth is None or not coarse.state.is_done:
            continue
        decided += 1
        found = excursion(plan, coarse.state.branches, coarse.events, rows, step_ms=MINUTE)
        assert found is not None
        tick = float(1 / plan.unit)  # a target's last tick may be counted or not
        assert found.adverse[0] - 1e-6 <= truth.adverse[0]
        assert truth.adverse[1] <= found.adverse[1] + tick + 1e-6
        assert found.favourable[0] - 1e-6 <= truth.favourable[0]
        assert truth.favourable[1] <= found.favourable[1] + tick + 1e-6
    assert decided > 20 or plan.confirmation
