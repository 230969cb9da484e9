from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heatmaps.core.estimators import load_built
from heatmaps.core.estimators.base import Estimate, pack
from heatmaps.core.flags import Flag
from heatmaps.core.grid import bin_coordinate
from heatmaps.core.steps import LAST_PRICE, Reading, Steps, cut_steps, sampled_ends
from heatmaps.core.sweeps import is_awaited
from market.series import HOUR_MS, MINUTE_MS, Window

from .windows import START_MS, STEP_MS, cut, make_window, scaled, with_marks

STEPS = 150
MARK = Reading(by_mark_price=True)


def steps_of(window: Window, reading: Reading = MARK) -> Steps:
    ends = sampled_ends(window)
    return cut_steps(window, ends, width=5e-4, through_ms=None, digest=bytes(32), reading=reading)


def estimate(window: Window) -> Estimate:
    return load_built("open-interest").estimate(window, None)


@pytest.mark.parametrize("bar_ms", [MINUTE_MS, STEP_MS])
def test_step_is_swept_to_the_extremes_of_its_mark_bars(bar_ms: int) -> None:
    window = with_marks(make_window(steps=6, bar_ms=bar_ms), but=(2,))
    steps = steps_of(window)
    per = STEP_MS // bar_ms
    lows = [window.mark_bars["low"][i * per : (i + 1) * per].min() for i in range(5)]
    assert steps.sweeps.low[[0, 1, 3, 4, 5]].tolist() == lows
    assert steps.sweeps.touch_low[[0, 1, 3, 4, 5]].tolist() == lows
    assert steps.sweeps.is_last.tolist() == [False, False, True, False, False, False]
    assert (steps.flags & Flag.LAST_PRICE > 0).tolist() == steps.sweeps.is_last.tolist()


def test_step_without_marks_is_swept_between_opens_and_closes_and_touched_by_its_wicks() -> None:
    window = make_window(steps=3, bar_ms=MINUTE_MS)
    steps, bars = steps_of(window), window.bars.reshape(3, 5)
    assert steps.sweeps.low.tolist() == np.minimum(bars["open"], bars["close"]).min(axis=1).tolist()
    assert steps.sweeps.high.tolist() == np.maximum(bars["open"], bars["close"]).max(axis=1).tolist()
    assert steps.sweeps.touch_low.tolist() == bars["low"].min(axis=1).tolist()
    assert steps.sweeps.touch_high.tolist() == bars["high"].max(axis=1).tolist()


def test_one_missing_minute_of_marks_makes_a_step_fall_back() -> None:
    window = with_marks(make_window(steps=3, bar_ms=MINUTE_MS))
    holed = replace(window, mark_bars=np.delete(window.mark_bars, 7), mark_ms=window.mark_ms[1:])
    assert steps_of(holed).sweeps.is_last.tolist() == [False, True, False]


def test_mark_bars_of_an_hour_are_not_read() -> None:
    window = with_marks(make_window(steps=12))
    hourly = replace(window, mark_bars=window.mark_bars[:1], mark_ms=np.array([HOUR_MS]))
    assert steps_of(hourly).sweeps.is_last.all()


def test_wick_that_the_mark_did_not_follow_takes_nothing() -> None:
    """A crash of the last price alone: with marks the longs below survive, without them .85 of the wick goes."""
    window = make_window(steps=60)
    close = float(window.bars["close"][50])
    window.bars["low"][50] = 0.93 * close
    swept = estimate(window).ledger[50, 0, 0]
    marked = with_marks(window, follows=0.0)
    kept = estimate(marked)
    full = load_built("open-interest", version="1").estimate(window, None).ledger[50, 0, 0]
    assert kept.ledger[50, 0, 0] < 0.15 * swept
    assert swept == pytest.approx(0.85 * full, rel=0.05)
    # Where the wick alone went, and no new position of the step has its liquidation price.
    low, high = (int(bin_coordinate(np.array([x * close]), 5e-4)[0] - kept.anchor[50]) for x in (0.94, 0.97))
    assert kept.columns[50, low:high].sum() > 4 * estimate(window).columns[50, low:high].sum()


