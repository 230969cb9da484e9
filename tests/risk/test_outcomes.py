"""Formulas about many trades, against worked values and slow twins."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk import formulas

D = Decimal
LOSSES = D("0.55")
RECORD = [2.0] * 45 + [-1.0] * 55


@pytest.mark.parametrize(("fall", "gain"), [("0.1", "0.111"), ("0.2", "0.25"), ("0.3", "0.429"), ("0.5", "1")])
def test_recovery_of_known_drawdowns(fall: str, gain: str) -> None:
    assert round(formulas.recovery(drawdown=D(fall)), 3) == D(gain)


@pytest.mark.parametrize("fall", ["0", "1", "-0.1", "NaN"])
def test_recovery_refuses_what_is_no_drawdown(fall: str) -> None:
    with pytest.raises(ValueError, match=r"^Give the drawdown as more than 0 % and less than 100 %\.$"):
        formulas.recovery(drawdown=D(fall))


@pytest.mark.parametrize(("length", "percent"), [(6, 73), (7, 50), (8, 31), (10, 10)])
def test_streaks_of_known_lengths(length: int, percent: int) -> None:
    assert round(formulas.chance_of_streak(losing_rate=LOSSES, length=length, trades=100) * 100) == percent


@given(length=st.integers(1, 6), extra=st.integers(0, 4), losing=st.decimals("0.05", "0.95", places=2))
def test_streaks_agree_with_counting_every_order(length: int, extra: int, losing: D) -> None:
    trades = length + extra
    counted = D(0)
    for order in product("LW", repeat=trades):
        if "L" * length in "".join(order):
            losses = order.count("L")
            counted += losing**losses * (1 - losing) ** (trades - losses)
    found = formulas.chance_of_streak(losing_rate=losing, length=length, trades=trades)
    assert abs(found - counted) < D("1e-20")


def test_longest_streak_is_the_sum_of_the_chances() -> None:
    chances = [formulas.chance_of_streak(losing_rate=D("0.5"), length=k, trades=3) for k in (1, 2, 3)]
    assert formulas.expected_longest(losing_rate=D("0.5"), trades=3) == sum(chances)
    # By hand: of 8 orders 1 has none, 4 have one at most, 2 two, 1 three.
    assert formulas.expected_longest(losing_rate=D("0.5"), trades=3) == D(11) / 8


def test_streak_refuses_more_losses_than_trades() -> None:
    with pytest.raises(ValueError, match=r"^Give a streak of at least 1"):
        formulas.chance_of_streak(losing_rate=LOSSES, length=5, trades=4)


def test_expectancy_of_known_results() -> None:
    found = formulas.expectancy_of([D(2)] * 45 + [D(-1)] * 55)
    assert (found.count, found.mean) == (100, D("0.35"))
    assert found.mean == formulas.expectancy(win_rate=D("0.45"), win=D(2), loss=D(1))
    assert found.error is not None
    assert found.error == D("0.15")
    assert (found.low, found.high) == (D("0.35") - D("1.959963984540054") * D("0.15"),
                                       D("0.35") + D("1.959963984540054") * D("0.15"))  # fmt: skip
    assert found.sqn is not None
    assert round(found.sqn, 6) == D("2.333333")


def test_expectancy_of_one_result_has_no_interval() -> None:
    found = formulas.expectancy_of([D("1.5")])
    assert (found.mean, found.error, found.low, found.high, found.sqn) == (D("1.5"), None, None, None, None)
    assert formulas.expectancy_of([D(1), D(1)]).sqn is None
    with pytest.raises(ValueError, match="Give at least one result"):
        formulas.expectancy_of([])


def test_kelly_by_rule_and_by_record_agree() -> None:
    assert formulas.kelly(win_rate=D("0.45"), win=D(2)) == D("0.175")
    assert abs(formulas.kelly_of([D(2)] * 45 + [D(-1)] * 55) - D("0.175")) < D("1e-15")
    assert formulas.kelly(win_rate=D("0.6"), win=D(1), loss=D("0.5")) == D("0.8")
    assert formulas.kelly(win_rate=D("0.2"), win=D(2)) == 0
    assert formulas.kelly_of([D(1), D(-2)]) == 0
    with pytest.raises(ValueError, match="needs at least one loss"):
        formulas.kelly_of([D(1), D(2)])


@pytest.mark.parametrize(("fraction", "chance"), [("1", "0.5"), ("0.5", "0.125"), ("0.25", "0.0078125")])
def test_halving_under_a_fraction_of_kelly(fraction: str, chance: str) -> None:
    assert formulas.chance_of_falling_to(share=D("0.5"), fraction=D(fraction)) == D(chance)


def test_growth_kept_by_a_fraction_of_kelly() -> None:
    assert [formulas.growth_share(D(c)) for c in ("0.25", "0.5", "1", "2")] == [D("0.4375"), D("0.75"), 1, 0]


def test_ruin_of_even_money() -> None:
    assert round(formulas.ruin_even_money(win_rate=D("0.6"), units=2), 20) == round(D(4) / 9, 20)
    assert formulas.ruin_even_money(win_rate=D("0.5"), units=10) == 1


def test_ruin_of_a_whole_payoff() -> None:
    assert round(formulas.ruin_whole_payoff(win_rate=D("0.5"), payoff=2, units=10), 5) == D("0.00813")
    even = formulas.ruin_whole_payoff(win_rate=D("0.6"), payoff=1, units=3)
    assert abs(even - formulas.ruin_even_money(win_rate=D("0.6"), units=3)) < D("1e-25")
    assert formulas.ruin_whole_payoff(win_rate=D("0.3"), payoff=2, units=10) == 1


@pytest.mark.parametrize(("fraction", "chance"), [(0.01, 0.00065), (0.02, 0.028), (0.05, 0.272)])
def test_drawdown_bound_of_known_bets(fraction: float, chance: float) -> None:
    bound = formulas.drawdown_bound(results=RECORD, fraction=fraction, drawdown=0.2)
    assert bound == pytest.approx(chance, rel=0.02)
    same = formulas.drawdown_bound(results=[2.0, -1.0], weights=[0.45, 0.55], fraction=fraction, drawdown=0.2)
    assert same == pytest.approx(bound, rel=1e-12)


def test_drawdown_bound_without_edge_or_without_losses() -> None:
    assert formulas.drawdown_bound(results=[1.0, -1.0], fraction=0.1, drawdown=0.2) == 1.0
    assert formulas.drawdown_bound(results=[1.0, 0.5], fraction=0.1, drawdown=0.2) == 0.0


def test_simulation_agrees_with_the_exact_chance() -> None:
    """A single bet that falls by the threshold or rises: the chance is that of losing within one or two trades."""
    found = formulas.simulate_ruin(
        results=[2.0, -1.0], weights=[0.45, 0.55], fraction=0.25, drawdown=0.25, trades=1, paths=20_000,
        generator=np.random.default_rng(1),
    )  # fmt: skip
    assert found.low <= 0.55 <= found.high
    two = formulas.simulate_ruin(
        results=[2.0, -1.0], weights=[0.45, 0.55], fraction=0.25, drawdown=0.4, trades=2, paths=20_000,
        generator=np.random.default_rng(2),
    )  # fmt: skip
    assert two.low <= 0.55**2 <= two.high


def test_simulation_stays_below_the_bound_and_is_repeatable() -> None:
    terms = {"results": [2.0, -1.0], "weights": [0.45, 0.55], "fraction": 0.05, "drawdown": 0.2}
    runs = [
        formulas.simulate_ruin(trades=500, paths=4000, generator=np.random.default_rng(seed), **terms)  # type: ignore[arg-type]  # one set of terms
        for seed in (3, 3, 4)
    ]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]
    assert runs[0].low <= formulas.drawdown_bound(**terms)  # type: ignore[arg-type]  # one set of terms
    assert list(runs[0].quantiles) == sorted(runs[0].quantiles)


def test_simulation_of_a_record_keeps_its_streaks() -> None:
    streaky, mixed = [1.0] * 50 + [-1.0] * 50, [1.0, -1.0] * 50
    falls = [
        formulas.simulate_ruin(
            results=results, fraction=0.02, drawdown=0.2, trades=100, paths=4000, generator=np.random.default_rng(5)
        ).chance
        for results in (streaky, mixed)
    ]
    assert falls[0] > 10 * falls[1]


def test_simulation_refuses_a_bet_that_takes_all() -> None:
    with pytest.raises(ValueError, match="takes the whole account"):
        formulas.simulate_ruin(
            results=[1.0, -2.0], fraction=0.5, drawdown=0.2, trades=5, paths=5, generator=np.random.default_rng(0)
        )
    with pytest.raises(ValueError, match="at most 2,000 trades"):
        formulas.simulate_ruin(
            results=[1.0], fraction=0.5, drawdown=0.2, trades=5000, paths=5, generator=np.random.default_rng(0)
        )


def test_settlements_count_only_what_is_held_through() -> None:
    at = dt.datetime(2026, 1, 1, 8, tzinfo=dt.UTC)
    hour = dt.timedelta(hours=1)
    assert formulas.count_settlements(opened=at, closed=at + 8 * hour, interval_h=8) == 1
    assert formulas.count_settlements(opened=at - hour, closed=at, interval_h=8) == 1
    assert formulas.count_settlements(opened=at, closed=at + 7 * hour, interval_h=8) == 0
    assert formulas.count_settlements(opened=at, closed=at + 24 * hour, interval_h=1) == 24
    with pytest.raises(ValueError, match="closed before it is opened"):
        formulas.count_settlements(opened=at, closed=at - hour, interval_h=8)
    with pytest.raises(ValueError, match="Give the funding interval"):
        formulas.count_settlements(opened=at, closed=at, interval_h=5)


def test_funding_is_paid_by_longs_when_the_rate_is_above_zero() -> None:
    paid = formulas.funding_per_unit(side=1, price=D(60000), rate=D("0.0001"), settlements=3)
    assert paid == 18
    assert formulas.funding_per_unit(side=-1, price=D(60000), rate=D("0.0001"), settlements=3) == -18


def test_break_even_with_three_fundings() -> None:
    costs = {"entry_fee": D("0.0002"), "exit_fee": D("0.00055")}
    long = formulas.break_even(side=1, entry=D(60000), costs=formulas.Costs(**costs, funding=D(18)))
    short = formulas.break_even(side=-1, entry=D(60000), costs=formulas.Costs(**costs, funding=D(18)))
    assert (round(long, 2), round(short, 2)) == (D("60063.03"), D("59937.03"))


def test_scaled_reward_gives_three_numbers() -> None:
    found = formulas.scaled_reward(
        side=1, entry=D(100), stop=D(90), targets=[D(110), D(130)], shares=[D("0.5"), D("0.5")]
    )
    assert (found.all_hit, found.first_then_stop, found.first_then_even) == (D(2), D(0), D("0.5"))


@pytest.mark.parametrize(
    ("targets", "shares", "sentence"),
    [
        ([110, 130], ["0.5", "0.4"], "make 100 % together"),
        ([110], ["0.5", "0.5"], "Give each target a share"),
        ([130, 110], ["0.5", "0.5"], "in the order"),
        ([], [], "Give each target a share"),
    ],
)
def test_scaled_reward_refuses_shares_that_do_not_fit(targets: list[int], shares: list[str], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        formulas.scaled_reward(
            side=1, entry=D(100), stop=D(90), targets=[D(t) for t in targets], shares=[D(s) for s in shares]
        )


@pytest.mark.parametrize("text", ["1_000", "\uff11\uff12", "nan", "inf", "1.2.3", "", "0x10", "--1"])
def test_numbers_are_read_in_plain_digits_only(text: str) -> None:
    with pytest.raises(ValueError, match=r"^Write a number with a point, like 60123\.5\.$"):
        formulas.read_number(text)


def test_numbers_with_a_comma_say_so() -> None:
    assert formulas.read_number(" 60123.5 ") == D("60123.5")
    assert formulas.read_number("-1e-8") == D("-1e-8")
    with pytest.raises(ValueError, match=r"^Leave out the comma\."):
        formulas.read_number("60,123.5")
