from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from heatmaps.core.estimators import load_built
from heatmaps.core.grid import bin_price
from heatmaps.core.strips import SPINE_ROW, Scale, Strip, Strips
from heatmaps.core.tile import (
    COMMITTED,
    GAP,
    LEVELS,
    NO_DATA,
    PROVISIONAL,
    TILE,
    code_floor,
    codes_from_usd,
    decode,
    decode_spine,
    usd_from_code,
)

from .windows import START_MS, STEP_MS, cut, make_window, without_bars

if TYPE_CHECKING:
    from market.series import Window

STEPS = 700
FLOOR = code_floor(90_000.0 * 60_000.0)
SCALE = Scale(5e-4, FLOOR)
Store = dict[tuple[int, int], dict[int, bytes]]


def build(window: Window, stops: tuple[int, ...] = (STEPS,)) -> Store:
    """Build in parts that end at ``stops`` steps, each on top of what is stored."""
    store: Store = {}
    estimator, state, begin = load_built("open-interest"), None, START_MS
    for stop in stops:
        part = cut(window, since_ms=begin, until_ms=START_MS + stop * STEP_MS)
        after_ms = state.through_ms if state else None
        estimate = estimator.estimate(part, state)
        strips = Strips(SCALE, load=lambda _: store)
        strips.paint(estimate.painted(COMMITTED), after_ms=after_ms)
        for level, row, col, body in strips.changes():
            place = store.setdefault((level, col), {})
            if body is None:
                del place[row]
            else:
                place[row] = body
        state = estimate.state
        begin = state.through_ms if state else begin
    return store


