"""Instruments and bars through the API."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import pytest

from market.operations import store
from market.series import BAR
from tests.factories import make_instrument, make_user
from tests.web.published import API, body, client_with_key

if TYPE_CHECKING:
    from django.test import Client

    from market.models import Instrument

pytestmark = pytest.mark.django_db
ADVICE = "Choose a later `since`, an earlier `until` or a longer `timeframe`."
BTC = f"{API}/instruments/binance:BTCUSDT"


@pytest.fixture
def client() -> Client:
    return client_with_key(make_user())


def store_bars(instrument: Instrument, until: dt.datetime, count: int, *, timeframe: int = 60) -> None:
    rows = np.zeros(count, BAR)
    rows["open_time"] = int(until.timestamp()) * 1000 - timeframe * 1000 * np.arange(count, 0, -1)
    for name, value in {"open": 100, "high": 110, "low": 90, "close": 105, "volume": 2}.items():
        rows[name] = value
    rows["quote_volume"] = rows["taker_buy_volume"] = np.nan
    store(instrument_id=instrument.pk, series="bars", rows=rows, timeframe=timeframe, now=until)


def test_instruments_page_by_key(client: Client) -> None:
    for symbol in ("C", "A", "B"):
        make_instrument(symbol=f"{symbol}USDT")
    first = body(client, f"{API}/instruments/?limit=2")
    assert [row["instrument"] for row in first["results"]] == ["binance:AUSDT", "binance:BUSDT"]
    assert first["next"] == "binance:BUSDT"
    last = body(client, f"{API}/instruments/?limit=2&after={first['next']}")
    assert ([row["instrument"] for row in last["results"]], last["next"]) == (["binance:CUSDT"], None)


def test_instrument_says_where_it_comes_from_and_how_old_it_is(client: Client, now: dt.datetime) -> None:
    live = make_instrument(venue="simulated", symbol="SIMBTC-USDT", is_live=True, is_simulated=True)
    empty = body(client, f"{API}/instruments/simulated:SIMBTC-USDT/")
    assert (empty["as_of"], empty["stale_after"], empty["is_simulated"]) == (None, None, True)
    store_bars(live, now, 3)
    filled = body(client, f"{API}/instruments/simulated:SIMBTC-USDT/")
    assert (filled["as_of"], filled["stale_after"]) == ("2026-01-15T12:00:00Z", "2026-01-15T12:01:15Z")
    assert (filled["venue"], filled["tick_size"]) == ("simulated", "0.1000000000")


def test_bars_are_ascending_and_say_null(client: Client, now: dt.datetime) -> None:
    store_bars(make_instrument(), now, 7)
    answer = body(client, f"{BTC}/bars/?timeframe=1m")
    assert [bar["open_time"] for bar in answer["bars"]] == [f"2026-01-15T11:{m}:00Z" for m in range(53, 60)]
    assert answer["bars"][0] == {
        "open_time": "2026-01-15T11:53:00Z",
        "open": 100.0,
        "high": 110.0,
        "low": 90.0,
        "close": 105.0,
        "volume": 2.0,
        "quote_volume": None,
        "taker_buy_volume": None,
        "is_closed": True,
    }
    assert (answer["as_of"], answer["stale_after"]) == ("2026-01-15T12:00:00Z", None)


def test_bar_of_a_running_period_is_not_closed(client: Client, now: dt.datetime) -> None:
    store_bars(make_instrument(), now + dt.timedelta(minutes=2), 7)
    answer = body(client, f"{BTC}/bars/?timeframe=5m")
    assert [(bar["open_time"][11:16], bar["is_closed"]) for bar in answer["bars"]][-1:] == [("12:00", False)]
    assert [bar["is_closed"] for bar in answer["bars"][:-1]] == [True] * (len(answer["bars"]) - 1)


def test_bars_of_nothing_are_an_empty_list(client: Client) -> None:
    make_instrument()
    answer = body(client, f"{BTC}/bars/")
    assert (answer["bars"], answer["as_of"], answer["stale_after"]) == ([], None, None)


def test_bars_are_bounded(client: Client) -> None:
    make_instrument()
    span = "timeframe=1m&since=2026-01-01T00:00:00Z&until=2026-01-04T11:20:"
    body(client, f"{BTC}/bars/?{span}00Z")
    refused = body(client, f"{BTC}/bars/?{span}01Z", status=400)
    assert refused == {"since": [f"That is 5,001 bars; one answer has at most 5,000. {ADVICE}"]}


def test_bars_are_bounded_with_the_period_in_which_they_begin(client: Client) -> None:
    make_instrument()
    span = "timeframe=1h&since=2026-01-01T00:59:59Z&until=2026-07-28T"
    body(client, f"{BTC}/bars/?{span}08:00:00Z")
    refused = body(client, f"{BTC}/bars/?{span}08:30:00Z", status=400)
    assert refused == {"since": [f"That is 5,001 bars; one answer has at most 5,000. {ADVICE}"]}


@pytest.mark.parametrize(
    "query",
    [
        "timeframe=2m",
        "since=x",
        "until=2026-13-01T00:00:00Z",
        "since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z",
        "until=0001-01-01T00:00:00Z",
        "timeframe=1h&since=2026-01-01T00:59:00Z&until=2026-01-01T00:30:00Z",
        "since=-1",
    ],
)
def test_bars_refuse_strange_spans(query: str, client: Client) -> None:
    make_instrument()
    assert list(body(client, f"{BTC}/bars/?{query}", status=400)) in (["timeframe"], ["since"], ["until"])
