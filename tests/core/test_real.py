"""The invariants on 56 days of real bars; they lie beside the repository and may not be there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from heatmaps.core.estimators import load_estimator
from heatmaps.core.grid import bin_coordinate
from heatmaps.core.tile import code_floor, codes_from_usd, usd_from_code
from market.series import DAY_MS, STEP_MS
from tests.history import ABSENT

from .windows import cut, real_window

if TYPE_CHECKING:
    from heatmaps.core.estimators.base import Estimate


@pytest.fixture(scope="module", params=["BTCUSDT", "ETHUSDT"])
def found(request: pytest.FixtureRequest) -> Estimate:
    window = real_window(request.param)
    if window is None:
        pytest.skip(ABSENT)
    return load_estimator("open-interest").estimate(window, None)


def test_long_equals_short_equals_open_interest_less_unallocated(found: Estimate) -> None:
    """The ledger of each side adds up to one and the same total at every step, to 1e-9."""
    swept, kept, opened, lost = (found.ledger[:, :, index] for index in range(4))
    before = np.concatenate(([0.0], found.total[:-1]))[:, None]
    for side in (0, 1):
        flow = (before[:, 0] - swept[:, side]) * kept[:, side] + opened[:, side] - lost[:, side]
        np.testing.assert_allclose(flow, found.total, rtol=1e-9)
    unallocated = found.steps.open_interest - found.total
    assert unallocated.min() >= 0.0


def test_map_never_holds_more_than_the_total(found: Estimate) -> None:
    close = bin_coordinate(found.steps.close, 5e-4)
    bins = found.anchor[:, None] + np.arange(found.columns.shape[1])
    for part in np.array_split(np.arange(len(close)), 40):
        is_long = bins[part] + 0.5 < close[part][:, None]
        for mask in (is_long, ~is_long):
            held = np.where(mask, found.columns[part], 0.0).sum(axis=1, dtype=np.float64)
            assert (held <= found.total[part] * (1 + 1e-6)).all()


def test_open_interest_is_allocated_after_a_week(found: Estimate) -> None:
    week = found.steps.end_ms >= found.steps.end_ms[0] + 7 * DAY_MS
    share = (found.total / found.steps.open_interest)[week]
    # At every step but those in which the map liquidates more than was traded.
    assert (share >= 0.98).mean() > 0.9995
    assert share.min() > 0.95


def test_nothing_survives_a_traversed_bin(found: Estimate) -> None:
    """What a column holds inside the step's range was opened in that step: at most its opens."""
    low, high = bin_coordinate(found.steps.low, 5e-4), bin_coordinate(found.steps.high, 5e-4)
    first = int(found.anchor[0])
    assert (found.anchor == first).all()
    for index in range(1, len(low), 7):
        inside = slice(max(int(np.ceil(low[index] - 0.5)) - first, 0), int(np.floor(high[index] - 0.5)) + 1 - first)
        held = float(found.columns[index, inside].sum())
        assert held <= found.ledger[index, :, 2].sum() * (1 + 1e-6)


def test_prefix_run_equals_the_prefix(found: Estimate) -> None:
    window = real_window("BTCUSDT")
    assert window is not None
    whole = load_estimator("open-interest").estimate(window, None)
    start = int(window.bars["open_time"][0])
    for steps in (1, 777, 9001):
        part = cut(window, since_ms=start, until_ms=start + steps * STEP_MS)
        prefix = load_estimator("open-interest").estimate(part, None)
        count = len(prefix.steps)
        assert count >= steps - 1
        assert prefix.columns.tobytes() == whole.columns[:count].tobytes()


def test_tiles_keep_cells_and_mass(found: Estimate) -> None:
    floor = code_floor(float(found.steps.open_interest[0] * found.steps.close[0]))
    price = np.exp((found.anchor[-1] + np.arange(found.columns.shape[1]) + 0.5) * 5e-4)
    density = found.columns[-1].astype(np.float64) * price * 2.0
    back = usd_from_code(codes_from_usd(density, floor), floor)
    shown = density >= floor
    assert np.abs(back[shown] / density[shown] - 1).max() <= 0.0225
    assert abs(back.sum() / density.sum() - 1) <= 1e-3
