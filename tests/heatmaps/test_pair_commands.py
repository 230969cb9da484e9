"""``build_heatmap`` of an asset pair."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from market.operations import ingest

from .markets import LATE
from .pairs import steps_of, the_pair, the_sum, three

pytestmark = pytest.mark.django_db


def test_map_of_a_pair_is_summed_by_hand() -> None:
    for one in three(300):
        one.tell()
    ingest(instrument_id=the_pair().pk, now=LATE)
    said = StringIO()
    call_command("build_heatmap", "pair:BTC-USDT", stdout=said)
    assert steps_of(the_sum()) == (0, 300)
    assert "sum-open-interest 2: 300 steps in" in said.getvalue()
    assert "zones: " in said.getvalue()


@pytest.mark.parametrize("option", ["--from=2026-01-01", "--to=2026-01-02", "--estimator=open-interest"])
def test_map_of_a_pair_takes_no_options(option: str) -> None:
    three(10)
    with pytest.raises(CommandError, match="is the sum of its members' maps: it takes no other options"):
        call_command("build_heatmap", "pair:BTC-USDT", option)
