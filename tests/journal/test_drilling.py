"""Where the order inside a bar is unknown, finer stored bars of it decide; where there are none it stays unknown."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journal.verdict import Kind, Rung, judge, start
from market import series as s
from risk.formulas import FREE
from tests.journal.test_verdict_properties import COSTS, PLANS, TICKS_A_BAR, as_bars, as_ticks, tick_path
from tests.journal.verdicts import CENTRE, MINUTE, bars, bounds, kinds, run, terms

if TYPE_CHECKING:
    import numpy.typing as npt

    from journal.verdict import Judged

D = Decimal
TICK_MS: Final = MINUTE // TICKS_A_BAR
# Opened at 100; then a bar that holds the stop at 90 and the target at 120.
ROWS: Final = [(103, 103, 98, 99), (99, 121, 90, 100)]


def parts(*closes: float) -> npt.NDArray[np.void]:
    """The second bar as four quarters of a minute that end at these prices."""
    made = np.zeros(len(closes), s.BAR)
    made["open_time"] = MINUTE + 15_000 * np.arange(len(closes))
    made["close"] = closes
    made["open"] = [99, *closes[:-1]]
    made["high"], made["low"] = np.maximum(made["open"], made["close"]), np.minimum(made["open"], made["close"])
    return made


def drilled(*closes: float) -> Judged:
    return run(terms(), bars(*ROWS), finer=[Rung(15_000, parts(*closes))])


@pytest.mark.parametrize(("closes", "result"), [((121, 110, 90, 100), 2), ((90, 110, 121, 100), -1)])
def test_finer_bars_decide(closes: tuple[float, ...], result: int) -> None:
    judged = drilled(*closes)
    end = "target" if result == 2 else "stopped"
    assert kinds(judged) == ["touched", "triggered", "drilled", end, "judged"]
    assert bounds(terms(), judged) == (D(result), D(result))
    assert judged.events[2].note == "in bars of 15 s"
    assert (judged.state.through_ms, judged.state.last) == (2 * MINUTE, D(100))


@pytest.mark.parametrize(
    "closes", [(121, 110, 90), (120, 110, 90, 100), (121, 110, 91, 100), (121, 110, 90, 99)],
    ids=["one is missing", "another high", "another low", "another close"],
)  # fmt: skip
def test_parts_that_tell_another_bar_decide_nothing(closes: tuple[float, ...]) -> None:
    judged = drilled(*closes)
    assert judged == run(terms(), bars(*ROWS))
    assert bounds(terms(), judged) == (D(-1), D(2))


def test_finer_bars_are_drilled_in_turn() -> None:
    wide = parts(90, 100, 100, 100)
    wide["high"][0] = 121
    fine = np.zeros(15, s.BAR)
    fine["open_time"] = MINUTE + 1_000 * np.arange(15)
    for name in ("open", "high", "low", "close"):
        fine[name] = [99, *[121] * 13, 90]
    still_unknown = run(terms(), bars(*ROWS), finer=[Rung(15_000, wide)])
    assert kinds(still_unknown)[2:4] == ["drilled", "forked"]
    assert bounds(terms(), still_unknown) == (D(-1), D(2))
    judged = run(terms(), bars(*ROWS), finer=[Rung(15_000, wide), Rung(1_000, fine)])
    assert kinds(judged)[2:] == ["drilled", "drilled", "target", "judged"]
    assert bounds(terms(), judged) == (D(2), D(2))


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 10**6), shape=st.integers(0, len(PLANS) - 1), is_short=st.booleans())
def test_ticks_leave_nothing_unknown(seed: int, shape: int, is_short: bool) -> None:
    # A stop at the entry lies on a tick where nothing slips: between two, ticks fill it at the one beyond.
    costs = FREE if PLANS[shape].get("breakeven") else COSTS
    plan = terms(is_short=is_short, costs=costs, **PLANS[shape])
    path = tick_path(np.random.default_rng(seed), 60, 101.0 if plan.kind is Kind.LIMIT else 99.0)
    path = CENTRE - path if is_short else path
    ticks = as_ticks(path)
    truth = judge(plan, start(plan), ticks, step_ms=TICK_MS)
    judged = judge(plan, start(plan), as_bars(path), step_ms=MINUTE, finer=[Rung(TICK_MS, ticks)])
    assert [branch.phase for branch in judged.state.branches] == [branch.phase for branch in truth.state.branches]
    assert bounds(plan, judged) == bounds(plan, truth)
    assert len(judged.state.branches) == 1
