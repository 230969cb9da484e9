"""The invariants on 56 days of real bars; they lie beside the repository and may not be there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from heatmaps.core.estimators import load_built
from heatmaps.core.grid import bin_coordinate
from heatmaps.core.tile import code_floor, codes_from_usd, usd_from_code
from market.series import DAY_MS, STEP_MS
from tests.history import ABSENT

from .windows import cut, real_window

if TYPE_CHECKING:
    from heatmaps.core.estimators.base import Estimate
    from market.series import Window


# After the first week, the steps at which less than 98 % of open interest is on the map (decision 0008): in them the
# map liquidates more than was traded. End of the step, UTC -> share.
BELOW = {
    "BTCUSDT": {},
    "ETHUSDT": {"2026-01-20T22:35": 0.97927},
    "SOLUSDT": {},
    "DOGEUSDT": {"2026-01-02T09:45": 0.96638, "2026-01-02T09:50": 0.95739, "2026-01-02T15:40": 0.97839},
}


@pytest.fixture(scope="module", params=list(BELOW))
def symbol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def window(symbol: str) -> Window:
    found = real_window(symbol)
    if found is None:
        pytest.skip(ABSENT)
    return found


@pytest.fixture(scope="module")
def found(window: Window) -> Estimate:
    return load_built("open-interest").estimate(window, None)


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


def test_open_interest_is_allocated_after_a_week(found: Estimate, symbol: str) -> None:
    week = found.steps.end_ms >= found.steps.end_ms[0] + 7 * DAY_MS
    share = found.total / found.steps.open_interest
    below = np.flatnonzero(week & (share < 0.98))
    ends = np.datetime_as_string(found.steps.end_ms[below].astype("datetime64[ms]"), unit="m").tolist()
    assert dict(zip(ends, share[below].round(5).tolist(), strict=True)) == BELOW[symbol]


def test_nothing_survives_a_traversed_bin(found: Estimate) -> None:
    """What a column holds inside the step's range was opened in that step: at most its opens."""
    low, high = bin_coordinate(found.steps.low, 5e-4), bin_coordinate(found.steps.high, 5e-4)
    first = int(found.anchor[0])
    assert (found.anchor == first).all()
    for index in range(1, len(low), 7):
        inside = slice(max(int(np.ceil(low[index] - 0.5)) - first, 0), int(np.floor(high[index] - 0.5)) + 1 - first)
        held = float(found.columns[index, inside].sum())
        assert held <= found.ledger[index, :, 2].sum() * (1 + 1e-6)


def test_prefix_run_equals_the_prefix(found: Estimate, window: Window) -> None:
    start = int(window.bars["open_time"][0])
    for steps in (1, 777, 9001):
        part = cut(window, since_ms=start, until_ms=start + steps * STEP_MS)
        prefix = load_built("open-interest").estimate(part, None)
        count = len(prefix.steps)
        assert count >= steps - 1
        assert prefix.columns.tobytes() == found.columns[:count].tobytes()


def test_tiles_keep_cells_and_mass(found: Estimate) -> None:
    floor = code_floor(float(found.steps.open_interest[0] * found.steps.close[0]))
    price = np.exp((found.anchor[-1] + np.arange(found.columns.shape[1]) + 0.5) * 5e-4)
    density = found.columns[-1].astype(np.float64) * price * 2.0
    back = usd_from_code(codes_from_usd(density, floor), floor)
    shown = density >= floor
    assert np.abs(back[shown] / density[shown] - 1).max() <= 0.0225
    assert abs(back.sum() / density.sum() - 1) <= 1e-3
