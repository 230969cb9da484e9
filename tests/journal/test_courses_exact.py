"""What happens at a level, to the tick: each event with its price, its moment, its result and its words."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from journal.verdict import Confirmation, Event, Excursion, Kind, Phase, Rule, Rung, State, excursion, judge, start
from journal.verdict.branch import Branch
from journal.verdict.confirming import to_data
from journal.verdict.keeping import from_plain, to_plain
from journal.verdict.paths import Bar
from journal.verdict.terms import Target
from market import series as s
from risk.formulas import Costs
from tests.journal.test_signals import HOUR, candles, changes
from tests.journal.verdicts import CENTRE, MINUTE, bars, bounds, kinds, run, terms

D = Decimal
Row = tuple[float, float, float, float]
SLIPS = Costs(entry_fee=D("0.001"), exit_fee=D("0.002"), slippage=D("0.01"))
FILLED = (("touched", 1, 100, ""), ("triggered", 1, 100, ""))
RULE = Confirmation(Rule.CLOSE_BEYOND, MINUTE, D(98))


def told(plan: Any, *rows: Row, **given: Any) -> list[tuple[str, int, float | None, str]]:  # noqa: ANN401  # terms by name
    events = run(plan, bars(*rows), **given).events
    return [
        (one.kind, one.at_ms // MINUTE, None if one.price is None else float(one.price), one.note) for one in events
    ]


@pytest.mark.parametrize(
    ("given", "rows", "expected"),
    [
        ({}, [(105, 120, 104, 118)], [("missed", 1, 120, "ran away"), ("judged", 1, None, "missed")]),
        ({"kind": Kind.STOP}, [(97, 99, 90, 95)], [("invalidated", 1, 90, ""), ("judged", 1, None, "invalidated")]),
        (
            {"kind": Kind.STOP, "max_chase": D("0.3")}, [(97, 98, 96, 97), (103, 104, 102, 103)],
            [("triggered", 2, 103, "")],
        ),
        (
            {"kind": Kind.STOP, "max_chase": D("0.3")}, [(97, 98, 96, 97), (103.1, 104, 102, 103)],
            [("missed", 2, 103.1, "gap"), ("judged", 2, None, "missed")],
        ),
        ({"confirmation": RULE}, [(97, 97.5, 90, 97)], [
            ("early", 1, 100, ""), ("invalidated", 1, 90, ""), ("judged", 1, None, "invalidated"),
        ]),
        ({"confirmation": replace(RULE, price=D(119))}, [(105, 120, 104, 118)], [
            ("missed", 1, 120, "ran away"), ("judged", 1, None, "missed"),
        ]),
        ({"confirmation": replace(RULE, price=D(119))}, [(105, 106, 100, 104)], [("early", 1, 100, "")]),
        ({"confirmation": RULE, "kind": Kind.STOP}, [(97, 100, 96, 97), (97, 98, 96, 98)], [
            ("early", 1, 100, ""), ("confirmed", 2, 98, ""),
        ]),
        ({"confirmation": RULE, "kind": Kind.CONFIRMED, "max_chase": D("0.2")}, [(101, 102, 100.5, 102)], [
            ("confirmed", 1, 102, ""), ("triggered", 1, 102, ""),
        ]),
        ({"confirmation": RULE, "kind": Kind.CONFIRMED, "max_chase": D("0.2")}, [(101, 103, 100.5, 102.1)], [
            ("confirmed", 1, 102.1, ""), ("missed", 1, 102.1, "too far"), ("judged", 1, None, "missed"),
        ]),
        ({"expires_ms": MINUTE}, [(105, 106, 104, 105)] * 2, [
            ("expired", 1, None, ""), ("judged", 2, None, "expired"),
        ]),
        ({"liquidation": D(94)}, [(103, 103, 98, 99), (99, 99, 93, 95)], [
            *FILLED, ("liquidated", 2, 94, ""), ("judged", 2, None, "closed"),
        ]),
        ({"liquidation": D(90), "bankruptcy": D(89)}, [(103, 103, 98, 99), (99, 99, 90, 95)], [
            *FILLED, ("liquidated", 2, 89, ""), ("judged", 2, None, "closed"),
        ]),
    ],
)  # fmt: skip
def test_each_event_says_what_where_and_when(given: dict[str, Any], rows: list[Row], expected: Any) -> None:  # noqa: ANN401
    assert told(terms(**given), *rows) == expected


def test_costs_are_those_of_each_order() -> None:
    """A breakout and a stop slip and pay the taker's fee, a target and a resting entry the maker's."""
    plan = terms(kind=Kind.STOP, costs=SLIPS, targets=((110, "0.25"), (120, "0.75")))
    events = run(plan, bars((97, 101, 96, 100.5), (100.5, 111, 99, 110), (110, 121, 109, 120))).events
    entry, unit = D(101), plan.unit
    first = D("0.25") * (110 - entry - D("0.11")) - D("0.202")
    assert unit == D(10) + D("0.9") + D("0.2") + D("0.002") * D("89.1")
    assert events == (
        Event(MINUTE, "triggered", "", entry),
        Event(2 * MINUTE, "target", "", D(110), first / unit),
        Event(3 * MINUTE, "target", "", D(120), (first + D("0.75") * (120 - entry - D("0.12"))) / unit),
        Event(3 * MINUTE, "judged", "", None, (first + D("0.75") * (120 - entry - D("0.12"))) / unit, "closed"),
    )
    stopped = run(plan, bars((97, 101, 96, 100.5), (100.5, 111, 99, 110), (110, 110.5, 90, 95)))
    loss = D("0.75") * (D("89.1") - entry - D("0.002") * D("89.1"))
    assert stopped.events[-1].result == (first + loss) / unit
    late = run(terms(kind=Kind.CONFIRMED, costs=SLIPS, confirmation=RULE, time_stop_ms=MINUTE),
               bars((97, 99, 96, 99), (99, 101, 98, 100)))  # fmt: skip
    fill = D("99.99")
    assert [one.price for one in late.events[:4]] == [100, 99, fill, 99]
    made = 99 - fill - D("0.002") * 99 - D("0.002") * fill
    assert late.events[-1].result == made / terms(kind=Kind.CONFIRMED, costs=SLIPS, confirmation=RULE).unit


def test_settlements_of_a_bar_are_added_and_paid_by_what_is_left() -> None:
    plan = terms(targets=((110, "0.25"), (120, "0.75")))
    rows = bars((103, 103, 98, 99), (99, 111, 98, 110), (110, 112, 108, 111), (111, 121, 110, 120))
    paid = [(2 * MINUTE, D("0.1")), (2 * MINUTE + 1, D("0.01")), (3 * MINUTE, D("0.02")), (4 * MINUTE + 1, D(9))]
    judged = run(plan, rows, funding=paid)
    made = D("2.5") + 15 - D("0.1") * 99 - D("0.75") * D("0.03") * 110
    assert judged.events[-1].result == made / 10


@pytest.mark.parametrize(("after", "is_void"), [(100, True), (100.5, False), (120, True), (119.5, False)])
def test_a_gap_voids_up_to_the_level_itself(after: float, is_void: bool) -> None:
    rows = bars((105, 106, 104, 105), (1, 1, 1, 1), (after, after, after, after))
    judged = run(terms(), rows[[0, 2]], lost=[(MINUTE, 2 * MINUTE)])
    assert (kinds(judged)[:1] == ["void"]) == is_void
    assert judged.state.has_gap
    assert not run(terms(), rows).state.has_gap
    if is_void:
        assert judged.events[0] == Event(2 * MINUTE, "void", "", None, None, "data gap")


def test_bars_before_the_first_whole_one_are_skipped_whatever_their_length() -> None:
    rows = bars((105, 106, 89, 105), (105, 106, 104, 105), (105, 106, 99, 104))
    rows["open_time"] = np.arange(3) * 5 * MINUTE
    plan = terms(armed_ms=3 * MINUTE)
    judged = judge(plan, start(plan), rows, step_ms=5 * MINUTE)
    assert ([one.kind for one in judged.events], judged.state.through_ms) == (["touched", "triggered"], 15 * MINUTE)
    assert judge(plan, start(plan), rows[2:], step_ms=5 * MINUTE).state.through_ms is None
    begun = judge(plan, start(plan), rows[2:], step_ms=5 * MINUTE, lost=[(0, 10 * MINUTE)])
    assert [one.kind for one in begun.events] == ["touched", "triggered"]


@pytest.mark.parametrize(("low", "is_swept"), [(94.9, True), (95, False)])
def test_a_sweep_goes_through_its_level(low: float, is_swept: bool) -> None:
    rule = Confirmation(Rule.SWEEP_RECLAIM, MINUTE, D(95))
    bar = Bar(0, MINUTE, D(97), D(98), D(str(low)), D(95))
    assert (rule.primes(bar, 1), rule.holds(bar, 1, is_primed=False)) == (is_swept, is_swept)
    assert rule.holds(bar, 1, is_primed=True)
    assert not rule.holds(replace(bar, end_ms=MINUTE + 1), 1, is_primed=True)
    assert not rule.holds(replace(bar, close=D("94.9")), 1, is_primed=True)


def test_a_close_primes_a_reclaim_and_nothing_else() -> None:
    below, at = (Bar(0, MINUTE, D(97), D(98), D(94), D(close)) for close in (94, 95))
    reclaim = Confirmation(Rule.RECLAIM, MINUTE, D(95))
    assert (reclaim.primes(below, 1), reclaim.primes(at, 1)) == (True, False)
    assert not reclaim.primes(replace(below, end_ms=90_000), 1)
    assert not reclaim.holds(at, 1, is_primed=False)
    for other in (Confirmation(Rule.CLOSE_BEYOND, MINUTE, D(95)), Confirmation(Rule.MANUAL, MINUTE)):
        assert not other.primes(below, 1)
    assert json.dumps(to_data(reclaim)) == '{"rule": "reclaim", "candle_s": 60, "price": "95"}'
    assert to_data(None) == {}
    assert Confirmation(Rule.MANUAL).candle_ms == 300_000


def test_signals_need_a_full_past() -> None:
    from journal.verdict.signals import USUAL, volume_signals  # noqa: PLC0415  # of this test alone

    assert USUAL == 20
    assert volume_signals(candles(6.0)[1:], candle_ms=HOUR, times=3.0) == []
    assert changes(0.5, (HOUR, 100.0), (2 * HOUR, 101.0), until=2 * HOUR) == [2 * HOUR]
    assert changes(0.5, (2 * HOUR, 100.0), (3 * HOUR, 101.0), since=3 * HOUR) == [3 * HOUR]


def test_parts_with_a_hole_inside_decide_nothing() -> None:
    made = np.zeros(4, s.BAR)
    made["open_time"], made["close"] = MINUTE + 15_000 * np.arange(4), (121, 110, 90, 100)
    made["open"] = (99, 121, 110, 90)
    made["high"], made["low"] = np.maximum(made["open"], made["close"]), np.minimum(made["open"], made["close"])
    rows = bars((103, 103, 98, 99), (99, 121, 90, 100))
    assert "drilled" in kinds(run(terms(), rows, finer=[Rung(15_000, made)]))
    assert "drilled" not in kinds(run(terms(), rows, finer=[Rung(15_000, np.delete(made, 1))]))
    odd = made[:2].copy()  # of 45 seconds each: the second would end after the bar
    odd["open_time"], odd["open"], odd["close"] = (MINUTE, MINUTE + 45_000), (99, 110), (110, 100)
    odd["high"], odd["low"] = 121, 90
    assert "drilled" not in kinds(run(terms(), rows, finer=[Rung(45_000, odd)]))


def test_a_state_is_kept_whole() -> None:
    branch = Branch("ab", Phase.CLOSED, D("89.5"), D("100.25"), 2, D("0.25"), D("-1.5"), True, False, 7, 9)
    state = State((branch, replace(branch, name="b", entry=None, opened_ms=None)), 60_000, D("1E-8"), True, True)
    back = from_plain(to_plain(state))
    assert repr(back) == repr(replace(state, last=D("0.00000001")))
    old = to_plain(state)
    del old["is_primed"], old["branches"][0]["is_confirmed"]
    assert (from_plain(old).is_primed, from_plain(old).branches[0].is_confirmed) == (False, True)


def test_weights_are_positive_and_targets_there() -> None:
    assert Target(D(110)).weight == 1
    for targets in ((), ((110, "0"), (120, "1")), ((110, "-0.5"), (120, "1.5"))):
        with pytest.raises(ValueError, match=r"together|each with a weight"):
            terms(targets=targets)


def of(rows: list[Row], *, is_short: bool = False, step_ms: int = MINUTE, **given: Any) -> Excursion | None:  # noqa: ANN401
    plan, made = terms(is_short=is_short, **given), bars(*rows, is_short=is_short)
    judged = run(plan, made)
    return excursion(plan, judged.state.branches, judged.events, made, step_ms=step_ms)


@pytest.mark.parametrize("is_short", [False, True], ids=["long", "short"])
def test_what_is_timed_out_has_lived_through_its_last_bar(is_short: bool) -> None:
    rows: list[Row] = [(103, 103, 98, 99), (99, 105, 96, 104), (104, 109, 93, 102)]
    assert of(rows, is_short=is_short, time_stop_ms=2 * MINUTE) == Excursion((0.7, 0.7), (0.9, 0.9))
    assert of(rows[:2], is_short=is_short, time_stop_ms=MINUTE) == Excursion((0.4, 0.4), (0.5, 0.5))


@pytest.mark.parametrize("is_short", [False, True], ids=["long", "short"])
def test_what_is_liquidated_is_held_no_further(is_short: bool) -> None:
    rows: list[Row] = [(103, 103, 98, 99), (99, 102, 80, 85)]
    assert of(rows, is_short=is_short, liquidation=D(94)) == Excursion((0.6, 0.6), (0.0, 0.3))
    two: Any = ((110, "0.5"), (120, "0.5"))
    gone: list[Row] = [(103, 103, 98, 99), (99, 112, 97, 108), (108, 109, 85, 88)]
    assert of(gone, is_short=is_short, targets=two) == Excursion((1.0, 1.0), (1.2, 1.2))


def test_many_courses_are_thinned_to_both_ends() -> None:
    plan = terms(targets=tuple((100 + 2 * i, "0.0625") for i in range(1, 17)), stop=D(50), breakeven=True)
    rows = bars((105, 106, 99, 101), *[(101, 134, 100.5, 101)] * 4)
    judged = run(plan, rows)
    low, high = bounds(plan, judged)
    assert len(judged.state.branches) <= 8
    assert low <= high
    assert CENTRE == 200


def test_of_too_many_courses_the_four_worst_and_the_four_best_are_kept() -> None:
    """By what they have or would have at their stops: what they have made so far would keep others."""
    at_stops = (-20, -21, -22, -23, -30, -10, -24, -25, -26, -21.5)
    entries = (100, 100, 110, *[100] * 7)
    courses = [
        Branch(name, Phase.OPEN, D(str(entry + worst - made)), D(entry), made=D(made), opened_ms=-MINUTE)
        for made, (name, worst, entry) in enumerate(zip("abcdefghij", at_stops, entries, strict=True))
    ]
    courses[3] = replace(courses[3], phase=Phase.CLOSED, left=D(0), made=D(-23))
    state = State(tuple(courses), 0, D(105))
    paid = [(MINUTE, D("0.001"))]  # what makes it look at the bar, and costs all the same
    judged = run(terms(), bars((105, 106, 104, 105)), state, funding=paid)
    assert "".join(branch.name for branch in judged.state.branches) == "abefghij"
    eight = run(terms(), bars((105, 106, 104, 105)), replace(state, branches=state.branches[:8]), funding=paid)
    assert len(eight.state.branches) == 8
