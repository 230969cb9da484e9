from __future__ import annotations

import math
from dataclasses import astuple
from typing import Any

import numpy as np
import pytest

from heatmaps.core.clusters import Column
from heatmaps.core.estimators import load_built
from heatmaps.core.estimators.options import SECOND
from heatmaps.core.grid import bin_coordinate
from heatmaps.core.ledger import Flows, account
from heatmaps.core.tile import codes_from_usd, usd_from_code

from .windows import make_window

WIDTH = 5e-4
CLOSE = 22_000.0


def at(usd: list[float], *, low: float = CLOSE, high: float = CLOSE, **rest: Any) -> Column:  # noqa: ANN401 -- fields
    return Column(0, 21_900, np.array(usd, np.float64), low, high, CLOSE, **rest)


@pytest.mark.parametrize(
    ("side", "prices", "kept", "flows"),
    [
        (1, {}, (0.9, 1.0), Flows(deposited=8.0, closed=10.0)),
        (-1, {"high": 21_899.0}, (1.0, 0.9), Flows(deposited=8.0, closed=10.0)),
        # Bins 21,902 and up are crossed: 30 + 40 of the 100; a tenth of the rest closes.
        (1, {"low": 21_902.3}, (0.9, 1.0), Flows(deposited=71.0, closed=3.0, swept=70.0)),
        (-1, {"high": 21_900.6}, (1.0, 0.9), Flows(deposited=17.0, closed=9.0, swept=10.0)),
    ],
)
def test_flows_of_a_band(side: int, prices: dict[str, float], kept: tuple[float, float], flows: Flows) -> None:
    found = account(side, (21_900, 21_904), at([10, 20, 30, 40]), at([10, 20, 30, 38], kept=kept, **prices))
    assert astuple(found) == pytest.approx(astuple(flows))
    assert 100.0 + found.change == pytest.approx(98.0)


@pytest.mark.parametrize(
    ("side", "prices", "reached", "swept"),
    [
        # Bin 21,903 whole, half of 21,901 and 21,902; of shorts half of 21,900 and 21,901.
        (1, {"low": 21_901.3}, (21_903.3, CLOSE), 40.0 + 25.0),
        (-1, {"high": 21_901.6}, (0.0, 21_899.6), 15.0),
    ],
)
def test_of_what_only_a_wick_touched_a_share_is_swept(
    side: int, prices: dict[str, float], reached: tuple[float, float], swept: float
) -> None:
    found = account(side, (21_900, 21_904), at([10, 20, 30, 40]), at([1, 1, 1, 1], swept=reached, wick=0.5, **prices))
    assert found.swept == pytest.approx(swept)


def test_coming_and_going_of_members_is_no_trade() -> None:
    found = account(1, (21_900, 21_902), at([10, 20], members=3), at([5, 5], members=1, kept=(0.5, 0.5)))
    assert found == Flows(moved=-20.0)


def test_where_closes_are_not_told_only_the_balance_is() -> None:
    unknown = (math.nan, math.nan)
    assert account(1, (21_900, 21_902), at([10, 20]), at([10, 25], kept=unknown)) == Flows(deposited=5.0)
    assert account(1, (21_900, 21_902), at([10, 20]), at([10, 5], kept=unknown)) == Flows(closed=15.0)


def test_ledger_of_tiles_is_the_inventorys_within_rounding() -> None:
    """All of a side as one band: swept, closed and opened as the estimator's own ledger has them, in contracts."""
    found = load_built("open-interest").estimate(make_window(steps=700, seed=3), None)
    steps, sweeps, wick = found.steps, found.steps.sweeps, SECOND.wick
    assert sweeps.is_last.all()
    low, high, close = (bin_coordinate(price, WIDTH) for price in (steps.low, steps.high, steps.close))
    reached = np.stack([np.minimum(sweeps.low, steps.close), np.maximum(sweeps.high, steps.close)], axis=1)
    bounds = bin_coordinate(reached, WIDTH).tolist()
    usd = usd_from_code(codes_from_usd(found.columns, 0.1), 0.1)
    first = int(found.anchor[0])
    told, exact = [], []
    for n in range(300, 700):
        kept = (float(found.ledger[n, 0, 1]), float(found.ledger[n, 1, 1]))
        before, now = (
            Column(
                i, first, usd[i], float(low[i]), float(high[i]), float(close[i]),
                kept=kept, swept=(bounds[i][0], bounds[i][1]), wick=wick,
            )
            for i in (n - 1, n)
        )  # fmt: skip
        split = int(np.ceil(close[n - 1] - 0.5))
        told.append(account(1, (first, split), before, now))
        # What is never liquidated closes, too, but lies on no bin.
        survived = float(found.columns[n - 1, : split - first].sum(dtype=np.float64)) - found.ledger[n, 0, 0]
        exact.append((found.ledger[n, 0, 0], survived * (1.0 - kept[0])))
    assert (found.anchor == first).all()
    swept, closed = np.array(exact).sum(axis=0)
    assert sum(one.swept for one in told) == pytest.approx(swept, rel=0.01)
    assert sum(one.closed for one in told) == pytest.approx(closed, rel=0.01)
