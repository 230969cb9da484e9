from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from market.contracts import (
    Brackets,
    LiquidationRule,
    in_contracts,
    liquidation_price,
    liquidation_ratio,
    rule_for,
)
from market.series import BAR, OPEN_INTEREST, Window

if TYPE_CHECKING:
    from collections.abc import Callable

R = LiquidationRule
LINEAR = (R.LINEAR_MARK, R.LINEAR_ENTRY, R.HYPERLIQUID)
BRACKETS = Brackets(
    floor=np.array([0.0, 50_000, 600_000, 3_000_000]),
    max_leverage=np.array([125.0, 100, 75, 50]),
    maintenance_rate=np.array([0.004, 0.005, 0.0065, 0.01]),
)


def surplus(  # noqa: PLR0917 the terms in the order of the formula
    rule: LiquidationRule, s: int, leverage: float, m: float, fee: float, d: float
) -> Callable[[float], float]:
    """Margin left beyond maintenance at a price, per unit of entry value; entry is 1. From the venues' own words."""

    def linear(price: float) -> float:
        equity = 1 / leverage + s * (price - 1)
        base = 1.0 if rule is R.LINEAR_ENTRY else price
        return equity - (m + (0 if rule is R.HYPERLIQUID else fee)) * base + d

    def inverse(price: float) -> float:
        equity = 1 / leverage + s * (1 - 1 / price)
        base = 1.0 if rule is R.INVERSE_ENTRY else 1 / price
        return equity - (m + fee) * base + d

    return linear if rule in LINEAR else inverse


def bisect(function: Callable[[float], float], low: float, high: float) -> float:
    assert function(low) * function(high) < 0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if function(low) * function(middle) > 0 else (low, middle)
    return (low + high) / 2


@pytest.mark.parametrize("rule", R)
@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(("leverage", "m"), [(3, 0.05), (5, 0.01), (20, 0.005), (100, 0.004), (125, 0.004)])
@pytest.mark.parametrize(("fee", "deduction"), [(0.0, 0.0), (5e-4, 0.0), (0.0, 5e-4), (3e-4, 2e-4)])
def test_liquidation_ratio_solves_the_margin_equation(  # noqa: PLR0917 pytest fills them by name
    rule: LiquidationRule, side: int, leverage: float, m: float, fee: float, deduction: float
) -> None:
    root = bisect(surplus(rule, side, leverage, m, fee, deduction), 0.05, 20)
    ratio = liquidation_ratio(
        rule=rule, position_side=side, leverage=leverage, maintenance_rate=m, fee_rate=fee, deduction=deduction
    )
    assert float(ratio) == pytest.approx(root, rel=1e-9)


@pytest.mark.parametrize(
    ("rule", "side", "entry", "leverage", "fee", "price"),
    [
        (R.LINEAR_ENTRY, 1, 20_000, 50, 0.0, 19_700.0),  # Bybit help, "Liquidation Price (USDT Contract)"
        (R.LINEAR_ENTRY, -1, 20_000, 50, 0.0, 20_300.0),
        (R.LINEAR_MARK, 1, 20_000, 50, 0.0, 19_698.4925),
        (R.LINEAR_MARK, 1, 20_000, 50, 5e-4, 19_708.3962),
        (R.LINEAR_MARK, -1, 20_000, 50, 0.0, 20_298.5075),
        (R.HYPERLIQUID, 1, 20_000, 50, 0.0, 19_698.4925),
        (R.INVERSE_MARK, 1, 50_000, 10, 0.0, 45_681.8182),
        (R.INVERSE_ENTRY, 1, 50_000, 10, 0.0, 45_662.1005),
        (R.INVERSE_MARK, -1, 50_000, 10, 0.0, 55_277.7778),
        (R.INVERSE_ENTRY, -1, 50_000, 10, 0.0, 55_248.6188),
    ],
)
def test_liquidation_ratio_gives_the_worked_examples(  # noqa: PLR0917 pytest fills them by name
    rule: LiquidationRule, side: int, entry: float, leverage: float, fee: float, price: float
) -> None:
    ratio = liquidation_ratio(rule=rule, position_side=side, leverage=leverage, maintenance_rate=0.005, fee_rate=fee)
    assert round(float(entry * ratio), 4) == price


