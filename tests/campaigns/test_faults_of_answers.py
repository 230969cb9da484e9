"""Answers that do not come, can not be read or hold what is no number: a thousand lives at three venues."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest

from tests.campaigns.faults import BATCH, SLUGS, batches, draw
from tests.double.fault_answers import ANSWER_FAULTS
from tests.double.fault_fields import FIELD_FAULTS

if TYPE_CHECKING:
    from tests.campaigns.faults import World

NAMES = [fault.name for fault in (*ANSWER_FAULTS, *FIELD_FAULTS)]


@pytest.mark.parametrize("number", batches(share=0.45))
def test_faults_of_answers_leave_nothing_but_the_truth(world: World, number: int) -> None:
    scenarios = draw(BATCH, names=NAMES, seed=number)
    assert {str(one): found for one in scenarios if (found := world.play(one))} == {}
    assert {pair for pair in product(NAMES, SLUGS) if not world.happened[pair]} == set()
