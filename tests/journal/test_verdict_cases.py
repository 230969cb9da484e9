"""The candle rules, one by one, for a long and for its mirror."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from journal.verdict import Confirmation, Kind, Phase, Rule
from risk.formulas import Costs
from tests.journal.verdicts import CENTRE, MINUTE, bars, bounds, kinds, run, terms

D = Decimal
BREAKOUT: dict[str, Any] = {"kind": Kind.STOP}
TWO: dict[str, Any] = {"targets": ((110, "0.5"), (120, "0.5"))}
Row = tuple[float, float, float, float]
OPENED: Row = (103, 103, 98, 99)
BROKEN: Row = (97, 101, 96, 100.5)

CASES: list[tuple[str, dict[str, Any], list[Row], list[str], Phase, tuple[str, str]]] = [
    ("1 touched to the tick is not filled", {}, [(105, 106, 100, 104)], ["touched"], Phase.ARMED, ("0", "0")),
    ("2 traded through is filled", {}, [(105, 106, 99, 104)], ["touched", "triggered"], Phase.OPEN, ("0", "0")),
    ("3 entry and stop in one bar is a loss", {}, [(105, 106, 89, 95)],
     ["touched", "triggered", "stopped", "judged"], Phase.CLOSED, ("-1", "-1")),
    ("4 target before entry is missed", {}, [(105, 120, 104, 118)], ["missed", "judged"], Phase.MISSED, ("0", "0")),
    ("6 opens beyond the stop: the gap is kept", {}, [(105, 106, 104, 105), (80, 85, 79, 84)],
     ["triggered", "stopped", "judged"], Phase.CLOSED, ("-2", "-2")),
    ("7 breakout, stop only, is invalidated", BREAKOUT, [(97, 99, 90, 95)],
     ["invalidated", "judged"], Phase.INVALIDATED, ("0", "0")),
    ("9 breakout, entry and target, is a win", BREAKOUT, [(97, 121, 96, 118)],
     ["triggered", "target", "judged"], Phase.CLOSED, ("2", "2")),
    ("10 breakout opens too far beyond is missed", BREAKOUT | {"max_chase": D("0.25")},
     [(97, 98, 96, 97), (103, 104, 102, 103)], ["missed", "judged"], Phase.MISSED, ("0", "0")),
    ("10b breakout opens a little beyond is filled there", BREAKOUT | {"max_chase": D("0.25")},
     [(97, 98, 96, 97), (102, 104, 101, 103)], ["triggered"], Phase.OPEN, ("0", "0")),
    ("12 open, both targets in one bar", TWO, [OPENED, (99, 121, 98, 120)],
     ["touched", "triggered", "target", "target", "judged"], Phase.CLOSED, ("1.5", "1.5")),
    ("14 opens beyond the stop", {}, [OPENED, (85, 88, 84, 86)],
     ["touched", "triggered", "stopped", "judged"], Phase.CLOSED, ("-1.5", "-1.5")),
    ("14b opens beyond the target fills at the target", {}, [OPENED, (125, 126, 124, 125)],
     ["touched", "triggered", "target", "judged"], Phase.CLOSED, ("2", "2")),
    ("15 target to the tick is not filled", {}, [OPENED, (99, 120, 98, 110)],
     ["touched", "triggered"], Phase.OPEN, ("0", "0")),
    ("16 stop to the tick is stopped", {}, [OPENED, (99, 100, 90, 95)],
     ["touched", "triggered", "stopped", "judged"], Phase.CLOSED, ("-1", "-1")),
]  # fmt: skip

FORKS: list[tuple[str, dict[str, Any], list[Row], set[Phase], tuple[str, str]]] = [
    ("5 limit, entry and target, not the stop", {}, [(105, 121, 99, 110)],
     {Phase.MISSED, Phase.CLOSED}, ("0", "2")),
    ("8 breakout, entry and stop", BREAKOUT, [(97, 101, 90, 95)],
     {Phase.INVALIDATED, Phase.CLOSED}, ("-1", "0")),
    ("11 open, stop and target", {}, [OPENED, (99, 121, 90, 100)], {Phase.CLOSED}, ("-1", "2")),
    ("13 open, first target and stop", TWO, [OPENED, (99, 111, 90, 100)], {Phase.CLOSED}, ("-1", "0")),
]  # fmt: skip


@pytest.mark.parametrize("is_short", [False, True], ids=["long", "short"])
@pytest.mark.parametrize(
    ("changes", "rows", "happened", "phase", "results"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_certain_case(  # noqa: PLR0917  # a case is one row
    changes: dict[str, Any],
    rows: list[Row],
    happened: list[str],
    phase: Phase,
    results: tuple[str, str],
    is_short: bool,
) -> None:
    plan = terms(is_short=is_short, **changes)
    judged = run(plan, bars(*rows, is_short=is_short))
    assert kinds(judged) == happened
    assert [branch.phase for branch in judged.state.branches] == [phase]
    assert bounds(plan, judged) == tuple(D(result) for result in results)


@pytest.mark.parametrize("is_short", [False, True], ids=["long", "short"])
@pytest.mark.parametrize(("changes", "rows", "phases", "results"), [c[1:] for c in FORKS], ids=[c[0] for c in FORKS])
def test_uncertain_case_keeps_every_course(
    changes: dict[str, Any], rows: list[Row], phases: set[Phase], results: tuple[str, str], is_short: bool
) -> None:
    plan = terms(is_short=is_short, **changes)
    judged = run(plan, bars(*rows, is_short=is_short))
    assert {branch.phase for branch in judged.state.branches} == phases
    assert bounds(plan, judged) == tuple(D(result) for result in results)
    assert kinds(judged).count("forked") == 1


def test_headline_of_a_fork_is_the_worst_course() -> None:
    plan = terms()
    judged = run(plan, bars(OPENED, (99, 121, 90, 100)))
    assert (judged.events[-1].kind, judged.events[-1].result, judged.events[-1].note) == ("judged", D(-1), "closed")


def test_entry_bar_counts_a_target_only_where_it_is_proven() -> None:
    """17: the bar opens above the entry and closes at the target: the low came first, or the high did not count."""
    plan = terms()
    proven = run(plan, bars((105, 121, 99, 121)))
    assert {branch.phase for branch in proven.state.branches} == {Phase.MISSED, Phase.CLOSED}
    certain = run(terms(**BREAKOUT), bars((97, 121, 96, 121)))
    assert [branch.phase for branch in certain.state.branches] == [Phase.CLOSED]


def test_expiry_ends_a_plan_that_waits_but_not_a_position() -> None:
    plan = terms(expires_ms=60_000)
    waited = run(plan, bars((105, 106, 104, 105), (105, 106, 99, 105)))
    assert kinds(waited) == ["expired", "judged"]
    opened = run(plan, bars(OPENED, (99, 121, 98, 120)))
    assert kinds(opened) == ["touched", "triggered", "target", "judged"]


def test_minute_of_arming_is_skipped() -> None:
    plan = terms(armed_ms=30_000)
    judged = run(plan, bars((105, 106, 80, 105), (105, 106, 104, 105)))
    assert kinds(judged) == []
    assert judged.state.through_ms == 120_000


def test_time_stop_closes_at_the_end_of_its_bar() -> None:
    plan = terms(time_stop_ms=60_000, costs=Costs(slippage=D("0.01")))
    judged = run(plan, bars(OPENED, (99, 105, 98, 104), (104, 130, 80, 100)))
    assert kinds(judged) == ["touched", "triggered", "timed_out", "judged"]
    assert judged.events[2].price == D(104) * D("0.99")


@pytest.mark.parametrize("is_short", [False, True], ids=["long", "short"])
def test_stop_moves_to_the_entry_from_the_next_bar_on(is_short: bool) -> None:
    plan = terms(is_short=is_short, breakeven=True, **TWO)
    judged = run(plan, bars(OPENED, (99, 111, 98, 105), (105, 106, 100, 103), is_short=is_short))
    assert kinds(judged)[2:] == ["target", "stopped", "judged"]
    assert bounds(plan, judged) == (D("0.5"), D("0.5"))


@pytest.mark.parametrize("is_short", [False, True], ids=["long", "short"])
def test_liquidation_before_the_stop_takes_the_margin(is_short: bool) -> None:
    plan = terms(is_short=is_short, liquidation=D(94), bankruptcy=D(93))
    judged = run(plan, bars(OPENED, (99, 100, 94, 95), is_short=is_short))
    assert kinds(judged)[2:] == ["liquidated", "judged"]
    assert bounds(plan, judged) == (D("-0.7"), D("-0.7"))


def test_costs_and_funding_are_charged() -> None:
    costs = Costs(entry_fee=D("0.001"), exit_fee=D("0.002"), slippage=D("0.01"))
    plan = terms(costs=costs)
    # 1 R = 10 + slippage .9 + fees .1 + .002 * 89.1
    assert plan.unit == D(10) + D("0.9") + D("0.1") + D("0.1782")
    stopped = run(plan, bars(OPENED, (99, 99, 90, 91)))
    assert bounds(plan, stopped) == (D(-1), D(-1))
    paid = run(plan, bars(OPENED, (99, 121, 98, 120)), funding=[(120_000, D("0.01")), (60_000, D("0.5"))])
    made = D(20) - D("0.1") - D("0.12") - D("0.99")
    assert bounds(plan, paid) == (made / plan.unit, made / plan.unit)


def test_missing_bars_wait_until_they_are_there_or_lost() -> None:
    plan = terms()
    rows = bars((105, 106, 104, 105), (105, 106, 104, 105), (104, 105, 103, 104), (104, 105, 99, 103))
    waiting = run(plan, rows[[0, 3]])
    assert (kinds(waiting), waiting.state.through_ms) == ([], 60_000)
    harmless = run(plan, rows[[0, 3]], lost=[(60_000, 180_000)])
    assert kinds(harmless) == ["touched", "triggered"]
    assert harmless.state.has_gap


def test_lost_bars_with_a_level_between_their_ends_void_the_plan() -> None:
    plan = terms()
    rows = bars((105, 106, 104, 105), (1, 1, 1, 1), (97, 98, 96, 97))
    judged = run(plan, rows[[0, 2]], lost=[(60_000, 120_000)])
    assert kinds(judged) == ["void", "judged"]
    assert judged.state.branches[0].phase is Phase.VOID


def test_terms_refuse_what_no_plan_can_mean() -> None:
    with pytest.raises(ValueError, match="make 100 % together"):
        terms(targets=((110, "0.5"),))
    with pytest.raises(ValueError, match="in the order"):
        terms(targets=((120, "0.5"), (110, "0.5")))
    with pytest.raises(ValueError, match="lies above its entry"):
        terms(targets=((95, "1"),))


SWEEP = Confirmation(Rule.SWEEP_RECLAIM, 2 * MINUTE, D(95))


@pytest.mark.parametrize("is_short", [False, True], ids=["long", "short"])
def test_entry_waits_for_its_confirmation(is_short: bool) -> None:
    plan = terms(is_short=is_short, kind=Kind.CONFIRMED, confirmation=SWEEP)
    rows = bars((105, 106, 98, 99), (99, 100, 94, 94), (94, 97, 93, 96), (96, 99, 95, 98), (98, 121, 97, 121),
                is_short=is_short)  # fmt: skip
    judged = run(plan, rows)
    assert kinds(judged) == ["early", "confirmed", "triggered", "target", "judged"]
    # The candle of two minutes closes at 98: that is the fill.
    assert judged.events[2].price == (CENTRE - 98 if is_short else 98)


def test_confirmed_entry_does_not_chase() -> None:
    plan = terms(kind=Kind.CONFIRMED, confirmation=SWEEP, max_chase=D("0.2"))
    judged = run(plan, bars((105, 106, 94, 99), (99, 104, 98, 103)))
    assert [(event.kind, event.note) for event in judged.events][1:3] == [("confirmed", ""), ("missed", "too far")]


def test_idea_fails_before_it_is_confirmed() -> None:
    judged = run(terms(kind=Kind.CONFIRMED, confirmation=SWEEP), bars((105, 106, 89, 99)))
    assert kinds(judged) == ["early", "invalidated", "judged"]


def test_resting_order_counts_from_the_confirmation_on() -> None:
    plan = terms(confirmation=Confirmation(Rule.CLOSE_BEYOND, MINUTE, D(103)))
    judged = run(plan, bars((101, 102, 98, 101), (101, 104, 101, 103), (103, 104, 98, 99)))
    assert kinds(judged) == ["early", "confirmed", "touched", "triggered"]


def test_reclaim_needs_a_close_on_the_wrong_side_first() -> None:
    plan = terms(confirmation=Confirmation(Rule.RECLAIM, MINUTE, D(103)))
    judged = run(plan, bars((104, 105, 102, 104), (104, 105, 102, 102), (102, 104, 101, 103)))
    assert [(event.kind, event.at_ms) for event in judged.events] == [("confirmed", 180_000)]


def test_signal_from_outside_confirms() -> None:
    plan = terms(kind=Kind.CONFIRMED, confirmation=Confirmation(Rule.MANUAL))
    judged = run(plan, bars((105, 106, 104, 105), (105, 106, 101, 102)), signals=[90_000])
    assert [(event.kind, event.at_ms) for event in judged.events] == [("confirmed", 120_000), ("triggered", 120_000)]


@pytest.mark.parametrize("is_short", [False, True], ids=["long", "short"])
def test_stop_trails_the_close_of_each_minute(is_short: bool) -> None:
    plan = terms(is_short=is_short, trail=D(5))
    judged = run(plan, bars(OPENED, (99, 108, 98, 108), (108, 109, 104, 105), (105, 106, 102, 104), is_short=is_short))
    # It lies at 108 - 5 from the second minute's end on, and is touched in the fourth.
    assert kinds(judged) == ["touched", "triggered", "stopped", "judged"]
    assert judged.events[2].price == (CENTRE - 103 if is_short else 103)
