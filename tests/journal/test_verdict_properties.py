"""What holds for every path: never optimistic, the same in one go or bar by bar, the same in a mirror."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journal.verdict import Confirmation, Kind, Rule, Rung, Target, judge, quiet, start
from journal.verdict.keeping import from_plain, to_plain
from market.series import BAR
from risk.formulas import Costs
from tests.journal.verdicts import CENTRE, MINUTE, bars, bounds, run, terms

if TYPE_CHECKING:
    import numpy.typing as npt

    from journal.verdict import Event

D = Decimal
PLANS: list[dict[str, Any]] = [
    {"stop": D(97), "targets": ((102, "1"),)},
    {"stop": D(97), "targets": ((103, "1"),), "kind": Kind.STOP},
    {"stop": D(97), "targets": ((102, "0.5"), (105, "0.5"))},
    {"stop": D(96), "targets": ((102, "0.25"), (104, "0.25"), (106, "0.5")), "kind": Kind.STOP, "breakeven": True},
    {"stop": D(97), "targets": ((102, "0.5"), (105, "0.5")), "breakeven": True, "time_stop_ms": 40 * MINUTE},
    {"stop": D(97), "targets": ((102, "1"),), "trail": D(3)},
    {
        "stop": D(97), "targets": ((103, "1"),), "kind": Kind.CONFIRMED, "max_chase": D("0.5"),
        "confirmation": Confirmation(Rule.SWEEP_RECLAIM, MINUTE, D(100)),
    },
    {"stop": D(98), "targets": ((102, "1"),), "confirmation": Confirmation(Rule.RECLAIM, MINUTE, D(100))},
    {"stop": D(95), "targets": ((103, "1"),), "liquidation": D(97), "bankruptcy": D(96), "expires_ms": 30 * MINUTE},
]  # fmt: skip
COSTS = Costs(entry_fee=D("0.0002"), exit_fee=D("0.0005"), slippage=D("0.0002"))
TICKS_A_BAR = 30


def tick_path(generator: np.random.Generator, bar_count: int, first: float) -> npt.NDArray[np.float64]:
    """Prices [bar, tick] that move by a tick at most within a bar, and by up to three between bars."""
    steps = generator.integers(-1, 2, (bar_count, TICKS_A_BAR)).astype(np.float64)
    steps[:, 0] = generator.integers(-3, 4, bar_count)
    return first + np.cumsum(steps.ravel()).reshape(steps.shape)


def as_bars(path: npt.NDArray[np.float64]) -> npt.NDArray[np.void]:
    made = np.zeros(len(path), BAR)
    made["open_time"] = np.arange(len(path)) * MINUTE
    made["open"], made["close"] = path[:, 0], path[:, -1]
    made["high"], made["low"] = path.max(axis=1), path.min(axis=1)
    return made


def as_ticks(path: npt.NDArray[np.float64]) -> npt.NDArray[np.void]:
    """Every tick as a bar of its own: nothing is left unknown."""
    made = np.zeros(path.size, BAR)
    made["open_time"] = np.arange(path.size) * (MINUTE // TICKS_A_BAR)
    for name in ("open", "high", "low", "close"):
        made[name] = path.ravel()
    return made


@pytest.mark.parametrize("shape", range(len(PLANS)))
def test_verdict_is_never_optimistic(shape: int) -> None:
    """2,000 random paths in all, long and short: the truth lies between worst and best, and ticks tell it."""
    generator = np.random.default_rng(shape)
    forked = decided = 0
    for number in range(250):
        is_short = bool(number % 2)
        # Rules that act at the ends of bars would act at other moments tick by tick.
        plan = terms(is_short=is_short, costs=COSTS, **PLANS[shape] | {"breakeven": False, "time_stop_ms": None})
        path = tick_path(generator, 60, 101.0 if plan.kind is Kind.LIMIT else 99.0)
        path = CENTRE - path if is_short else path
        by_bar = judge(plan, start(plan), as_bars(path), step_ms=MINUTE)
        by_tick = judge(plan, start(plan), as_ticks(path), step_ms=MINUTE // TICKS_A_BAR)
        assert len(by_tick.state.branches) == 1
        if not (by_tick.state.is_done and by_bar.state.is_done):
            continue
        decided += 1
        worst, best = bounds(plan, by_bar)
        truth = by_tick.state.branches[0].result(plan)
        assert worst <= truth <= best
        if worst < best:
            ticks = [Rung(MINUTE // TICKS_A_BAR, as_ticks(path))]
            drilled = judge(plan, start(plan), as_bars(path), step_ms=MINUTE, finer=ticks)
            assert bounds(plan, drilled) == (truth, truth)
        forked += worst < best
    assert decided > 100
    assert forked > 10 or plan.confirmation


@settings(max_examples=60)
@given(seed=st.integers(0, 10**6), shape=st.integers(0, len(PLANS) - 1), cut=st.integers(1, 59))
def test_catching_up_is_the_same_as_living_through(seed: int, shape: int, cut: int) -> None:
    plan = terms(costs=COSTS, **PLANS[shape])
    rows = as_bars(tick_path(np.random.default_rng(seed), 60, 101.0))
    funding = [(20 * MINUTE, D("0.001")), (41 * MINUTE, D("-0.002"))]
    whole = run(plan, rows, funding=funding)
    state = start(plan)
    events: list[Event] = []
    for i in range(60):
        step = run(plan, rows[: i + 1], from_plain(to_plain(state)), funding=funding)
        state, events = step.state, [*events, *step.events]
    assert (tuple(events), state) == (whole.events, whole.state)
    prefix = run(plan, rows[:cut], funding=funding)
    assert whole.events[: len(prefix.events)] == prefix.events


@settings(max_examples=60)
@given(seed=st.integers(0, 10**6), shape=st.integers(0, len(PLANS) - 1))
def test_a_short_is_a_long_in_a_mirror(seed: int, shape: int) -> None:
    path = tick_path(np.random.default_rng(seed), 60, 101.0)
    long, short = terms(**PLANS[shape]), terms(is_short=True, **PLANS[shape])
    one = run(long, as_bars(path))
    other = run(short, as_bars(CENTRE - path))
    assert [(event.kind, event.result) for event in one.events] == [
        (event.kind, event.result) for event in other.events
    ]
    assert bounds(long, one) == bounds(short, other)


@settings(max_examples=40)
@given(seed=st.integers(0, 10**6), shape=st.integers(0, len(PLANS) - 1), scale=st.sampled_from(["0.125", "8", "1024"]))
def test_scale_and_shift_leave_results_as_they_are(seed: int, shape: int, scale: str) -> None:
    path, by, later = tick_path(np.random.default_rng(seed), 60, 101.0), D(scale), 15 * MINUTE
    plan = terms(costs=COSTS, **PLANS[shape])
    moved = replace(
        plan,
        entry=plan.entry * by, stop=plan.stop * by, tick=plan.tick * by,
        targets=tuple(Target(target.price * by, target.weight) for target in plan.targets),
        armed_ms=later, expires_ms=plan.expires_ms + later,
        trail=None if plan.trail is None else plan.trail * by,
        confirmation=plan.confirmation and replace(plan.confirmation, price=(plan.confirmation.price or 0) * by),
        liquidation=None if plan.liquidation is None else plan.liquidation * by,
        bankruptcy=None if plan.bankruptcy is None else plan.bankruptcy * by,
    )  # fmt: skip
    rows = as_bars(path)
    other = as_bars(path * float(by))
    other["open_time"] += later
    one, two = run(plan, rows), run(moved, other)
    assert [event.kind for event in one.events] == [event.kind for event in two.events]
    assert [event.at_ms + later for event in one.events] == [event.at_ms for event in two.events]
    for left, right in zip(bounds(plan, one), bounds(moved, two), strict=True):
        assert abs(left - right) < D("1e-20")


def test_many_forks_keep_the_worst_and_the_best() -> None:
    plan = terms(targets=tuple((100 + 2 * i, "0.125") for i in range(1, 9)), stop=D(70))
    rows = bars(*[(105, 106, 104, 105), *[(101, 118, 98, 101)] * 6, (101, 101, 60, 61)])
    judged = run(plan, rows)
    assert len(judged.state.branches) <= 8
    assert judged.state.is_done
    assert bounds(plan, judged)[0] == min(branch.result(plan) for branch in judged.state.branches)


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 10**6), shape=st.integers(0, len(PLANS) - 1), is_short=st.booleans())
def test_within_its_bounds_a_bar_changes_nothing(seed: int, shape: int, is_short: bool) -> None:
    plan = terms(is_short=is_short, costs=COSTS, **PLANS[shape])
    path = tick_path(np.random.default_rng(seed), 60, 101.0)
    rows = as_bars(CENTRE - path if is_short else path)
    state, last = start(plan), None
    for i in range(len(rows)):
        found = quiet(plan, state)
        judged = judge(plan, state, rows[i : i + 1], step_ms=MINUTE)
        if found and last is not None and _holds(found, rows[i], last):
            assert judged.events == ()
            assert judged.state.branches == state.branches
            assert quiet(plan, judged.state) == found
        state, last = judged.state, float(rows[i]["close"])


def _holds(found: Any, row: np.void, last: float) -> bool:  # noqa: ANN401  # quiet bounds
    is_between = found.low < row["low"] and row["high"] < found.high and found.low < last < found.high
    return bool(is_between) and int(row["open_time"]) + MINUTE <= found.until_ms


def test_a_stop_that_was_moved_beyond_the_price_is_met_by_the_next_bar() -> None:
    """Filled at 102.02 and at 102 when its bar ends: the stop at the entry lies above all that follows."""
    plan = terms(kind=Kind.STOP, stop=D(96), targets=((102, "0.5"), (106, "0.5")), breakeven=True, costs=COSTS)
    judged = run(plan, bars((102, 104, 100, 102), (99, 100, 95, 97), (97, 98, 96, 97)))
    assert [(event.kind, event.at_ms // MINUTE) for event in judged.events] == [
        ("triggered", 1), ("target", 1), ("stopped", 2), ("judged", 2),
    ]  # fmt: skip
    assert judged.events[2].price == 99 * (1 - COSTS.slippage)


def test_an_entry_that_counts_once_the_price_is_past_it_is_met_by_the_next_bar() -> None:
    plan = terms(confirmation=Confirmation(Rule.CLOSE_BEYOND, MINUTE, D(97)))
    judged = run(plan, bars((101, 102, 98, 98), (98, 98.5, 97, 98), (98, 98.5, 97, 98)))
    assert [(event.kind, event.at_ms // MINUTE) for event in judged.events] == [
        ("early", 1), ("confirmed", 1), ("triggered", 2),
    ]  # fmt: skip
