from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from market.operations import store
from market.sources import SOURCES
from tests.factories import make_instrument
from tests.market.rows import after

from .kit import (
    BARS,
    StreamedVenue,
)

if TYPE_CHECKING:
    from market.models import Instrument


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch) -> StreamedVenue:
    scripted = StreamedVenue()
    monkeypatch.setitem(SOURCES, "scripted", "tests.market.feed.kit:SOURCE")
    monkeypatch.setattr("tests.market.feed.kit.SOURCE", scripted)
    return scripted


@pytest.fixture
def instrument() -> Instrument:
    made = make_instrument(venue="scripted", is_live=True)
    store(instrument_id=made.pk, series="bars", rows=BARS[:60], timeframe=60, now=after(60))
    return made
