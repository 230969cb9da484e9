"""Which bracket a liquidation price is reckoned by, where brackets meet, swing, or refuse; worked by hand."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

import pytest

from risk.formulas import Bracket, liquidation_price, liquidation_price_inverse

D = Decimal
near = partial(pytest.approx, rel=D("1e-25"), abs=D(0))
# One contract at 100 with 10 of margin, and 10 coins of 100 with one coin of margin.
linear = partial(liquidation_price, side=1, entry=D(100), leverage=D(10))
inverse = partial(liquidation_price_inverse, side=1, entry=D(100), leverage=D(10), notional=D(1000))


def test_a_deduction_lowers_the_margin_that_is_asked_for() -> None:
    # 12 % of 100 are 12: with 3 off it is 9 of the 10 that are there, with 2 off all of it.
    assert linear(brackets=[Bracket(D("0.12"), deduction=D(3))]) == near(D(87) / D("0.88"))
    assert inverse(brackets=[Bracket(D("0.12"), deduction=D("0.3"))]) == near(D(1120) / D("11.3"))
    for refused in (
        partial(linear, brackets=[Bracket(D("0.12"), deduction=D(2))]),
        partial(inverse, brackets=[Bracket(D("0.12"), deduction=D("0.2"))]),
    ):
        with pytest.raises(ValueError, match=r"^At this leverage the margin is below the maintenance margin\."):
            refused()


def test_a_cap_that_is_met_exactly_holds() -> None:
    # The second bracket would refuse: half of the notional is more than the margin.
    greedy = Bracket(D("0.5"))
    assert linear(brackets=[Bracket(D("0.01"), cap=D(100)), greedy]) == near(D(90) / D("0.99"))
    assert inverse(brackets=[Bracket(D("0.01"), cap=D(12)), greedy], entry=D(100)) == near(D(1010) / 11)
    with pytest.raises(ValueError, match="Lower the leverage"):
        linear(brackets=[Bracket(D("0.01"), cap=D("99.99")), greedy])


def test_the_last_bracket_holds_above_all_caps() -> None:
    capped = [Bracket(D("0.5"), cap=D(5)), Bracket(D("0.4"), cap=D(6)), Bracket(D("0.02"), cap=D(7))]
    assert linear(brackets=capped) == near(D(90) / D("0.98"))
    assert inverse(brackets=capped) == near(D(1020) / 11)


def test_where_no_bracket_settles_the_last_decides() -> None:
    # In the second the price lies in the first (85 / .98 = 86.7), in the first in the second (90 / .99 = 90.9).
    swinging = [Bracket(D("0.01"), cap=D("90.5")), Bracket(D("0.02"), cap=D(200), deduction=D(5)), Bracket(D("0.05"))]
    assert linear(brackets=swinging) == near(D(90) / D("0.95"))


def test_who_owes_nothing_is_never_liquidated() -> None:
    one = [Bracket(D("0.01"))]
    short = partial(inverse, side=-1, brackets=one)
    assert short(leverage=D(1)) is None
    assert short(leverage=D(2), extra_margin=D(5)) is None
    assert short(leverage=D(2), extra_margin=D(6)) is None
    assert short(leverage=D(2), extra_margin=D(4)) == D(990)
    assert linear(brackets=one, extra_margin=D(90)) is None
    assert linear(brackets=one, extra_margin=D(91)) is None
    assert linear(brackets=one, extra_margin=D(89)) == near(1 / D("0.99"))


def test_prices_below_one_are_prices() -> None:
    one = [Bracket(D("0.01"))]
    assert linear(brackets=one, entry=D("0.5")) == near(D("0.45") / D("0.99"))
    assert inverse(brackets=one, entry=D("0.5")) == near(D(1010) / 2200)
    # 2,000 coins at the entry, more than 2,100 at the price: the second bracket.
    two = [Bracket(D("0.01"), cap=D(2100)), Bracket(D("0.02"))]
    assert inverse(brackets=two, entry=D("0.5")) == near(D(1020) / 2200)


def test_costs_at_the_end_count_as_maintenance() -> None:
    one = [Bracket(D("0.01"))]
    assert linear(brackets=one, fee=D("0.001")) == near(D(90) / D("0.989"))
    assert linear(brackets=one, fee=D("0.001"), side=-1) == near(D(110) / D("1.011"))
    assert inverse(brackets=one, fee=D("0.001")) == near(D(1011) / 11)
    assert inverse(brackets=one, fee=D("0.001"), side=-1) == near(D(989) / 9)
