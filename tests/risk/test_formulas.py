from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk import formulas
from risk.formulas import Bracket, Costs, Direction, Side

D = Decimal

COSTS = Costs(entry_fee=D("0.0002"), exit_fee=D("0.00055"), slippage=D("0.0002"))
HALF_PERCENT = [Bracket(maintenance_rate=D("0.005"))]


def cents(value: D | None, digits: str = "0.0001") -> D:
    assert value is not None
    return value.quantize(D(digits))


def test_loss_per_unit_counts_fees_and_slippage() -> None:
    loss = formulas.loss_per_unit(side=1, entry=D(60000), stop=D(59100), costs=COSTS)
    assert loss == D("956.318499")


def test_size_by_stop_floors_to_the_step() -> None:
    size = formulas.size_by_stop(side=1, entry=D(60000), stop=D(59100), budget=D(100), step=D("0.001"), costs=COSTS)
    assert size.quantity == D("0.104")
    assert size.risk.quantize(D("0.01")) == D("99.46")
    assert size.risk == size.quantity * size.loss_per_unit
    assert size.unused_share == 1 - size.risk / 100


def test_size_ignores_funding_that_is_received() -> None:
    paid = Costs(funding=D(18))
    received = Costs(funding=D(-18))
    assert formulas.loss_per_unit(side=1, entry=D(60000), stop=D(59100), costs=paid) == D(918)
    assert formulas.loss_per_unit(side=1, entry=D(60000), stop=D(59100), costs=received) == D(900)


def test_size_inverse_counts_contracts() -> None:
    costs = Costs(entry_fee=D("0.0002"), exit_fee=D("0.00055"))
    size = formulas.size_by_stop_inverse(
        side=1, entry=D(60000), stop=D(59100), budget=D("0.002"), contract_usd=D(1), costs=costs
    )
    assert size.quantity == 7506


@pytest.mark.parametrize("step", ["0.25", "5", "0.00000001", "0.001"])
@given(
    side=st.sampled_from([1, -1]),
    entry=st.decimals("0.01", "1000000", places=4),
    distance=st.decimals("0.001", "0.5", places=4),
    budget=st.decimals("1", "1000000", places=2),
)
def test_size_never_risks_more_than_the_budget(step: str, side: Side, entry: D, distance: D, budget: D) -> None:
    stop = entry * (1 - side * distance)
    try:
        size = formulas.size_by_stop(side=side, entry=entry, stop=stop, budget=budget, step=D(step), costs=COSTS)
    except ValueError as refusal:
        assert "smallest tradable size" in str(refusal)  # noqa: PT017  # both outcomes are right for random input
        return
    assert size.risk <= budget
    assert size.quantity % D(step) == 0
    assert (size.quantity + D(step)) * size.loss_per_unit > budget


def test_size_below_the_smallest_says_what_that_would_risk() -> None:
    with pytest.raises(ValueError, match=r"^The smallest tradable size risks 200\.0 % of the budget\."):
        formulas.size_by_stop(side=1, entry=D(100), stop=D(99), budget=D(1), step=D("0.5"), smallest=D(2))


def test_reward_to_risk_gross_and_net() -> None:
    gross = formulas.reward_to_risk(side=1, entry=D(60000), stop=D(59100), target=D(61800))
    assert (gross.gross, gross.net) == (D(2), D(2))
    assert cents(gross.gross_win_rate) == D("0.3333")
    net = formulas.reward_to_risk(side=1, entry=D(60000), stop=D(59100), target=D(61800), costs=COSTS)
    win = D(1800) - D(12) - D("33.99")
    assert cents(net.net) == cents(win / D("956.318499"))
    assert cents(net.net_win_rate) == cents(1 / (1 + net.net))
    assert net.gross == 2


def test_reward_is_mirrored_for_a_short() -> None:
    reward = formulas.reward_to_risk(side=-1, entry=D(100), stop=D(110), target=D(70))
    assert reward.gross == 3
    assert reward.gross_win_rate == D("0.25")


def test_reward_inside_the_costs_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^The target does not cover the costs\."):
        formulas.reward_to_risk(side=1, entry=D(60000), stop=D(59100), target=D(60030), costs=COSTS)


@pytest.mark.parametrize(
    ("side", "fee", "expected"),
    [(1, "0", "19698.4925"), (1, "0.0005", "19708.3962"), (-1, "0", "20298.5075")],
)
def test_liquidation_price_linear_worked_examples(side: Side, fee: str, expected: str) -> None:
    price = formulas.liquidation_price(side=side, entry=D(20000), leverage=D(50), brackets=HALF_PERCENT, fee=D(fee))
    assert cents(price) == D(expected)


@pytest.mark.parametrize(("side", "expected"), [(1, "45681.8182"), (-1, "55277.7778")])
def test_liquidation_price_inverse_worked_examples(side: Side, expected: str) -> None:
    price = formulas.liquidation_price_inverse(
        side=side, entry=D(50000), leverage=D(10), notional=D(60000), brackets=HALF_PERCENT
    )
    assert cents(price) == D(expected)


