"""Websockets that stall, end, repeat and lie: their part of the lives at three venues."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest

from tests.campaigns.faults import SLUGS, batches, draw
from tests.campaigns.streams import STREAMED, StreamWorld

if TYPE_CHECKING:
    from tests.campaigns.faults import World

ROUND = len(SLUGS) * len(STREAMED)


@pytest.mark.parametrize("number", batches(share=0.15, size=ROUND))
def test_faults_of_streams_leave_nothing_but_the_truth(world: World, number: int) -> None:
    scenarios, streams = draw(ROUND, names=STREAMED, seed=number, within=("bars",)), StreamWorld(world)
    assert {str(one): found for one in scenarios if (found := world.play(one, streams.live))} == {}
    assert {pair for pair in product(STREAMED, SLUGS) if not world.happened[pair]} == set()
