from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heatmaps.core.closing import PROPORTIONAL, Closing
from heatmaps.core.grid import GRID_BINS
from heatmaps.core.inventory import Deposits, Inventory, Move
from heatmaps.core.leverage import LeveragePrior, Margins, Tiers, effective_tiers
from heatmaps.core.reference import PlainInventory

TIERS = effective_tiers(LeveragePrior(), Margins())
DEPOSITS = Deposits(TIERS, 5e-4)
START = 22_000
# What the kernel can do beyond the first version: each beside its plain twin.
OPTIONS = {
    "wick and tilt": (TIERS, PROPORTIONAL),
    "never share by side": (effective_tiers(LeveragePrior(never_share_short=0.3), Margins()), PROPORTIONAL),
    "holding time": (TIERS, Closing(fast_share=0.4, fast_ratio=6.0)),
    "loss": (TIERS, Closing(loss_ratio=5.0, loss_reach=0.02)),
    "both": (TIERS, Closing(fast_share=0.2, fast_ratio=10.0, loss_ratio=3.0, loss_reach=0.05)),
}


def make_moves(seed: int, count: int) -> list[Move]:
    """A path with jumps, bursts of volume and collapses of open interest, sometimes without any room at all."""
    draw = np.random.default_rng(seed)
    made, close, interest = [], START + draw.uniform(), 1000.0
    for _ in range(count):
        close += draw.choice([0.0, 3.0, 40.0]) * draw.standard_normal()
        low, high = close - draw.choice([0.0, 2.0, 15.0]) * draw.uniform(), close + 8.0 * draw.uniform()
        first = int(np.floor(low))
        raw = draw.uniform(0.01, 1.0, int(np.floor(high)) - first + 1)
        interest *= draw.choice([0.5, 0.97, 1.0, 1.01, 1.3])
        opened = draw.choice([0.0, 0.001, 0.03, 0.1]) * interest
        room = 2 * opened + draw.choice([0.0, 0.1, 2.0]) * interest
        swept = (int(np.ceil(low - 0.5)), int(np.floor(high - 0.5)))
        edge = (int(np.ceil(close - 0.5)), int(np.floor(close - 0.5)))
        made.append(Move(first, raw / raw.sum(), float(interest), float(opened), float(room), swept, edge))
    return made


def beyond_first(made: list[Move], seed: int) -> list[Move]:
    """The same with what later versions may ask of a step: wicks that are swept in part, and leaning leverage."""
    draw = np.random.default_rng(seed)
    return [
        move._replace(
            touched=None if draw.uniform() < 0.3 else (move.swept[0] - int(draw.integers(40)), move.swept[1] + 5),
            wick=float(draw.uniform()),
            tilt=float(draw.choice([0.0, -0.4, 0.7])),
        )
        for move in made
    ]


def paths(count: int) -> st.SearchStrategy[list[Move]]:
    """Paths by seed: a failing one names its seed, and shrinking costs nothing."""
    return st.integers(0, 2**32 - 1).map(lambda seed: make_moves(seed, count))


def run(made: list[Move], deposits: Deposits = DEPOSITS) -> Inventory:
    inventory = Inventory(deposits)
    with np.errstate(all="raise", under="ignore"):
        for move in made:
            inventory.step(move)
    return inventory


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(paths(5))
def test_kernel_equals_the_plain_twin(made: list[Move]) -> None:
    assert_twins(made, TIERS, PROPORTIONAL)


@pytest.mark.parametrize("name", sorted(OPTIONS))
@settings(max_examples=6, suppress_health_check=[HealthCheck.too_slow])
@given(made=paths(5), seed=st.integers(0, 99))
def test_kernel_equals_the_plain_twin_under_every_option(name: str, made: list[Move], seed: int) -> None:
    assert_twins(beyond_first(made, seed), *OPTIONS[name])


def assert_twins(made: list[Move], tiers: Tiers, closing: Closing) -> None:
    """Lazy equals dense to 1e-12 of the total, bin by bin and group by group."""
    inventory = run(made, Deposits(tiers, 5e-4, closing))
    plain = PlainInventory(tiers, 5e-4, inventory.grid_start, closing)
    for move in made:
        plain.step(move)
    unit, populations = max(plain.total), closing.populations
    np.testing.assert_allclose(inventory.total, plain.total, rtol=1e-12)
    np.testing.assert_allclose(inventory.hidden, plain.never, rtol=0, atol=1e-12 * unit)
    np.testing.assert_allclose(inventory.column(), plain.column(), rtol=0, atol=1e-12 * unit)
    place = np.concatenate([tiers.group + 6 * number for number in range(populations)])
    for side in (0, 1):
        groups = np.zeros((6 * populations, GRID_BINS))
        np.add.at(groups, place, np.array(plain.rows[side]))
        np.testing.assert_allclose(inventory.rows[side] * inventory.scale[side], groups, rtol=0, atol=1e-12 * unit)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(paths(12))
def test_books_balance_after_every_step(made: list[Move]) -> None:
    inventory = Inventory(DEPOSITS)
    before = [0.0, 0.0]
    for move in made:
        ledger = inventory.step(move)
        # Long equals short equals open interest less what is not allocated, which is never negative.
        assert inventory.total[0] == inventory.total[1]
        assert 0.0 <= inventory.total[0] <= move.open_interest
        mass = [float(inventory.rows[s].sum()) * inventory.scale[s] + inventory.hidden[s] for s in (0, 1)]
        np.testing.assert_allclose(mass, inventory.total, rtol=1e-9)
        for side, entry in enumerate(ledger):
            flow = (before[side] - entry.swept) * entry.kept + entry.opened - entry.lost
            assert flow == pytest.approx(inventory.total[side], rel=1e-9)
            assert entry.opened >= min(move.opened, inventory.total[side]) - 1e-9
            assert 0.0 <= entry.kept <= 1.0
        assert ledger[0].opened + ledger[1].opened <= move.room * (1 + 1e-9)
        before = list(inventory.total)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(paths(12))