def test_liquidation_price_short_inverse_without_leverage_is_none() -> None:
    price = formulas.liquidation_price_inverse(
        side=-1, entry=D(50000), leverage=D(1), notional=D(60000), brackets=HALF_PERCENT
    )
    assert price is None


def test_liquidation_price_long_without_leverage_is_none() -> None:
    assert formulas.liquidation_price(side=1, entry=D(100), leverage=D(1), brackets=HALF_PERCENT) is None


@given(
    side=st.sampled_from([1, -1]),
    leverage=st.decimals("1.5", "100", places=1),
    quantity=st.decimals("0.001", "500", places=3),
)
def test_liquidation_price_solves_the_margin_equation(side: Side, leverage: D, quantity: D) -> None:
    entry = D(60000)
    brackets = [
        Bracket(maintenance_rate=D("0.004"), cap=D(300_000)),
        Bracket(maintenance_rate=D("0.005"), cap=D(3_000_000), deduction=D(300)),
        Bracket(maintenance_rate=D("0.0065"), deduction=D(4_800)),
    ]
    price = formulas.liquidation_price(side=side, entry=entry, leverage=leverage, quantity=quantity, brackets=brackets)
    assert price is not None
    held = next(b for b in brackets if b.cap is None or quantity * price <= b.cap)
    equity = quantity * entry / leverage + side * quantity * (price - entry)
    assert abs(equity - (quantity * price * held.maintenance_rate - held.deduction)) < D("1e-9")


def test_liquidation_price_moves_nearer_with_leverage() -> None:
    prices = [
        formulas.liquidation_price(side=1, entry=D(60000), leverage=D(leverage), brackets=HALF_PERCENT)
        for leverage in (2, 5, 10, 25, 50, 100, 150)
    ]
    assert prices == sorted(prices, key=lambda price: price or D(0))
    assert len(set(prices)) == 7


def test_liquidation_price_refuses_margin_below_maintenance() -> None:
    with pytest.raises(ValueError, match=r"Lower the leverage\.$"):
        formulas.liquidation_price(side=1, entry=D(60000), leverage=D(200), brackets=HALF_PERCENT)


@pytest.mark.parametrize(("side", "expected"), [(1, "60063.03"), (-1, "59937.03")])
def test_break_even_pays_fees_and_funding(side: Side, expected: str) -> None:
    costs = Costs(entry_fee=D("0.0002"), exit_fee=D("0.00055"), funding=D(18))
    assert cents(formulas.break_even(side=side, entry=D(60000), costs=costs), "0.01") == D(expected)


def test_max_leverage_keeps_liquidation_beyond_the_stop() -> None:
    leverage = formulas.max_leverage(
        side=1, entry=D(60000), stop=D(59100), maintenance_rate=D("0.004"), buffer=D("0.02")
    )
    assert leverage == 25


@pytest.mark.parametrize(
    ("price", "tick", "to", "expected"),
    [
        ("100.26", "0.5", "up", "100.5"),
        ("100.26", "0.5", "down", "100"),
        ("100.24", "0.5", "nearest", "100"),
        ("0.3", "0.5", "up", "0.5"),
    ],
)
def test_snap_to_tick(price: str, tick: str, to: Direction, expected: str) -> None:
    assert formulas.snap(price=D(price), tick=D(tick), to=to) == D(expected)


@pytest.mark.parametrize(
    ("side", "entry", "stop", "target", "sentence"),
    [
        (1, "100", "100", "110", "The invalidation of a long plan lies below its entry. Change one of them."),
        (1, "100", "101", "110", "The invalidation of a long plan lies below its entry. Change one of them."),
        (-1, "100", "99", "90", "The invalidation of a short plan lies above its entry. Change one of them."),
        (1, "100", "99", "100", "The target of a long plan lies above its entry. Change one of them."),
        (-1, "100", "101", "101", "The target of a short plan lies below its entry. Change one of them."),
        (1, "0", "99", "101", "Give entry as a number above 0."),
        (1, "NaN", "99", "101", "Give entry as a number above 0."),
        (1, "100", "sNaN", "101", "Give stop as a number above 0."),
        (1, "100", "99", "Infinity", "Give target as a number above 0."),
        (1, "1e999999", "99", "101", "Give entry as a number above 0."),
    ],
)
def test_order_is_refused_with_a_sentence(side: Side, entry: str, stop: str, target: str, sentence: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011  # the whole sentence is compared below
        formulas.require_order(side=side, entry=D(entry), stop=D(stop), target=D(target))
    assert str(refusal.value) == sentence


@pytest.mark.parametrize("rate", ["1", "NaN", "-1", "5.5"])
def test_costs_refuse_what_is_no_fraction(rate: str) -> None:
    with pytest.raises(ValueError, match=r"^Give entry_fee as a fraction below 1"):
        Costs(entry_fee=D(rate))


def test_costs_accept_a_rebate() -> None:
    rebate = Costs(entry_fee=D("-0.0001"))
    assert formulas.loss_per_unit(side=1, entry=D(100), stop=D(99), costs=rebate) == D("0.99")