def test_liquidation_ratio_knows_positions_that_no_price_liquidates() -> None:
    short = liquidation_ratio(rule=R.INVERSE_MARK, position_side=-1, leverage=1, maintenance_rate=0.005)
    long = liquidation_ratio(rule=R.LINEAR_MARK, position_side=1, leverage=1, maintenance_rate=0.005)
    assert [math.isnan(short), math.isnan(long)] == [True, True]


def test_liquidation_ratio_broadcasts() -> None:
    sides, leverages = np.array([[1.0], [-1.0]]), np.array([5.0, 20.0, 100.0])
    ratios = liquidation_ratio(rule=R.LINEAR_MARK, position_side=sides, leverage=leverages, maintenance_rate=0.004)
    single = [
        [
            float(liquidation_ratio(rule=R.LINEAR_MARK, position_side=s, leverage=ell, maintenance_rate=0.004))
            for ell in leverages
        ]
        for s in (1, -1)
    ]
    assert ratios.tolist() == single


@given(
    rule=st.sampled_from(list(R)),
    side=st.sampled_from([1, -1]),
    leverage=st.floats(1.5, 150),
    other=st.floats(1.5, 150),
    m=st.floats(0.001, 0.006),
)
def test_liquidation_ratio_comes_closer_to_entry_with_leverage(
    rule: LiquidationRule, side: int, leverage: float, other: float, m: float
) -> None:
    assume(leverage < other * 0.999)
    far, near = (
        float(liquidation_ratio(rule=rule, position_side=side, leverage=ell, maintenance_rate=m))
        for ell in (leverage, other)
    )
    assert far < near < 1 if side == 1 else far > near > 1


@given(side=st.sampled_from([1, -1]), leverage=st.floats(1.5, 150), m=st.floats(0.001, 0.006))
def test_inverse_mark_is_linear_mark_mirrored(side: int, leverage: float, m: float) -> None:
    inverse = liquidation_ratio(rule=R.INVERSE_MARK, position_side=side, leverage=leverage, maintenance_rate=m)
    mirrored = liquidation_ratio(rule=R.LINEAR_MARK, position_side=-side, leverage=leverage, maintenance_rate=m)
    assert float(inverse) == pytest.approx(1 / float(mirrored), rel=1e-12)


def test_rule_for_names_each_venues_rule() -> None:
    pairs = [("binance", "linear"), ("binance", "inverse"), ("hyperliquid", "linear"), ("bitmex", "inverse")]
    assert [rule_for(venue=venue, contract_type=kind) for venue, kind in pairs] == [
        R.LINEAR_MARK,
        R.INVERSE_MARK,
        R.HYPERLIQUID,
        R.INVERSE_ENTRY,
    ]


def test_brackets_deduction_follows_the_recursion() -> None:
    assert BRACKETS.deduction == pytest.approx([0, 50, 950, 11_450])


def test_brackets_deduction_makes_the_requirement_continuous() -> None:
    at_floor = BRACKETS.floor[1:]
    below = BRACKETS.maintenance_rate[:-1] * at_floor - BRACKETS.deduction[:-1]
    above = BRACKETS.maintenance_rate[1:] * at_floor - BRACKETS.deduction[1:]
    assert above == pytest.approx(below)


def test_brackets_index_at_gives_a_floor_to_the_bracket_it_opens() -> None:
    assert BRACKETS.index_at([0, 49_999, 50_000, 1e12]).tolist() == [0, 0, 1, 3]


