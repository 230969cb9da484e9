"""A plan at random moments: moved as a whole, judged by the reducer, and no better than chance where there is none."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pytest

from journal.statistics import control
from journal.verdict import Confirmation, Kind, Market, Rule, judge, replay, start
from journal.verdict.replaying import move
from risk.formulas import Costs
from tests.journal.verdicts import MINUTE, bars, terms

D = Decimal
COSTS = Costs(D("0.0002"), D("0.0005"), D("0.0002"))


def walk(count: int, *, seed: int = 3, step: float = 0.4) -> npt.NDArray[np.void]:
    """Bars of a walk without drift, each of eight ticks."""
    path = 1000 + np.cumsum(np.random.default_rng(seed).normal(0, step, count * 8)).round(1)
    parts = path.reshape(count, 8)
    made = bars(*[(one[0], one.max(), one.min(), one[-1]) for one in parts])
    made["open"][1:] = made["close"][:-1]
    made["high"], made["low"] = np.maximum(made["high"], made["open"]), np.minimum(made["low"], made["open"])
    return made


@pytest.mark.parametrize("is_short", [False, True])
def test_a_moved_plan_is_the_same_in_percent(is_short: bool) -> None:
    rule = Confirmation(Rule.CLOSE_BEYOND, MINUTE, D(101))
    plan = terms(is_short=is_short, kind=Kind.CONFIRMED, confirmation=rule, trail=D(5), expires_ms=600_000,
                 liquidation=D(80), bankruptcy=D(78), targets=((110, "0.5"), (120, "0.5")))  # fmt: skip
    moved = move(plan, share=D(2), at_ms=MINUTE)
    for before, after in ((plan.entry, moved.entry), (plan.stop, moved.stop), (D(5), moved.trail)):
        assert after == 2 * before
    assert [one.price for one in moved.targets] == [2 * one.price for one in plan.targets]
    assert moved.confirmation is not None
    assert rule.price is not None
    assert moved.confirmation.price == 2 * (200 - rule.price if is_short else rule.price)
    assert (moved.liquidation, moved.bankruptcy) == (2 * (plan.liquidation or 0), 2 * (plan.bankruptcy or 0))
    assert (moved.armed_ms, moved.expires_ms) == (MINUTE, MINUTE + 600_000)
    assert moved.unit == 2 * plan.unit


def test_a_replay_is_what_the_reducer_says_of_the_moved_plan() -> None:
    rows = walk(3000)
    plan = terms(kind=Kind.LIMIT, entry=D(998), stop=D(990), targets=((1012, "1"),), tick=D("0.1"), costs=COSTS,
                 expires_ms=600 * MINUTE)  # fmt: skip
    found = replay(plan, Market(rows, MINUTE), price=D(1000), generator=np.random.default_rng(7), count=40)
    assert found is not None
    expected, unentered = [], 0
    for place in np.random.default_rng(7).choice(np.arange(1, 3000), size=40):
        share = D(repr(float(rows["close"][place - 1]))) / D(1000)
        moved = move(plan, share=share, at_ms=int(rows["open_time"][place]))
        judged = judge(moved, start(moved), rows, step_ms=MINUTE)
        worst = min(judged.state.branches, key=lambda one: (one.worst(moved), one.phase.value))
        if judged.state.is_done and worst.phase.value == "closed":
            expected.append(float(worst.result(moved)))
        elif judged.state.is_done or worst.phase.value == "armed":
            unentered += 1
    assert found.cut + len(expected) == len(found.results)
    assert set(expected) <= set(found.results)
    assert len(expected) > 20
    assert (found.unentered, found.lost) == (unentered, 0)
    again = replay(plan, Market(rows, MINUTE), price=D(1000), generator=np.random.default_rng(7), count=40)
    assert again == found


def test_a_hole_tells_nothing_and_an_open_end_is_valued_at_the_last_close() -> None:
    plan = terms(kind=Kind.STOP, entry=D(1000), stop=D(900), targets=((1100, "1"),), tick=D("0.1"))
    quiet = bars(*[(1000.0, 1000.5, 999.5, 1000.0)] * 50)
    found = replay(plan, Market(quiet, MINUTE), price=D(1000), generator=np.random.default_rng(1), count=10)
    assert found is not None
    assert (found.cut, found.lost, set(found.results)) == (10, 0, {0.0})
    holed = np.delete(quiet, 30)
    late = replay(plan, Market(holed, MINUTE), price=D(1000), generator=np.random.default_rng(1), count=60)
    assert late is not None
    assert late.lost > 0
    assert late.lost + late.cut == 60
    assert replay(plan, Market(quiet[::2], MINUTE), price=D(1000), generator=np.random.default_rng(1), count=1) is None


def test_on_a_walk_without_drift_random_moments_lose_their_costs() -> None:
    """A martingale stopped anywhere is worth nothing: free of costs the mean is 0, else it is what they take."""
    rows = walk(20_000, step=0.7)
    plan = terms(kind=Kind.STOP, entry=D(1000), stop=D(992), targets=((1012, "1"),), tick=D("0.1"))
    found = replay(plan, Market(rows, MINUTE), price=D(1000), generator=np.random.default_rng(5), count=300)
    assert found is not None
    mean, error = np.mean(found.results), np.std(found.results) / np.sqrt(len(found.results))
    assert abs(mean) < 4 * error


def test_own_results_are_held_against_their_own_replays() -> None:
    own = [2.0, -1.0] * 15
    same = control(own, [(0.5, 1.5)] * 30)
    assert same is not None
    assert (same.own, same.drawn, same.gain.value) == (0.5, 0.5, 0.0)
    assert same.as_high == pytest.approx(0.5)
    assert same.gain.low < 0 < same.gain.high
    better = control(own, [(-0.5, 1.5)] * 30)
    assert better is not None
    assert better.gain.low > 0
    assert better.as_high == pytest.approx(0.000_13, abs=1e-5)  # 30 / (1.5 * sqrt(30)) = 3.65 deviations
    assert control(own[:9], [(0.0, 1.0)] * 9) is None
    assert control([1.0] * 12, [(0.0, 1.0)] * 12, days=[1] * 12) is None
    with pytest.raises(ValueError, match="as many replayed"):
        control([1.0], [])
