"""Where each formula's domain ends, to the last value that is taken and the first that is refused."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from risk import formulas
from risk.formulas import Bracket, Costs

if TYPE_CHECKING:
    from collections.abc import Callable

D = Decimal
AT = dt.datetime(2026, 1, 1, 8, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def refusal(act: Callable[..., Any], **terms: Any) -> str:  # noqa: ANN401  # whatever a formula takes
    with pytest.raises(ValueError) as refused:  # noqa: PT011  # its sentence is compared where this is called
        act(**terms)
    return str(refused.value)


def test_funding_at_its_ends() -> None:
    assert [formulas.count_settlements(opened=AT, closed=AT + DAY, interval_h=h) for h in (1, 2, 4, 8, 12, 24)] == [
        24, 12, 6, 3, 2, 1,
    ]  # fmt: skip
    terms: dict[str, Any] = {"side": 1, "price": D(100)}
    assert formulas.funding_per_unit(**terms, rate=D("0.99"), settlements=10_000) == D(990_000)
    assert formulas.funding_per_unit(**terms, rate=D("-0.01"), settlements=0) == 0
    for rate in ("1", "-1", "1.5", "NaN", "Infinity"):
        assert "below 100 %" in refusal(formulas.funding_per_unit, **terms, rate=D(rate), settlements=1)
    for count in (-1, 10_001):
        assert "as 0 to 10,000." in refusal(formulas.funding_per_unit, **terms, rate=D("0.01"), settlements=count)


def test_a_rate_of_wins_is_taken_from_none_to_all() -> None:
    assert formulas.expectancy(win_rate=D(0), win=D(2), loss=D(1)) == -1
    assert formulas.expectancy(win_rate=D(1), win=D(2), loss=D(1)) == 2
    assert formulas.kelly(win_rate=D(1), win=D(2)) == 1
    for rate in ("-0.01", "1.01", "NaN"):
        assert "as 0 % to 100 %" in refusal(formulas.expectancy, win_rate=D(rate), win=D(2), loss=D(1))


def test_kelly_of_a_record_at_its_ends() -> None:
    assert formulas.LEAST_RESULTS == 30
    assert "at least one loss" in refusal(formulas.kelly_of, results=[])
    assert "at least one loss" in refusal(formulas.kelly_of, results=[D(0), D(1)])
    assert formulas.kelly_of([D(1), D(-1)]) == 0
    # A small loss: f* = p / a - q / b = 0.5 / 0.5 - 0.5 / 0.6 lies far above what -worst instead of -1 / worst allows.
    assert abs(formulas.kelly_of([D("0.6"), D("-0.5")]) - (1 - D("0.5") / D("0.6"))) < D("1e-20")
    assert abs(formulas.kelly_of([D(30)] * 9 + [D("-0.25")]) - (D("3.6") - D("0.1") / D(30))) < D("1e-20")
    assert formulas.kelly(win_rate=D("0.5"), win=D("0.8"), loss=D("0.5")) == D("0.375")


def test_the_quality_of_a_short_record_counts_its_own_length() -> None:
    found = formulas.expectancy_of([D(1), D(-1), D(1), D(1)])
    assert found.sqn is not None
    # mean .5, sd 1 over four results.
    assert found.sqn == 1
    # Never more than a hundred: 10 times .5 over the root of 2.25 x 202 / 201.
    long = formulas.expectancy_of([D(2), D(-1)] * 101).sqn
    assert long is not None
    assert round(long**2, 20) == round(D(25) / (D("2.25") * 202 / 201), 20)


def test_streaks_at_their_ends() -> None:
    most = formulas.chance_of_streak(losing_rate=D("0.5"), length=10_000, trades=10_000)
    assert abs(most / D("0.5") ** 10_000 - 1) < D("1e-20")
    assert "may be 10,000" in refusal(formulas.chance_of_streak, losing_rate=D("0.5"), length=1, trades=10_001)
    assert "at least 1" in refusal(formulas.chance_of_streak, losing_rate=D("0.5"), length=0, trades=5)
    # What is left out of a long sum lies below a billionth.
    whole = sum(formulas.chance_of_streak(losing_rate=D("0.1"), length=k, trades=20) for k in range(1, 21))
    assert 0 < whole - formulas.expected_longest(losing_rate=D("0.1"), trades=20) < D("2e-10")


def test_sizes_at_their_ends() -> None:
    costs = Costs(slippage=D("0.01"))
    # A long's stop of 90 fills at 89.1: 1 / 89.1 - 1 / 100 of a coin is lost for each dollar.
    size = formulas.size_by_stop_inverse(side=1, entry=D(100), stop=D(90), budget=D(1), contract_usd=D(10), costs=costs)
    assert size.quantity == 81
    terms: dict[str, Any] = {"side": 1, "entry": D(100), "stop": D(90)}
    assert formulas.size_by_stop(**terms, budget=D(10), step=D(1)).quantity == 1
    assert formulas.size_by_stop(**terms, budget=D(20), step=D(1), smallest=D(2)).quantity == 2
    # 10 of 9 is 111.1… %: rounded up, never down.
    assert "risks 111.2 % of" in refusal(formulas.size_by_stop, **terms, budget=D(9), step=D(1))
    assert "risks 250.0 % of" in refusal(formulas.size_by_stop, **terms, budget=D(8), step=D(1), smallest=D(2))
    rebate = Costs(exit_fee=D("-0.1"), entry_fee=D("-0.01"))
    assert "larger than the loss" in refusal(formulas.loss_per_unit, **terms, costs=rebate)
    half = refusal(formulas.size_by_stop_inverse, **terms, budget=D("0.0005"), contract_usd=D(1))
    assert half.startswith("The smallest tradable size risks 222.3 %")


def test_leverage_without_a_bound() -> None:
    # Liquidation of a long at 1x with a stop this low lies beyond it at any leverage that venues offer: 1 / 0.99….
    assert formulas.max_leverage(side=1, entry=D(100), stop=D(1), maintenance_rate=D(0), buffer=D("0.5")) == 1
    short: dict[str, Any] = {
        "side": -1,
        "entry": D(100),
        "stop": D(101),
        "maintenance_rate": D("0.005"),
        "buffer": D(0),
    }
    assert formulas.max_leverage(**short) == 66
    never: dict[str, Any] = {"side": 1, "entry": D(100), "stop": D(80), "maintenance_rate": D(0), "buffer": D("-0.25")}
    assert formulas.max_leverage(**never) is None


def test_costs_and_prices_at_their_ends() -> None:
    assert Costs(entry_fee=D("0.99"), exit_fee=D("-0.99"), slippage=D(0)).slippage == 0
    assert "can not be negative" in refusal(Costs, slippage=D("-0.0001"))
    assert Costs(funding=D("1e15")).funding == D("1e15")
    for funding in ("1.1e15", "-1.1e15", "NaN", "Infinity"):
        assert refusal(Costs, funding=D(funding)) == "Give funding as a finite amount per unit of base."
    for name in ("exit_fee", "slippage"):
        assert refusal(Costs, **{name: D(1)}).startswith(f"Give {name} as")
    formulas.require_positive(price=D("1e15"), step=D("1e-15"))
    for value in ("1.1e15", "0.9e-15", "-1"):
        assert refusal(formulas.require_positive, tick_size=D(value)) == "Give tick size as a number above 0."
    assert formulas.snap(price=D("100.25"), tick=D("0.5"), to="nearest") == 100
    assert formulas.snap(price=D("100.75"), tick=D("0.5"), to="nearest") == 101
    # 60 digits, whatever the caller counts with.
    assert len(str(formulas.recovery(drawdown=D("0.7"))).replace(".", "")) == 60


def test_liquidation_at_its_ends() -> None:
    rate = [Bracket(maintenance_rate=D("0.1"))]
    terms: dict[str, Any] = {"side": 1, "entry": D(100), "brackets": rate}
    assert "Lower the leverage" in refusal(formulas.liquidation_price, **terms, leverage=D(10))
    assert formulas.liquidation_price(**terms, leverage=D(8)) is not None
    assert "Lower the leverage" in refusal(formulas.liquidation_price, **terms, leverage=D(8), fee=D("0.03"))
    # (100 q - M - D) / (q (1 - m)): with two held, 30 of extra margin and 5 of deduction.
    deducted = [Bracket(maintenance_rate=D("0.1"), deduction=D(5))]
    found = formulas.liquidation_price(
        side=1, entry=D(100), leverage=D(5), brackets=deducted, quantity=D(2), extra_margin=D(30)
    )
    assert abs(found - D(125) / D("1.8")) < D("1e-25")  # type: ignore[operator]  # a number
    short = formulas.liquidation_price_inverse(
        side=-1, entry=D(100), leverage=D(4), notional=D(1000), brackets=[Bracket(D("0.01"), deduction=D("0.5"))],
        fee=D("0.001"), extra_margin=D(1),
    )  # fmt: skip
    # 10 coins held, 3.5 of margin: 1000 (1 - .011) / (10 - 3.5 - .5).
    assert abs(short - D(989) / 6) < D("1e-25")  # type: ignore[operator]  # a number
    assert "Lower the leverage" in refusal(
        formulas.liquidation_price_inverse, side=1, entry=D(100), leverage=D(10), notional=D(1000), brackets=rate
    )


def test_the_bracket_is_the_one_that_holds_at_the_price() -> None:
    narrow = Bracket(D("0.01"), cap=D(95))
    wide = Bracket(D("0.02"))
    # From a notional of 100 the long falls into the first bracket: its rate decides.
    found = formulas.liquidation_price(side=1, entry=D(100), leverage=D(10), brackets=[narrow, wide])
    assert abs(found - D(90) / D("0.99")) < D("1e-25")  # type: ignore[operator]  # a number
    # A cap that is met exactly still holds.
    edge = Bracket(D("0.1"), cap=D(50))
    assert formulas.liquidation_price(side=1, entry=D(100), leverage=D(2), brackets=[edge, wide]) is not None
    coin = [Bracket(D("0.01"), cap=D(11)), Bracket(D("0.02"))]
    fallen = formulas.liquidation_price_inverse(
        side=1, entry=D(100), leverage=D(5), notional=D(1000), brackets=coin
    )  # 10 coins at the entry, 12 at the price: the second bracket
    assert abs(fallen - D(1020) / 12) < D("1e-25")  # type: ignore[operator]  # a number


def test_rewards_at_their_ends() -> None:
    terms: dict[str, Any] = {"side": 1, "entry": D(100), "stop": D(90)}
    assert "does not cover the costs" in refusal(
        formulas.reward_to_risk, **terms, target=D(110), costs=Costs(entry_fee=D("0.1"))
    )
    three = formulas.scaled_reward(
        **terms,
        targets=[D(110), D(120), D(130)],
        shares=[D("0.5"), D("0.25"), D("0.25")],
    )
    assert (three.all_hit, three.first_then_stop, three.first_then_even) == (D("1.75"), D(0), D("0.5"))
    one = formulas.scaled_reward(**terms, targets=[D(110)], shares=[D(1)])
    assert (one.all_hit, one.first_then_stop) == (D(1), D(1))
    same = formulas.scaled_reward(**terms, targets=[D(110), D(110)], shares=[D("0.5"), D("0.5")])
    assert same.all_hit == 1
    for shares in ([D(1), D(0)], [D("1.5"), D("-0.5")], [D("0.5")], []):
        assert "100 % together" in refusal(formulas.scaled_reward, **terms, targets=[D(110), D(120)], shares=shares)
    assert "100 % together" in refusal(formulas.scaled_reward, **terms, targets=[], shares=[])


def test_ruin_at_its_ends() -> None:
    assert abs(formulas.ruin_even_money(win_rate=D("0.75"), units=3) - D(1) / 27) < D("1e-25")
    assert formulas.ruin_whole_payoff(win_rate=D("0.25"), payoff=3, units=1) == 1
    z = formulas.ruin_whole_payoff(win_rate=D("0.3"), payoff=3, units=1)
    assert abs(D("0.3") * z**4 - z + D("0.7")) < D("1e-20")
    assert z < 1
    assert formulas.lundberg_exponent(results=[1.0, -1.0], fraction=0.1) is None
    assert formulas.lundberg_exponent(results=[0.0, 1.0], fraction=0.1) == math.inf
    theta = formulas.lundberg_exponent(results=[3.0, -1.0], fraction=0.1)
    assert theta is not None
    assert (1.3**-theta + 0.9**-theta) / 2 == pytest.approx(1.0, abs=1e-12)
    assert formulas.drawdown_bound(results=[3.0, -1.0], fraction=0.1, drawdown=0.4) == pytest.approx(0.6**theta)
    terms: dict[str, Any] = {"results": [1.0], "fraction": 0.5, "drawdown": 0.2, "generator": np.random.default_rng(0)}
    for trades, paths in ((0, 1), (1, 0), (formulas.MOST_TRADES + 1, 1), (1, formulas.MOST_PATHS + 1)):
        assert "at most" in refusal(formulas.simulate_ruin, **terms, trades=trades, paths=paths)
    assert "takes the whole account" in refusal(
        formulas.simulate_ruin, **terms | {"results": [1.0, -2.0]}, trades=1, paths=1
    )


def test_a_simulation_without_chance_is_known_whole() -> None:
    drawn: dict[str, Any] = {"trades": 7, "paths": 3, "generator": np.random.default_rng(0)}
    falling = formulas.simulate_ruin(results=[-1.0], fraction=0.1, drawdown=0.1, **drawn)
    assert falling.quantiles == pytest.approx((0.9**7,) * 5)
    assert falling.falls == pytest.approx((0.9**7,) * 5)
    z = 1.959963984540054
    assert (falling.chance, falling.high) == (1.0, 1.0)
    assert falling.low == pytest.approx(1 - z * z / 3 / (1 + z * z / 3))
    rising = formulas.simulate_ruin(results=[2.0], fraction=0.1, drawdown=0.1, **drawn)
    assert (rising.chance, rising.falls, round(rising.low, 12)) == (0.0, (1.0,) * 5, 0.0)
    assert rising.high == pytest.approx(z * z / 3 / (1 + z * z / 3))
    assert rising.quantiles == pytest.approx((1.2**7,) * 5)
    # Blocks keep the order of the record: of +1 and -1 by turns no path holds two of one kind in a row within five.
    turns = formulas.simulate_ruin(
        results=[1.0, -1.0], fraction=0.1, drawdown=0.15, trades=5, paths=200, generator=np.random.default_rng(3)
    )
    assert turns.chance == 0.0
    # The second of two is never drawn where it never comes.
    first = formulas.simulate_ruin(results=[1.0, -1.0], weights=[1.0, 0.0], fraction=0.1, drawdown=0.1, **drawn)
    assert first.quantiles == pytest.approx((1.1**7,) * 5)
