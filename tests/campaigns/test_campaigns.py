"""The campaigns of whole installations in short; they take minutes and want the machine for themselves."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from tests.campaigns import outages
from tests.campaigns.kills import VICTIMS, campaign
from tests.campaigns.replay import replay
from tests.campaigns.stage import START_MS, Play, seeded_market
from tests.double.tape import MINUTE

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.skipif(os.environ.get("BH_CAMPAIGNS") != "1", reason="a campaign: set BH_CAMPAIGNS=1"),
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc to find every process"),
    pytest.mark.timeout(300),
]


def test_replay_stores_the_truth_soon_and_nothing_else(tmp_path: Path) -> None:
    symbols = ("BTCUSDT", "ETHUSDT")
    figures = replay(tmp_path, Play(seeded_market(2), symbols, START_MS + 25 * MINUTE, 60.0))
    assert figures["rows"] == {"bars": 2 * (360 + 25), "open_interest": 2 * (72 + 5 + 1)}
    assert (figures["quarantine"], figures["revisions"]) == (0, 0)
    assert figures["lags_sampled"] > 0
    assert figures["lag_sampled_s"]["p95"] < 5
    assert all(line["lag_p95"] < 5 for line in figures["feed"])


def test_killed_processes_leave_no_trace_in_what_is_stored(tmp_path: Path) -> None:
    figures = campaign(tmp_path, kills=6, seed=3, minutes=0.6)
    assert figures["killed"] == dict.fromkeys(VICTIMS, 1)
    assert figures["digest"] == figures["digest_undisturbed"]


def test_no_page_calls_old_data_fresh_while_processes_end_or_hang(tmp_path: Path) -> None:
    assert outages.campaign(tmp_path, outages=8, seed=5)["false_fresh"] == 0


# Each by outages that such a page can not bear; whether one shows it hangs on how old the data is when it begins.
@pytest.mark.parametrize(
    ("broken", "kind", "count"),
    [("late", "feed stop", 2), ("blind", "tab asleep, no stopwatch", 6), ("panel", "feed stop", 2)],
)
def test_the_hunt_finds_a_page_that_is_wrong(broken: str, kind: str, count: int, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=f'"during": "{kind}"'):
        outages.campaign(tmp_path, outages=count, seed=5, broken=broken, kinds=[kind])
