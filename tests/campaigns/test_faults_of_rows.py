"""Rows too many, too few, misplaced or of somebody else, and contracts that change under their reader."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest

from tests.campaigns.faults import BATCH, SLUGS, batches, draw
from tests.double.fault_market import MARKET_FAULTS
from tests.double.fault_rows import ROW_FAULTS

if TYPE_CHECKING:
    from tests.campaigns.faults import World

NAMES = [fault.name for fault in (*ROW_FAULTS, *MARKET_FAULTS)] + ["clock_skew"]


@pytest.mark.parametrize("number", batches(share=0.4))
def test_faults_of_rows_leave_nothing_but_the_truth(world: World, number: int) -> None:
    scenarios = draw(BATCH, names=NAMES, seed=number)
    assert {str(one): found for one in scenarios if (found := world.play(one))} == {}
    assert {pair for pair in product(NAMES, SLUGS) if not world.happened[pair]} == set()
