"""A band by leverage group is what the map holds there; other priors move it and keep what the side holds."""

from __future__ import annotations

import numpy as np
import pytest

from heatmaps.core.estimators import load_built
from heatmaps.core.grid import bin_price, bin_width
from heatmaps.core.groups import OTHER_PRIORS, Held, held, under_other_priors
from heatmaps.core.leverage import GROUP_LABELS

from .windows import make_window

WIDTH = bin_width(5.0)


@pytest.mark.parametrize("position_side", [1, -1])
@pytest.mark.parametrize("contract_usd", [None, 100.0])
def test_groups_of_a_band_add_up_to_the_map(position_side: int, contract_usd: float | None) -> None:
    found = load_built("open-interest").estimate(make_window(steps=300, seed=8), None)
    assert found.state is not None
    anchor, close = int(found.anchor[-1]), float(found.steps.close[-1])
    middle = int(np.log(close) / WIDTH)
    bins = (middle - 120, middle - 40) if position_side == 1 else (middle + 40, middle + 120)
    part = held(found.state.inventory, position_side=position_side, bins=bins, width=WIDTH, contract_usd=contract_usd)
    at = np.arange(*bins)
    worth = bin_price(at, WIDTH) if contract_usd is None else contract_usd
    column = found.columns[-1, bins[0] - anchor : bins[1] - anchor] * worth
    assert part.band.shape == (len(GROUP_LABELS),)
    assert part.band.sum() == pytest.approx(column.sum(), rel=1e-5)
    # So near, only high leverage is liquidated.
    assert part.band[0] < part.band.sum() * 0.05


def test_other_priors_keep_what_the_side_holds() -> None:
    side = np.array([400.0, 300.0, 100.0, 100.0, 60.0, 40.0])
    whole = under_other_priors(Held(side, side), position_side=1)
    assert list(whole) == list(OTHER_PRIORS)
    assert list(whole.values()) == pytest.approx([1000.0] * 3)
    low = under_other_priors(Held(side * [1, 0, 0, 0, 0, 0], side), position_side=1)
    high = under_other_priors(Held(side * [0, 0, 0, 0, 0, 1], side), position_side=-1)
    assert low["lower leverage"] > 400.0 > low["higher leverage"]
    assert high["lower leverage"] < 40.0 < high["higher leverage"]
    assert all(sum(share) == pytest.approx(1.0) for share in OTHER_PRIORS.values())
