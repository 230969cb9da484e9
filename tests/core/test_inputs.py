"""Thin and broken inputs: each gives a flagged or a refused estimate with its reason, never a crash or a guess."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from heatmaps.core.estimators import BUILT, load_built
from heatmaps.core.flags import WORDS, Flag, names, words
from heatmaps.core.strips import Scale, Strips
from heatmaps.core.tile import COMMITTED, LEVELS, NO_DATA, TILE, decode_spine, encode_spine
from market.series import DAY_MS

from .windows import START_MS, STEP_MS, cut, make_window, with_marks, without_bars, without_samples

if TYPE_CHECKING:
    from heatmaps.core.estimators.base import Estimate
    from market.series import Window

DAY = DAY_MS // STEP_MS


def estimate(window: Window, slug: str = "open-interest") -> Estimate:
    return load_built(slug).estimate(window, None)


def flagged(found: Estimate, flag: Flag) -> list[int]:
    return np.flatnonzero(found.flags & flag).tolist()


def test_every_flag_has_words_and_a_name() -> None:
    assert set(WORDS) == set(Flag)
    assert names(Flag.LAST_PRICE | Flag.NO_BARS) == ["last_price", "no_bars"]
    assert words(Flag.STILL) == ["nothing was traded"]
    assert names(0) == words(0) == []


def test_day_without_open_interest_is_a_gap_and_one_flagged_step() -> None:
    window = make_window(steps=DAY + 40)
    holed = without_samples(window, since_ms=START_MS + 20 * STEP_MS, until_ms=START_MS + (20 + DAY) * STEP_MS)
    found = estimate(holed)
    assert len(found.steps) == 40
    assert flagged(found, Flag.LONG_STEP) == [20]
    assert found.steps.gap.tolist() == [0] * 20 + [Flag.NO_OPEN_INTEREST] + [0] * 19
    assert 0.0 <= found.total[20] <= found.steps.open_interest[20]


def test_missing_bars_are_a_gap_with_its_reason() -> None:
    found = estimate(
        without_bars(make_window(steps=40), since_ms=START_MS + 9 * STEP_MS, until_ms=START_MS + 15 * STEP_MS)
    )
    assert found.steps.gap.tolist() == [0] * 9 + [Flag.NO_BARS] + [0] * 24


@pytest.mark.parametrize("after", [None, START_MS + 5 * STEP_MS])
def test_strips_keep_the_reason_of_a_gap(after: int | None) -> None:
    window = without_samples(make_window(steps=30), since_ms=START_MS + 9 * STEP_MS, until_ms=START_MS + 15 * STEP_MS)
    strips = Strips(Scale(5e-4, 20_000.0))
    strips.paint(estimate(window).painted(COMMITTED), after_ms=after, levels=LEVELS[:1])
    spine = next(iter(strips.open.values())).spine
    first = START_MS // STEP_MS % TILE
    assert spine["status"][first + 9 : first + 15].tolist() == [NO_DATA] * 6
    assert spine["flags"][first + 9 : first + 15].tolist() == [Flag.NO_OPEN_INTEREST] * 6
    assert spine["flags"][first + 15] & Flag.LONG_STEP
    assert decode_spine(encode_spine(spine)).tobytes() == spine.tobytes()


def test_volume_below_the_change_of_open_interest_is_flagged() -> None:
    window = make_window(steps=30)
    for field in ("volume", "quote_volume"):
        window.bars[field][12] *= 1e-6
    found = estimate(window)
    assert 12 in flagged(found, Flag.UNTRADED)
    assert (found.total <= found.steps.open_interest).all()


def test_missing_mark_price_is_flagged_and_a_stored_one_is_not() -> None:
    window = make_window(steps=10)
    assert flagged(estimate(window), Flag.LAST_PRICE) == list(range(10))
    assert flagged(estimate(with_marks(window, but=(4,))), Flag.LAST_PRICE) == [4]


@pytest.mark.parametrize("slug", BUILT)
def test_flat_hour_is_flagged_and_keeps_what_it_had(slug: str) -> None:
    window = make_window(steps=60)
    flat = slice(30, 42)
    price = window.bars["close"][29]
    for field in ("open", "high", "low", "close"):
        window.bars[field][flat] = price
    for field in ("volume", "quote_volume"):
        window.bars[field][flat] = 0.0
    window.open_interest["open_interest"][flat] = window.open_interest["open_interest"][29]
    found = estimate(window, slug)
    assert flagged(found, Flag.STILL) == list(range(30, 42))
    assert np.isfinite(found.columns).all()
    if slug == "open-interest":  # the null believes in constant volume
        assert found.total[41] == pytest.approx(found.total[29], rel=1e-9)


@pytest.mark.parametrize("slug", BUILT)
def test_one_bar_of_history_is_a_step_that_says_how_little_it_knows(slug: str) -> None:
    found = estimate(make_window(steps=1), slug)
    assert len(found.steps) == 1
    assert flagged(found, Flag.UNPLACED) == [0]
    assert 0.0 < found.total[0] < 0.9 * found.steps.open_interest[0]


@pytest.mark.parametrize("slug", BUILT)
def test_no_open_interest_or_no_bars_at_all_is_no_estimate(slug: str) -> None:
    window = make_window(steps=5)
    for empty in (
        replace(window, open_interest=window.open_interest[:0]),
        without_bars(window, since_ms=0, until_ms=2**60),
    ):
        found = estimate(empty, slug)
        assert (len(found.steps), found.state) == (0, None)


@pytest.mark.parametrize("factor", [10.0, 0.1])
def test_jump_that_trading_can_not_explain_is_refused_until_it_is_over(factor: float) -> None:
    window = make_window(steps=80)
    window.open_interest["open_interest"][30:36] *= factor
    found, calm = estimate(window), estimate(make_window(steps=80))
    assert len(found.steps) == 74
    assert found.steps.gap[30] == Flag.DISBELIEVED
    assert flagged(found, Flag.JUMP) == []
    # Nothing of the jump is left in the map: only the hour is coarser.
    assert found.total[-1] == pytest.approx(calm.total[-1], rel=1e-3)
    assert np.abs(found.columns[-1] - calm.columns[-1]).sum() < 0.2 * calm.columns[-1].sum()


def test_jump_that_stays_is_believed_once_trading_explains_it() -> None:
    window = make_window(steps=80)
    window.open_interest["open_interest"][30:] *= 10.0
    for field in ("volume", "quote_volume"):
        window.bars[field] *= 40.0
    found = estimate(window)
    taken = flagged(found, Flag.JUMP)
    assert taken == [30]
    since, until = found.steps.end_ms[29], found.steps.end_ms[30]
    traded = window.bars["volume"][(window.bars["open_time"] >= since) & (window.bars["open_time"] < until)].sum()
    assert until > since + STEP_MS
    assert traded >= found.steps.open_interest[30] - found.steps.open_interest[29]
    assert traded - window.bars["volume"][found.steps.end_ms[30] // STEP_MS - 1 - START_MS // STEP_MS] < (
        window.open_interest["open_interest"][(until - START_MS) // STEP_MS - 2] - found.steps.open_interest[29]
    )


def test_jump_is_judged_alike_however_the_run_is_cut() -> None:
    window = make_window(steps=150)
    window.open_interest["open_interest"][70:76] *= 10.0
    estimator = load_built("open-interest")
    whole = estimator.estimate(window, None)
    first = estimator.estimate(cut(window, since_ms=START_MS, until_ms=START_MS + 73 * STEP_MS), None)
    assert first.steps.digests == whole.steps.digests[: len(first.steps)]
    assert first.state is not None
    rest = cut(window, since_ms=first.state.through_ms, until_ms=START_MS + 150 * STEP_MS)
    second = estimator.estimate(rest, first.state)
    assert first.steps.digests + second.steps.digests == whole.steps.digests
    # Only where a block of six hours ended in the meantime does the state differ by its rounding.
    np.testing.assert_allclose(second.columns[-1], whole.columns[-1], rtol=1e-5, atol=1e-3)


def test_jump_over_a_hole_in_the_bars_is_believed_and_flagged() -> None:
    window = make_window(steps=60)
    window.open_interest["open_interest"][29:] *= 3.0
    holed = without_bars(window, since_ms=START_MS + 28 * STEP_MS, until_ms=START_MS + 30 * STEP_MS)
    found = estimate(holed)
    assert flagged(found, Flag.JUMP) == [28]
    assert found.steps.gap[28] == Flag.NO_BARS
