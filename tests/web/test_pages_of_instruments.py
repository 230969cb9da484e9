"""The list of instruments: what is followed or stored, and why there is nothing of some."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from heatmaps.pages.listing import instruments
from market.models import Instrument
from tests.factories import make_instrument, make_user
from tests.market.states import DAY, cover, make_states
from tests.pages import client_of

if TYPE_CHECKING:
    import datetime as dt

pytestmark = pytest.mark.django_db


def notes(now: dt.datetime) -> dict[str, tuple[str, str]]:
    return {row.instrument.key: (row.status.text, row.note) for row in instruments(now=now).rows}


def test_instruments_say_why_there_is_nothing_newer(now: dt.datetime) -> None:
    make_states(now=now)
    make_instrument(symbol="NEWUSDT", is_live=True)
    assert notes(now) == {
        "binance:BTCUSDT": ("Updated 60 s ago", ""),
        "binance:NEWUSDT": ("No data yet", "the first bars have not arrived"),
        "binance:OLDUSDT": ("Ended 13 Jan 2026", ""),
        "bybit:BTCUSDT": ("No data yet", "venue unreachable since 15 Jan 08:00"),
        "okx:BTC-USDT-SWAP": ("Data is 60 min old", "venue has banned us until 15 Jan 14:00"),
    }
    assert instruments(now=now).outages == [
        "Bybit unreachable since 15 Jan 08:00",
        "OKX has banned us until 15 Jan 14:00",
    ]


def test_what_has_data_stands_before_what_waits_for_it(now: dt.datetime) -> None:
    make_states(now=now)
    make_instrument(venue="aaa", symbol="NEWUSDT", is_live=True)
    assert list(notes(now)) == [
        "binance:BTCUSDT",
        "binance:OLDUSDT",
        "okx:BTC-USDT-SWAP",
        "aaa:NEWUSDT",
        "bybit:BTCUSDT",
    ]


def test_venues_that_nobody_waits_for_are_no_news(now: dt.datetime) -> None:
    make_states(now=now)
    Instrument.objects.update(is_live=False)
    assert instruments(now=now).outages == []


def test_what_venues_only_list_is_not_listed(now: dt.datetime) -> None:
    for symbol in ("AUSDT", "BUSDT"):
        make_instrument(symbol=symbol)
    cover(Instrument.objects.get(symbol="BUSDT"), "bars", now - DAY, now)
    assert list(notes(now)) == ["binance:BUSDT"]


def test_page_tells_of_venues_that_are_away() -> None:
    make_states(now=timezone.now())
    said = re.sub(r"<[^>]+>", " ", client_of(make_user()).get("/instruments/").content.decode())
    assert "Not all venues can be reached" in said
    assert "Bybit unreachable since" in said
    assert "venue has banned us until" in said


@pytest.mark.parametrize(("is_staff", "count"), [(False, 0), (True, 1)])
def test_only_staff_are_led_to_the_data_page(is_staff: bool, count: int) -> None:
    body = client_of(make_user(is_staff=is_staff)).get("/instruments/").content.decode()
    assert body.count('href="/data/"') == count
