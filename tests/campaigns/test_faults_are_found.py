"""The campaign itself: a product that has one of these defects does not pass it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from market.operations import herd, ledger, polling, reading
from market.operations.budget import SharedGate
from market.series import Validated, validate
from market.sources.binance_futures import rest
from market.sources.stream import _Socket
from tests.campaigns.faults import Scenario
from tests.campaigns.streams import STREAMED, StreamWorld
from tests.campaigns.test_faults_of_answers import NAMES as ANSWERS
from tests.campaigns.test_faults_of_rows import NAMES as ROWS
from tests.double.catalogue import FAULTS

if TYPE_CHECKING:
    from market.operations.schema import Table
    from market.series import SeriesName
    from tests.campaigns.faults import World


def lives(world: World, fault: str, slug: str, series: SeriesName) -> str:
    """Tell what a dozen lives with one fault find."""
    return " ".join(text for seed in range(12) for text in world.play(Scenario(fault, slug, seed, series)))


def as_one(table: Table, times: Any, step_ms: int) -> list[tuple[int, int]]:  # noqa: ANN401 an array of times
    """Overlook that rows are missing between others."""
    del table, step_ms
    return [(int(min(times)), int(max(times)))] if len(times) else []


def believe_all(rows: Any, **_: Any) -> Validated:  # noqa: ANN401 as validate takes them
    checked = validate(rows, now_ms=1 << 50, timeframe=60)
    return Validated(rows, checked.index, ())


def test_campaigns_draw_every_fault_that_the_double_knows() -> None:
    assert {*ANSWERS, *ROWS, *STREAMED} == FAULTS.keys()
    assert len(FAULTS) == 46


async def asleep(_: object) -> None:
    """Never look whether a websocket is alive."""


@pytest.mark.parametrize(
    ("fault", "slug", "series", "place", "name", "defect", "said"),
    [
        ("wrong_symbol", "binance", "open_interest", rest, "about", lambda *_: None, "nothing is in quarantine"),
        ("banned", "okx", "bars", SharedGate, "ask", lambda *_, **__: None, "requests during a ban"),
        ("not_a_number", "bybit", "bars", reading, "hold", lambda **_: None, "nothing is in quarantine"),
        ("zero_price", "binance", "mark_bars", reading, "validate", believe_all, "IntegrityError"),
        ("open_as_closed", "okx", "bars", polling, "_with_newest", lambda spans, _: spans, "bars: stored"),
        ("late_row", "binance", "open_interest", ledger, "stretches_of", as_one, "the ledger has"),
    ],
)
def test_campaign_finds_a_defect(  # noqa: PLR0917 a case
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    slug: str,
    series: SeriesName,
    place: object,
    name: str,
    defect: object,
    said: str,
) -> None:
    assert lives(world, fault, slug, series) == ""
    monkeypatch.setattr(place, name, defect)
    assert said in lives(world, fault, slug, series)


@pytest.mark.parametrize(
    ("fault", "place", "name", "defect", "said"),
    [
        ("silent_stall", _Socket, "_keep_alive", asleep, "was not noticed"),
        ("same_millisecond", herd, "_store_carefully", lambda *_: 0, "liquidations: "),
    ],
)
def test_campaign_finds_a_defect_of_listening(  # noqa: PLR0917 a case
    world: World, monkeypatch: pytest.MonkeyPatch, fault: str, place: object, name: str, defect: object, said: str
) -> None:
    streams, scenario = StreamWorld(world), Scenario(fault, "bybit", 1, "bars")
    assert world.play(scenario, streams.live) == []
    monkeypatch.setattr(place, name, defect)
    assert said in " ".join(world.play(scenario, streams.live))
