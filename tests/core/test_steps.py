from __future__ import annotations

from dataclasses import replace

import numpy as np

from heatmaps.core.steps import Ends, Steps, bar_ends, cut_steps, sampled_ends
from market.series import MINUTE_MS, Window

from .windows import START_MS, STEP_MS, cut, make_window, without_bars, without_samples

WIDTH = 5e-4
ZERO = bytes(32)


def steps_of(window: Window, *, through_ms: int | None = None) -> Steps:
    with np.errstate(all="raise", under="ignore"):
        return cut_steps(window, sampled_ends(window), width=WIDTH, through_ms=through_ms, digest=ZERO)


def test_steps_follow_the_samples() -> None:
    window = make_window(steps=4, bar_ms=MINUTE_MS)
    steps = steps_of(window)
    assert steps.end_ms.tolist() == [START_MS + n * STEP_MS for n in (1, 2, 3, 4)]
    assert steps.low.tolist() == window.bars["low"].reshape(4, 5).min(axis=1).tolist()
    assert steps.high.tolist() == window.bars["high"].reshape(4, 5).max(axis=1).tolist()
    assert steps.close.tolist() == window.bars["close"].reshape(4, 5)[:, -1].tolist()
    np.testing.assert_allclose(steps.volume, window.bars["volume"].reshape(4, 5).sum(axis=1))
    assert steps.open_interest.tolist() == window.open_interest["open_interest"].tolist()
    assert not steps.typical.any()


def test_histograms_sum_to_one_per_step() -> None:
    steps = steps_of(make_window(steps=50, bar_ms=MINUTE_MS))
    np.testing.assert_allclose(np.add.reduceat(steps.masses, steps.pointer[:-1]), 1.0, atol=1e-12)


def test_missing_sample_makes_the_step_longer() -> None:
    window = without_samples(make_window(steps=4), since_ms=START_MS + STEP_MS, until_ms=START_MS + 2 * STEP_MS)
    steps = steps_of(window)
    assert steps.end_ms.tolist() == [START_MS + n * STEP_MS for n in (1, 3, 4)]
    assert steps.low[1] == window.bars["low"][1:3].min()
    assert steps.volume[1] == window.bars["volume"][1:3].sum()


def test_missing_bars_make_no_step() -> None:
    window = without_bars(make_window(steps=4), since_ms=START_MS + STEP_MS, until_ms=START_MS + 3 * STEP_MS)
    assert steps_of(window).end_ms.tolist() == [START_MS + STEP_MS, START_MS + 4 * STEP_MS]


def test_first_step_is_one_slot_however_long_the_bars_before() -> None:
    window = without_samples(make_window(steps=6), since_ms=START_MS, until_ms=START_MS + 4 * STEP_MS)
    steps = steps_of(window)
    assert steps.end_ms.tolist() == [START_MS + 5 * STEP_MS, START_MS + 6 * STEP_MS]
    assert steps.volume[0] == window.bars["volume"][4]


def test_step_waits_for_its_last_bar() -> None:
    window = make_window(steps=2, bar_ms=MINUTE_MS)
    early = replace(window, bars=window.bars[:9], bar_ms=window.bar_ms[:9])
    assert steps_of(early).end_ms.tolist() == [START_MS + STEP_MS]


def test_sample_some_seconds_late_belongs_to_its_step() -> None:
    window = make_window(steps=3)
    late = window.open_interest.copy()
    late["time"][1] += 2_000
    assert steps_of(replace(window, open_interest=late)).end_ms.tolist() == steps_of(window).end_ms.tolist()


def test_newest_sample_of_a_slot_counts() -> None:
    window = make_window(steps=2)
    extra = window.open_interest[[0, 0, 1]].copy()
    extra["time"][0] -= 60_000
    extra["open_interest"][0] = 1.0
    assert steps_of(replace(window, open_interest=extra)).open_interest[0] == window.open_interest["open_interest"][0]


def test_sample_of_nothing_is_no_sample() -> None:
    window = make_window(steps=2)
    empty = window.open_interest.copy()
    empty["open_interest"][0] = 0.0
    assert steps_of(replace(window, open_interest=empty)).end_ms.tolist() == [START_MS + 2 * STEP_MS]


def test_missing_quote_volume_is_flagged_and_replaced_by_the_typical_price() -> None:
    window = make_window(steps=3)
    bars = window.bars.copy()
    bars["quote_volume"][1] = np.nan
    bars["volume"][2] = np.nan
    assert steps_of(replace(window, bars=bars)).typical.tolist() == [False, True, True]


def test_no_bars_or_no_samples_give_no_steps() -> None:
    window = make_window(steps=2)
    none = replace(window, bars=window.bars[:0], bar_ms=window.bar_ms[:0])
    assert len(steps_of(none)) == 0
    assert len(steps_of(replace(window, open_interest=window.open_interest[:0]))) == 0
    assert len(steps_of(window, through_ms=START_MS + 2 * STEP_MS)) == 0


def test_digests_of_a_prefix_are_the_prefix_of_the_digests() -> None:
    window = make_window(steps=30)
    whole = steps_of(window).digests
    assert steps_of(cut(window, since_ms=START_MS, until_ms=START_MS + 11 * STEP_MS)).digests == whole[:11]
    rest = cut(window, since_ms=START_MS + 11 * STEP_MS, until_ms=START_MS + 30 * STEP_MS)
    ends = sampled_ends(rest)
    again = cut_steps(rest, ends, width=WIDTH, through_ms=START_MS + 11 * STEP_MS, digest=whole[10])
    assert again.digests == whole[11:]


def test_revised_bar_changes_every_digest_from_there_on() -> None:
    window = make_window(steps=10)
    bars = window.bars.copy()
    bars["volume"][4] += 1e-9
    before, after = steps_of(window).digests, steps_of(replace(window, bars=bars)).digests
    assert [one == other for one, other in zip(before, after, strict=True)] == [True] * 4 + [False] * 6


def test_bar_ends_leave_the_open_slot_out_unless_asked() -> None:
    window = make_window(steps=2, bar_ms=MINUTE_MS)
    early = replace(window, bars=window.bars[:7], bar_ms=window.bar_ms[:7])
    closed = bar_ends(early, open_interest=1.0, is_open_included=False)
    assert closed.end_ms.tolist() == [START_MS + STEP_MS]
    both: Ends = bar_ends(early, open_interest=1.0, is_open_included=True)
    assert both.end_ms.tolist() == [START_MS + STEP_MS, START_MS + 2 * STEP_MS]