@settings(max_examples=12)
@given(seed=st.integers(0, 50), follows=st.floats(0.0, 1.4), hole=st.integers(0, STEPS - 1))
def test_nothing_survives_what_the_mark_crossed_and_sides_stay_apart(seed: int, follows: float, hole: int) -> None:
    window = with_marks(make_window(steps=STEPS, seed=seed), follows=follows, but=(hole,))
    found = estimate(window)
    bins = found.anchor[:, None] + np.arange(found.columns.shape[1])
    close = bin_coordinate(found.steps.close, 5e-4)[:, None] - 0.5
    low, high = (bin_coordinate(one, 5e-4)[:, None] - 0.5 for one in (found.steps.sweeps.low, found.steps.sweeps.high))
    crossed = ((bins >= low) & (bins < close)) | ((bins <= high) & (bins > close))
    # What lies there was opened in the very step.
    opened = found.ledger[:, :, 2].sum(axis=1)
    assert (np.where(crossed, found.columns, 0.0).sum(axis=1, dtype=np.float64) <= opened * (1 + 1e-6)).all()
    longs, shorts = (np.where(side, found.columns, 0.0).sum(axis=1) for side in (bins < close, bins > close))
    assert (longs <= found.total * (1 + 1e-6)).all()
    assert (shorts <= found.total * (1 + 1e-6)).all()


@settings(max_examples=8)
@given(first=st.integers(1, STEPS - 1), seed=st.integers(0, 9))
def test_run_with_marks_goes_on_bit_for_bit_and_never_looks_ahead(first: int, seed: int) -> None:
    window, estimator = with_marks(make_window(steps=STEPS, seed=seed), but=(3, 77)), load_built("open-interest")
    whole = estimate(window)
    early = cut(window, since_ms=START_MS, until_ms=START_MS + first * STEP_MS)
    part = estimator.estimate(early, None)
    assert part.columns.tobytes() == whole.columns[:first].tobytes()
    assert part.steps.digests == whole.steps.digests[:first]
    state = estimator.resume(whole.kept[0].body)
    rest = estimator.estimate(cut(window, since_ms=state.through_ms, until_ms=START_MS + STEPS * STEP_MS), state)
    assert rest.columns.tobytes() == whole.columns[72:].tobytes()
    assert rest.state is not None
    assert whole.state is not None
    assert pack(rest.state) == pack(whole.state)


def test_scaling_price_and_contracts_with_marks_scales_the_map() -> None:
    window = with_marks(make_window(steps=60), but=(9,))
    one = estimate(window)
    two = estimate(scaled(window, price=float(np.exp(2048 * 5e-4)), contracts=4.0))
    np.testing.assert_array_equal(two.anchor - one.anchor, 2048)
    np.testing.assert_allclose(two.columns, 4.0 * one.columns, atol=4e-5 * one.total.max())


def test_newest_step_waits_for_the_rest_of_its_marks() -> None:
    window = with_marks(make_window(steps=4, bar_ms=MINUTE_MS))
    early = replace(window, mark_bars=window.mark_bars[:-2], mark_ms=window.mark_ms[:-2])
    end = START_MS + 4 * STEP_MS
    assert [is_awaited(one, end) for one in (window, early)] == [False, True]
    assert [len(estimate(one).steps) for one in (window, early)] == [4, 3]
    # None of them came: nobody knows whether any will, and the last price stands in.
    none = cut(replace(early, mark_bars=window.mark_bars[:15], mark_ms=window.mark_ms[:15]), since_ms=0, until_ms=end)
    assert estimate(none).steps.sweeps.is_last.tolist() == [False, False, False, True]
    # The next step has ended: it waited long enough.
    assert not is_awaited(early, end - STEP_MS)


def test_what_was_read_beside_the_bars_is_in_the_digest() -> None:
    window = with_marks(make_window(steps=5))
    other = replace(window, mark_bars=window.mark_bars.copy())
    other.mark_bars["low"][2] *= 0.999
    same = [a == b for a, b in zip(steps_of(window).digests, steps_of(other).digests, strict=True)]
    assert same == [True, True, False, False, False]
    assert steps_of(window, LAST_PRICE).digests == steps_of(other, LAST_PRICE).digests
