"""The simulated market seen from inside, minute by minute."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from market.sources.simulated.book import HEDGED, NEVER
from market.sources.simulated.draws import CANDIDATES, draw_block
from market.sources.simulated.genesis import begin
from market.sources.simulated.market import SUB_STEP_MS, Market
from market.sources.simulated.motion import State, push_price, settle_funding, shrink_interest
from market.sources.simulated.world import PARCELS, SUB_STEPS, WORLDS, Behaviour

START_MS = 1_767_225_600_000
MINUTES = 600


# Ten times the usual motion, so that what is rare in a quiet market happens in every hour.
WILD = replace(WORLDS["SIMBTC-USDT"], motion=replace(WORLDS["SIMBTC-USDT"].motion, volatility=5.5e-3))


@pytest.fixture(params=[*sorted(WORLDS), "wild"])
def market(request: pytest.FixtureRequest) -> Market:
    return begin(world=WORLDS.get(request.param, WILD), start_ms=START_MS)


def levels(market: Market, side: int) -> npt.NDArray[np.int64]:
    """Liquidation prices of all positions of a side; hedged ones and holes never have one."""
    found = market.book.liquidation[2 * side : 2 * side + 2].ravel()
    return np.compress(found != NEVER[2 * side], found)


def summed(market: Market) -> list[int]:
    return [int(market.book.quantity[rows].sum()) for rows in (slice(0, 2), slice(2, 4))]


def test_market_begins_balanced_and_alive(market: Market) -> None:
    lots = round(market.world.open_interest * market.world.lots_per_unit)
    assert summed(market) == [lots, lots] == market.book.total
    assert levels(market, 0).max() < market.state.close < levels(market, 1).min()
    assert market.state.close == market.world.start_price * market.world.ticks_per_unit


def test_longs_and_shorts_stay_equal_and_account_for_every_lot(market: Market) -> None:
    before = summed(market)
    for _ in range(MINUTES):
        minute, _ = market.step()
        after = summed(market)
        flow = zip(before, minute.opened, minute.closed, minute.liquidated, strict=True)
        assert after == [held + opened - closed - forced for held, opened, closed, forced in flow]
        assert after[0] == after[1]
        assert after == market.book.total
        assert min(minute.opened + minute.closed + minute.liquidated) >= 0
        before = after


def test_prints_are_exactly_what_was_liquidated(market: Market) -> None:
    printed = 0
    for _ in range(MINUTES):
        minute, _ = market.step()
        for side in (0, 1):
            lots = [p[3] for p in minute.prints if p[1] == 1 - 2 * side]
            assert sum(lots) == minute.liquidated[side]
            assert all(lot > 0 for lot in lots)
        printed += len(minute.prints)
    assert printed > 20


def test_prints_happen_when_the_price_passes_them(market: Market) -> None:
    for _ in range(MINUTES):
        minute, _ = market.step()
        for time, side, price, _ in minute.prints:
            u = (time - minute.open_time) // SUB_STEP_MS
            assert side * minute.path[u + 1] <= side * price < side * minute.path[u]


def test_nothing_survives_a_price_that_it_is_liquidated_at(market: Market) -> None:
    for _ in range(MINUTES):
        former = market.book.quantity > 0
        minute, _ = market.step()
        assert levels(market, 0).max() < minute.path[-1] < levels(market, 1).min()
        if market.minute % 60 == 1:
            continue  # slots have new owners after the holes were closed
        width = former.shape[1]
        survived = former & (market.book.quantity[:, :width] > 0)
        level = np.where(survived, market.book.liquidation[:, :width], NEVER[:, None])
        assert level[:2].max() < min(minute.path)
        assert level[2:].min() > max(minute.path)


def test_bar_tells_what_the_path_did(market: Market) -> None:
    world = market.world
    for _ in range(100):
        minute, bar = market.step()
        open_time, open_, high, low, close, volume, quote, taker = bar
        path = [p / world.ticks_per_unit for p in minute.path]
        assert (open_time, open_, high, low, close) == (minute.open_time, path[0], max(path), min(path), path[-1])
        assert len(minute.path) == SUB_STEPS + 1
        flow = (minute.opened[0] + minute.closed[1] + minute.liquidated[1]) / world.lots_per_unit
        assert flow < volume
        assert low * (1 - 1e-12) <= quote / volume <= high * (1 + 1e-12)
        assert 0 <= taker <= volume


def test_buyers_equal_sellers(market: Market) -> None:
    for _ in range(100):
        minute, _ = market.step()
        bought = minute.opened[0] + minute.closed[1] + minute.liquidated[1]
        assert bought == minute.opened[1] + minute.closed[0] + minute.liquidated[0]


def test_new_positions_prefer_leverage_on_the_side_of_the_trend() -> None:
    means = {}
    for trend in (-0.02, 0.0, 0.02):
        market = begin(world=WORLDS["SIMBTC-USDT"], start_ms=START_MS)
        market.state.momentum = trend
        market.step()
        means[trend] = np.log(np.array(market._leverage[0], np.float64)).mean((0, 2))
    assert (np.diff([means[trend][0] for trend in sorted(means)]) > 0).all()
    assert (np.diff([means[trend][1] for trend in sorted(means)]) < 0).all()


def test_patient_traders_use_less_leverage() -> None:
    market = begin(world=WORLDS["SIMBTC-USDT"], start_ms=START_MS)
    market.step()
    hasty, _, patient = np.array(market._leverage[0]).mean((0, 1))
    assert patient < 0.7 * hasty


def test_funding_is_the_mean_premium_of_its_interval_above_the_base() -> None:
    state = State(premium_sum=480 * 2e-4, premium_count=480.0)
    assert settle_funding(state) == pytest.approx(3e-4)
    assert settle_funding(state) == 1e-4
    assert settle_funding(State(premium_sum=-1.0, premium_count=2.0)) == -7.5e-3


def test_forced_closes_push_the_price_their_way_and_part_of_it_stays() -> None:
    for side, sign in ((0, -1), (1, 1)):
        state, moves = State(), WILD.motion
        push_price(state, moves, side, 0.01)
        moved = state.level + state.wick
        assert moved == pytest.approx(sign * moves.impact * 0.01**0.7)
        assert state.level == state.anchor == pytest.approx(moves.impact_lasting * moved)


def test_forced_closes_leave_less_open_interest() -> None:
    market = begin(world=WILD, start_ms=START_MS)
    before = market.state.wanted
    forced = sum(sum(market.step()[0].liquidated) for _ in range(60))
    assert forced > 0.04 * before
    assert market.state.wanted < before - 0.3 * forced
    shrink_interest(market.state, WILD, 10**12)
    assert market.state.wanted == 0.1 * WILD.open_interest * WILD.lots_per_unit


def test_block_draws_do_not_depend_on_what_was_drawn_before() -> None:
    first = draw_block(seed=5, block=3, behaviour=Behaviour())
    draw_block(seed=5, block=4, behaviour=Behaviour())
    again = draw_block(seed=5, block=3, behaviour=Behaviour())
    other = draw_block(seed=5, block=4, behaviour=Behaviour())
    assert first.price == again.price
    assert np.array_equal(first.slot, again.slot)
    assert first.price != other.price
    assert first.price != draw_block(seed=6, block=3, behaviour=Behaviour()).price


def test_block_draws_have_the_shares_that_the_behaviour_names() -> None:
    behaviour = Behaviour()
    blocks = [draw_block(seed=5, block=block, behaviour=behaviour) for block in range(40)]
    spare = np.array([b.opening.spare for b in blocks])
    weight = np.array([b.opening.weight for b in blocks])
    assert (spare == HEDGED).mean() == pytest.approx(behaviour.hedged_share, abs=0.01)
    willing = (spare > 0).sum() / (spare >= 0).sum()
    assert willing == pytest.approx(behaviour.margin_call_share, abs=0.01)
    assert np.allclose(weight.sum(-1), 1.0)
    assert np.allclose(weight[..., -1], behaviour.patient_share)
    assert weight.shape == (40, 60, 2, PARCELS)
    assert blocks[0].slot.shape == (60, 4, CANDIDATES)
