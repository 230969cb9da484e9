"""What an estimator showed at a moment is its newest column by then: never a later one, never one without its bars."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from heatmaps.core.estimators import load_estimator
from heatmaps.core.grid import BIN_BPS, bin_coordinate, bin_width
from heatmaps.core.views import REACH, Slices, view, view_estimator
from market.series import HOUR_MS, STEP_MS
from tests.core.windows import START_MS, make_window, without_samples

if TYPE_CHECKING:
    from heatmaps.core.estimators.base import Map
    from market.series import Window

SLUGS = ("open-interest", "path-only", "turnover", "uniform")
STEPS = 3 * 288


def _at(window: Window, hours: list[int]) -> Slices:
    end_ms = START_MS + np.array(hours) * HOUR_MS
    close = window.bars["close"][np.searchsorted(window.bars["open_time"], end_ms) - 1]
    none = np.zeros((len(hours), 2, REACH))
    bins = np.floor(bin_coordinate(close, bin_width(BIN_BPS))).astype(np.int64)
    return Slices(end_ms, close, bins, none, none, np.zeros((len(hours), 2), np.int64))


def _whole(slug: str, window: Window) -> Map:
    return load_estimator(slug).estimate(window, None)


@pytest.mark.parametrize("slug", SLUGS)
def test_a_view_over_a_gap_is_the_column_before_it(slug: str) -> None:
    whole = make_window(steps=STEPS, seed=4)
    gap = START_MS + 20 * HOUR_MS, START_MS + 50 * HOUR_MS
    window = without_samples(whole, since_ms=gap[0], until_ms=gap[1])
    at = _at(whole, [0, 6, 20, 21, 47, 50, 51, 72])
    found, run = view_estimator(load_estimator(slug), window, at), _whole(slug, window)
    for index, end_ms in enumerate(at.end_ms.tolist()):
        place = int(np.searchsorted(run.steps.end_ms, end_ms, side="right")) - 1
        if place < 0:
            assert not found[index].any()
            continue
        want = view(run.columns[place], int(run.anchor[place]), int(at.close_bin[index]))
        np.testing.assert_array_equal(found[index], want)


@pytest.mark.parametrize("slug", SLUGS)
def test_what_comes_later_changes_no_view(slug: str) -> None:
    whole = make_window(steps=STEPS, seed=5)
    window = without_samples(whole, since_ms=START_MS + 20 * HOUR_MS, until_ms=START_MS + 30 * HOUR_MS)
    later = window.open_interest["time"] > START_MS + 25 * HOUR_MS
    changed = window.open_interest.copy()
    changed["open_interest"][later] *= 1.3
    at = _at(whole, [19, 22, 25])
    first, second = (
        view_estimator(load_estimator(slug), replace(window, open_interest=samples), at)
        for samples in (window.open_interest, changed)
    )
    np.testing.assert_array_equal(first, second)


def test_views_without_a_gap_are_the_columns_of_one_run() -> None:
    window = make_window(steps=STEPS, seed=6)
    at = _at(window, [24, 30, 48, 71, 72])
    found, run = view_estimator(load_estimator("open-interest"), window, at), _whole("open-interest", window)
    places = (at.end_ms - START_MS) // STEP_MS - 1
    want = [
        view(run.columns[place], int(run.anchor[place]), int(at.close_bin[index]))
        for index, place in enumerate(places.tolist())
    ]
    np.testing.assert_array_equal(found, np.stack(want))
