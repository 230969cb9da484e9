"""A venue that has an address for each kind of stream: a line owes only what its own channel brings."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING

import pytest

from market.models import Coverage, FeedState, Instrument
from market.sources import SOURCES
from market.sources.base import Channel
from tests.factories import make_instrument
from tests.market.rows import after

from .kit import Clock, StreamedVenue, play, store_bars, timing, until

if TYPE_CHECKING:
    from collections.abc import Mapping

    from market.series import SeriesName

pytestmark = pytest.mark.django_db(transaction=True)


class PartedVenue(StreamedVenue):
    """Its only websocket brings one of the two series that the venue streams."""

    series: SeriesName = "bars"

    def channels(self, sizes: Mapping[str, float]) -> tuple[Channel, ...]:
        return (Channel("wss://scripted", (), frozenset({"bars"}), sizes, series=frozenset({self.series})),)


SOURCE = PartedVenue()


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch) -> PartedVenue:
    scripted = PartedVenue()
    assert {"bars", "liquidations"} <= scripted.streams
    monkeypatch.setitem(SOURCES, "scripted", f"{__name__}:SOURCE")
    monkeypatch.setattr(f"{__name__}.SOURCE", scripted)
    return scripted


@pytest.fixture
def instrument() -> Instrument:
    return make_instrument(venue="scripted", is_live=True)


def listened(instrument: Instrument) -> bool:
    return Coverage.objects.filter(instrument=instrument, series="liquidations").exists()


async def _pass(clock: Clock, minute: int) -> None:
    """Let time go by, until the feed has described its lines at the new time."""
    await until(lambda: FeedState.objects.filter(connected_at__isnull=False).exists())
    clock.at = after(minute)
    await until(lambda: FeedState.objects.filter(noted_at=after(minute)).exists())
    await asyncio.sleep(0.3)


@pytest.mark.parametrize("series", ["bars", "liquidations"])
def test_only_a_line_with_liquidations_listens_for_them(
    venue: PartedVenue, instrument: Instrument, series: SeriesName
) -> None:
    venue.series = series
    clock = Clock(after(60))
    play(timing(clock), lambda: _pass(clock, 62))
    assert listened(instrument) is (series == "liquidations")


@pytest.mark.parametrize(("series", "opened"), [("bars", 2), ("liquidations", 1)])
def test_only_a_line_with_bars_is_doubted_for_them(
    venue: PartedVenue, instrument: Instrument, series: SeriesName, opened: int
) -> None:
    venue.series = series
    clock = Clock(after(60) - dt.timedelta(seconds=1))

    async def script() -> None:
        await _pass(clock, 63)
        await asyncio.to_thread(store_bars, instrument, 60, 63)
        await until(lambda: venue.opened == opened)
        await asyncio.sleep(0.3)

    play(timing(clock), script)
    assert venue.opened >= opened
    assert (venue.opened > 1) is (series == "bars")
