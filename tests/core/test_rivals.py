from __future__ import annotations

import numpy as np
import pytest

from heatmaps.core.estimators import load_estimator
from heatmaps.core.rivals import NEAR, ROW_WIDTH, compare
from market.series import STEP_MS
from tests.core.windows import START_MS, make_window, without_samples

WINDOW = make_window(steps=400, seed=9)
ENDS = START_MS + STEP_MS * np.arange(303, 400, 3)
CLOSE = WINDOW.bars["close"][302:399:3]


def test_shares_sum_to_one_and_a_rule_is_no_rival_of_itself() -> None:
    pair = compare(load_estimator("turnover"), load_estimator("turnover"), WINDOW, ENDS, CLOSE)
    np.testing.assert_allclose(pair.shares.sum(axis=1), 1.0)
    assert not pair.difference.any()
    assert pair.apart() == 0.0


def test_difference_is_that_of_the_columns_row_by_row() -> None:
    pair = compare(load_estimator("open-interest"), load_estimator("uniform"), WINDOW, ENDS, CLOSE)
    for which, slug in enumerate(("open-interest", "uniform")):
        found = load_estimator(slug).estimate(WINDOW, None)
        index = int(np.flatnonzero(found.steps.end_ms == ENDS[7])[0])
        slow: dict[int, float] = {}
        for place, contracts in enumerate(found.columns[index].tolist()):
            row = (int(found.anchor[index]) + place) // 4
            if abs((row + 0.5) * ROW_WIDTH - np.log(CLOSE[7])) <= np.log1p(NEAR):
                slow[row] = slow.get(row, 0.0) + contracts
        shares = [slow.get(pair.row_lo + row, 0.0) / sum(slow.values()) for row in range(pair.shares.shape[1])]
        np.testing.assert_allclose(pair.shares[which, :, 7], shares, atol=1e-7)
    assert 0.0 < pair.apart() < 1.0
    table = pair.table()
    assert table is not None
    assert table.sum(axis=(1, 2)) == pytest.approx([1.0, 1.0])


def test_column_that_one_lacks_is_not_compared() -> None:
    window = without_samples(WINDOW, since_ms=int(ENDS[4]), until_ms=int(ENDS[6]))
    pair = compare(load_estimator("open-interest"), load_estimator("path-only"), window, ENDS, CLOSE)
    assert np.flatnonzero(np.isnan(pair.difference[0])).tolist() == [5, 6]
    early = compare(
        load_estimator("open-interest"), load_estimator("yesterday"), make_window(steps=60), ENDS[:2], CLOSE[:2]
    )
    assert early.table() is None
    assert np.isnan(early.apart())