@pytest.mark.parametrize(
    ("floor", "leverage", "rate", "message"),
    [
        ([0.0, 1.0], [100.0], [0.01], "one length"),
        ([1.0], [100.0], [0.01], "ascend from 0"),
        ([0.0, 0.0], [100.0, 50.0], [0.01, 0.02], "ascend from 0"),
        ([0.0, 1.0], [50.0, 100.0], [0.01, 0.02], "may not rise"),
        ([0.0, 1.0], [100.0, 50.0], [0.02, 0.01], "may not fall"),
        ([0.0], [100.0], [1.0], "between 0 and 1"),
    ],
)
def test_brackets_refuse_a_table_that_no_venue_has(
    floor: list[float], leverage: list[float], rate: list[float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Brackets(floor=np.array(floor), max_leverage=np.array(leverage), maintenance_rate=np.array(rate))


def test_liquidation_price_uses_the_bracket_at_the_liquidation_price() -> None:
    # At entry 52,000 USD lie in the second bracket; at the liquidation price less than 50,000 in the first.
    found = liquidation_price(
        rule=R.LINEAR_MARK, brackets=BRACKETS, position_side=1, entry=52_000, quantity=1, leverage=10
    )
    assert float(found.price) == pytest.approx(52_000 * (1 - 1 / 10) / (1 - 0.004))
    assert int(found.bracket) == 0


def test_liquidation_price_measures_the_entry_based_rule_at_entry() -> None:
    found = liquidation_price(
        rule=R.LINEAR_ENTRY, brackets=BRACKETS, position_side=1, entry=52_000, quantity=1, leverage=10
    )
    assert float(found.price) == pytest.approx(52_000 * (1 - 0.1 + 0.005) - 50)
    assert int(found.bracket) == 1


def test_liquidation_price_is_for_linear_contracts() -> None:
    with pytest.raises(ValueError, match="linear"):
        liquidation_price(
            rule=R.INVERSE_MARK, brackets=BRACKETS, position_side=1, entry=1.0, quantity=1.0, leverage=2.0
        )


@given(
    side=st.sampled_from([1, -1]),
    entry=st.floats(0.01, 100_000),
    notional=st.floats(10, 5_000_000),
    leverage=st.floats(1.2, 125),
)
def test_liquidation_price_solves_the_equation_of_its_own_bracket(
    side: int, entry: float, notional: float, leverage: float
) -> None:
    quantity = notional / entry
    found = liquidation_price(
        rule=R.LINEAR_MARK, brackets=BRACKETS, position_side=side, entry=entry, quantity=quantity, leverage=leverage
    )
    price, index = float(found.price), int(found.bracket)
    if math.isnan(price):
        assert side == 1
        return
    value = quantity * price
    required = BRACKETS.maintenance_rate[index] * value - BRACKETS.deduction[index]
    assert quantity * entry / leverage + side * quantity * (price - entry) == pytest.approx(
        required, abs=1e-6 * notional
    )
    # The requirement is continuous, so that exactly one bracket fits; on a floor both neighbours do.
    fits = int(BRACKETS.index_at(value))
    assert index == fits or min(abs(value / BRACKETS.floor[1:] - 1)) < 1e-9


def test_inverse_contracts_are_counted_as_what_they_are_worth() -> None:
    """A coin is 50,000: two bars of 10 coins, and samples of 100 coins, valued in each of the three ways."""
    bars, samples = np.zeros(2, BAR), np.zeros(3, OPEN_INTEREST)
    bars["open_time"] = [0, 60_000]
    for name in ("open", "high", "low", "close"):
        bars[name] = 50_000.0
    bars["volume"], bars["quote_volume"], bars["taker_buy_volume"] = 10.0, [500_000.0, np.nan], 4.0
    samples["time"], samples["open_interest"] = [30_000, 60_000, 120_000], 100.0
    samples["mark_price"], samples["open_interest_value"] = [np.nan, 51_000.0, np.nan], [5_200_000.0, np.nan, np.nan]
    found = in_contracts(Window(bars, np.full(2, 60_000), samples), 100.0)
    assert found.bars["volume"].tolist() == [5_000.0, 5_000.0]
    assert found.bars["taker_buy_volume"].tolist() == [2_000.0, 2_000.0]
    assert found.bars["quote_volume"][0] / found.bars["volume"][0] == 50_000.0
    assert np.isnan(found.bars["quote_volume"][1])
    assert found.open_interest["open_interest"].tolist() == [52_000.0, 51_000.0, 50_000.0]
    assert bars["volume"].tolist() == [10.0, 10.0]