def codes_at(store: Store, level: int, period: int) -> tuple[int, np.ndarray]:
    strip = Strip.read(store[level, period // TILE])
    return strip.column(period % TILE)


@settings(max_examples=6)
@given(st.sets(st.integers(1, STEPS - 1), max_size=4))
def test_tiles_do_not_depend_on_how_the_build_was_cut(stops: set[int]) -> None:
    window = without_bars(
        make_window(steps=STEPS, seed=4), since_ms=START_MS + 300 * STEP_MS, until_ms=START_MS + 340 * STEP_MS
    )
    assert build(window, (*sorted(stops), STEPS)) == build(window)


def test_column_holds_the_estimate_in_usd() -> None:
    window = make_window(steps=STEPS)
    store = build(window)
    estimate = load_built("open-interest").estimate(window, None)
    index = STEPS - 1
    period = int(estimate.steps.end_ms[index]) // STEP_MS - 1
    bins = estimate.anchor[index] + np.arange(estimate.columns.shape[1])
    # Per 0.1 % of price: two bins of 5 basis points.
    density = estimate.columns[index] * bin_price(bins, 5e-4) * 2.0
    first, codes = codes_at(store, 0, period)
    expected = np.zeros(len(codes), np.uint8)
    inside = (bins >= first) & (bins < first + len(codes))
    expected[bins[inside] - first] = codes_from_usd(density[inside], FLOOR)
    # float32 may round a density over the edge between two codes.
    assert np.abs(codes.astype(int) - expected).max() <= 1
    assert (codes != expected).mean() < 0.01


def test_coarser_levels_keep_the_last_column_and_the_mass() -> None:
    window = make_window(steps=STEPS)
    store = build(window)
    last = START_MS + STEPS * STEP_MS
    mass = []
    for level in LEVELS:
        # The newest period may still be open: its column is the newest step.
        _, codes = codes_at(store, level.number, (last - 1) // level.step_ms)
        mass.append(float(usd_from_code(codes, FLOOR).sum()) * level.factor)
    np.testing.assert_allclose(mass, mass[0], rtol=2e-3)
    hour = START_MS + 600 * STEP_MS
    fine_first, fine = codes_at(store, 0, hour // STEP_MS - 1)
    coarse_first, coarse = codes_at(store, 1, hour // 3_600_000 - 1)
    fine_usd, coarse_usd = usd_from_code(fine, FLOOR), usd_from_code(coarse, FLOOR)
    pairs = fine_usd.reshape(-1, 2).mean(axis=1)
    offset = fine_first // 2 - coarse_first
    joined = coarse_usd[offset : offset + len(pairs)]
    big = pairs > 4 * FLOOR
    np.testing.assert_allclose(joined[big], pairs[big], rtol=0.07)


def test_gap_is_marked_in_every_row_and_level_that_lacks_it() -> None:
    hole = range(300, 340)
    window = without_bars(
        make_window(steps=STEPS), since_ms=START_MS + hole[0] * STEP_MS, until_ms=START_MS + (hole[-1] + 1) * STEP_MS
    )
    store = build(window)
    periods = [START_MS // STEP_MS + index for index in hole]
    for period in periods:
        bodies = store[0, period // TILE]
        assert decode_spine(bodies[SPINE_ROW])["status"][period % TILE] == NO_DATA
        rows = [decode(body) for row, body in bodies.items() if row != SPINE_ROW]
        assert rows
        assert all((codes[:, period % TILE] == GAP).all() for codes in rows)
    hours = {period // 12 for period in periods[12:-12]}
    for hour in hours:
        assert decode_spine(store[1, hour // TILE][SPINE_ROW])["status"][hour % TILE] == NO_DATA


def test_rows_that_hold_nothing_are_not_stored() -> None:
    for bodies in build(make_window(steps=STEPS)).values():
        assert SPINE_ROW in bodies
        for row, body in bodies.items():
            if row != SPINE_ROW:
                codes = decode(body)
                assert ((codes > 0) & (codes < GAP)).any()


def test_row_that_empties_is_deleted() -> None:
    strip = Strip()
    strip.spine["status"][:3] = COMMITTED
    strip.put(np.array([2]), 512, np.full((1, 4), 9, np.uint8))
    stored = {row: body for row, body in strip.changes().items() if body is not None}
    again = Strip.read(stored)
    assert again.changes() == {}
    again.clear(2)
    assert again.changes()[2] is None


def test_provisional_columns_give_way_to_committed_ones() -> None:
    window = make_window(steps=20)
    estimator = load_built("open-interest")
    early = estimator.estimate(cut(window, since_ms=START_MS, until_ms=START_MS + 18 * STEP_MS), None)
    assert early.state is not None
    rest = cut(window, since_ms=early.state.through_ms, until_ms=START_MS + 20 * STEP_MS)
    strips = Strips(SCALE)
    strips.paint(early.painted(COMMITTED), after_ms=None)
    shown = estimator.provisional(rest, early.state, limit=1)
    strips.paint(shown.painted(PROVISIONAL), after_ms=early.state.through_ms, levels=LEVELS[:1])
    status = strips.open[0, START_MS // STEP_MS // TILE].spine["status"]
    place = START_MS // STEP_MS % TILE + 18
    assert status[place - 1 : place + 2].tolist() == [COMMITTED, PROVISIONAL, 0]
    through = early.state.through_ms
    strips.paint(estimator.estimate(rest, early.state).painted(COMMITTED), after_ms=through)
    assert status[place - 1 : place + 2].tolist() == [COMMITTED, COMMITTED, COMMITTED]
    whole = Strips(SCALE)
    whole.paint(estimator.estimate(window, None).painted(COMMITTED), after_ms=None)
    assert list(strips.changes()) == list(whole.changes())


def test_inverse_contracts_are_worth_the_same_at_every_price() -> None:
    strips = Strips(Scale(5e-4, 1.0, contract_usd=100.0))
    estimate = load_built("open-interest").estimate(make_window(steps=30), None)
    strips.paint(estimate.painted(COMMITTED), after_ms=None, levels=LEVELS[:1])
    strip = strips.open[0, START_MS // STEP_MS // TILE]
    _, codes = strip.column(START_MS // STEP_MS % TILE + 29)
    shown = usd_from_code(codes, 1.0).sum() / 2.0
    np.testing.assert_allclose(shown, estimate.columns[29].sum() * 100.0, rtol=5e-3)
