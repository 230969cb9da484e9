from __future__ import annotations

import json
from io import StringIO
from typing import TYPE_CHECKING

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from heatmaps.core.bands import EDGES_PCT
from heatmaps.core.estimators import BUILT
from heatmaps.core.worlds.world import WORLDS
from heatmaps.operations.scoring import ScoreError, calibrate_intervals, measure_doubts

if TYPE_CHECKING:
    from collections.abc import Callable

SHORT = ("--seeds", "301", "--days", "10", "--jobs", "2")


def printed(*asked: str) -> object:
    out = StringIO()
    call_command("calibrate", *asked, stdout=out)
    return json.loads(out.getvalue())


def test_calibrate_prints_a_table_for_each_estimator_and_level_that_holds_in_each_world() -> None:
    found = printed(*SHORT)
    assert isinstance(found, dict)
    assert list(found) == [f"{slug} {level}" for slug in BUILT for level in (80, 90)]
    for name, table in found.items():
        low, high = np.array(table["low"]), np.array(table["high"])
        assert low.shape == high.shape == (2, len(EDGES_PCT))
        assert (low <= 1.0).all()
        assert (high >= 1.0).all()
        level = int(name.rpartition(" ")[2]) / 100
        assert list(table["held"]) == list(WORLDS)
        assert list(table["held"].values()) == pytest.approx([level] * len(WORLDS), abs=0.06)


def test_doubts_are_measured_in_each_world_and_nothing_moves_the_full_map() -> None:
    found = printed(*SHORT, "--doubts")
    assert isinstance(found, list)
    cases = list(dict.fromkeys(one["case"] for one in found))
    assert [one["case"] for one in found] == cases * len(WORLDS)
    assert [one["spread"] for one in found if one["case"] == "full"] == [0.0] * len(WORLDS)
    thin = {one["world"]: one["spread"] for one in found if one["case"] == "every 60 minutes"}
    dense = {one["world"]: one["spread"] for one in found if one["case"] == "every 10 minutes"}
    assert all(thin[world] > dense[world] > 0.0 for world in WORLDS)
    assert all(one["held_wider"] >= one["held"] for one in found)


@pytest.mark.parametrize("measure", [calibrate_intervals, measure_doubts])
def test_what_can_not_be_calibrated_is_refused(measure: Callable[..., object]) -> None:
    with pytest.raises(ScoreError, match="a seed, a job and 10 days or more"):
        measure(seeds=[1], days=9, jobs=1)


def test_command_says_what_to_change() -> None:
    with pytest.raises(CommandError, match="10 days or more"):
        call_command("calibrate", "--days", "3")
    with pytest.raises(CommandError, match="'all' is no range of seeds"):
        call_command("calibrate", "--seeds", "all")