def test_sides_keep_to_their_side_and_nothing_survives_a_traversed_bin(made: list[Move]) -> None:
    inventory = Inventory(DEPOSITS)
    for move in made:
        old = inventory.rows.copy(), inventory.grid_start, list(inventory.scale)
        inventory.step(move)
        bins = inventory.grid_start + np.arange(GRID_BINS)
        assert inventory.rows[0][:, bins >= move.close[0]].sum() == 0.0
        assert inventory.rows[1][:, bins <= move.close[1]].sum() == 0.0
        # What lies in traversed bins was opened in this very step.
        fresh = run_one(move, inventory.grid_start)
        for side, traversed in ((0, bins >= move.swept[0]), (1, bins <= move.swept[1])):
            held = inventory.rows[side][:, traversed] * inventory.scale[side]
            assert (held[fresh[side][:, traversed] == 0.0] == 0.0).all()
        assert old[0].min() >= 0.0


def run_one(move: Move, anchor: int) -> np.ndarray:
    alone = Inventory(DEPOSITS, anchor=anchor)
    alone.step(move._replace(opened=1.0, room=2.0, open_interest=1.0))
    assert alone.grid_start == anchor
    return alone.rows


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(paths(10), st.sampled_from([0.25, 2.0, 1024.0]))
def test_scaling_contracts_scales_the_map(made: list[Move], factor: float) -> None:
    scaled = [
        m._replace(open_interest=m.open_interest * factor, opened=m.opened * factor, room=m.room * factor) for m in made
    ]
    np.testing.assert_array_equal(run(made).column() * factor, run(scaled).column())


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(paths(10), st.integers(-40, 40))
def test_scaling_price_shifts_the_map(made: list[Move], tiles: int) -> None:
    shift = tiles * 256
    shifted = [
        m._replace(
            first_bin=m.first_bin + shift,
            swept=(m.swept[0] + shift, m.swept[1] + shift),
            close=(m.close[0] + shift, m.close[1] + shift),
        )
        for m in made
    ]
    here, there = run(made), run(shifted)
    assert there.grid_start - here.grid_start == shift
    np.testing.assert_array_equal(here.column(), there.column())


def step_at(close: float, *, interest: float = 100.0, opened: float = 10.0, room: float = 1000.0) -> Move:
    bin_ = int(np.floor(close))
    edge = (int(np.ceil(close - 0.5)), int(np.floor(close - 0.5)))
    return Move(bin_, np.ones(1), interest, opened, room, edge, edge)


def test_first_step_fills_up_to_the_room() -> None:
    inventory = Inventory(DEPOSITS)
    inventory.step(step_at(START, room=30.0))
    assert inventory.total == [15.0, 15.0]
    inventory.step(step_at(START, room=1000.0))
    assert inventory.total == [100.0, 100.0]


def test_grid_follows_the_price_and_keeps_what_stays_on_it() -> None:
    inventory = Inventory(DEPOSITS)
    inventory.step(step_at(START))
    anchor = inventory.grid_start
    for close in range(START, START + 3000, 100):
        inventory.step(step_at(close))
        mass = [float(inventory.rows[s].sum()) * inventory.scale[s] + inventory.hidden[s] for s in (0, 1)]
        np.testing.assert_allclose(mass, [100.0, 100.0], rtol=1e-9)
    assert inventory.grid_start > anchor
    assert inventory.grid_start % 256 == 0


def test_step_wider_than_the_grid_is_trimmed() -> None:
    inventory = Inventory(DEPOSITS)
    masses = np.full(5000, 1 / 5000)
    middle = START + 2500
    move = Move(START, masses, 100.0, 10.0, 1000.0, (START, START + 5000), (middle, middle - 1))
    inventory.step(move)
    assert inventory.total == [100.0, 100.0]
    assert inventory.hidden[0] > 50.0


def test_canonical_state_is_a_fixed_point() -> None:
    inventory = Inventory(DEPOSITS)
    for close in (START, START + 7.5, START - 9.25):
        inventory.step(step_at(close))
    inventory.canonicalise()
    once = inventory.rows.tobytes(), list(inventory.hidden)
    inventory.canonicalise()
    assert (inventory.rows.tobytes(), inventory.hidden) == once
    assert float(inventory.rows[0].sum()) + inventory.hidden[0] == pytest.approx(100.0, rel=1e-12)


def test_side_that_closes_entirely_starts_anew() -> None:
    inventory = Inventory(DEPOSITS)
    inventory.step(step_at(START))
    inventory.step(step_at(START, interest=50.0, opened=50.0))
    assert inventory.scale == [1.0, 1.0]
    assert inventory.total == [50.0, 50.0]
    assert np.isfinite(inventory.column()).all()


def test_prior_without_a_never_share_is_refused() -> None:
    tiers = effective_tiers(LeveragePrior(never_share=0.0, shrink=1e-9), Margins())
    with pytest.raises(ValueError, match="out of reach"):
        Deposits(tiers, 5e-4)
