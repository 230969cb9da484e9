"""Binance's two futures APIs, asked plainly and through ccxt."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.error import HTTPError

import pytest

from tests.double import ManualClock, serve, synthetic_market, truth
from tests.double.reading import get, pointed
from tests.double.tape import DAY, FIVE_MINUTES, HOUR, MINUTE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.double import Double

NOON = 20_440 * DAY + 12 * HOUR
NOW = NOON + 30_000
KLINES = "binance/fapi/v1/klines"


@pytest.fixture
def double() -> Iterator[Double]:
    with serve(market=synthetic_market(4), clock=ManualClock(NOW)) as double:
        yield double


def test_klines_hold_the_open_bar_last_and_page_upwards(double: Double) -> None:
    asked = {"symbol": "BTCUSDT", "interval": "1m"}
    latest = get(double, KLINES, **asked, limit=3)
    assert [row[0] for row in latest] == [NOON - 2 * MINUTE, NOON - MINUTE, NOON]
    assert [row[6] < NOW for row in latest] == [True, True, False]
    page = get(double, KLINES, **asked, startTime=NOON - DAY, limit=5000)
    assert (len(page), page[0][0], page[-1][0]) == (1441, NOON - DAY, NOON)
    inclusive = get(double, KLINES, **asked, startTime=NOON - 3 * MINUTE, endTime=NOON - 2 * MINUTE)
    assert [row[0] for row in inclusive] == [NOON - 3 * MINUTE, NOON - 2 * MINUTE]
    assert [type(field) for field in page[0]] == [int, *[str] * 5, int, str, int, str, str, str]


def test_klines_are_the_truth(double: Double) -> None:
    listing = double.market.listing("binance", "ETHUSDT")
    rows = get(double, KLINES, symbol="ETHUSDT", interval="1m", startTime=NOON - HOUR, limit=1500)
    told = [(row[0], *map(float, [*row[1:6], row[7], row[9]])) for row in rows[:-1]]
    assert told == [tuple(bar) for bar in truth.bars(listing, since=NOON - HOUR, until=NOW, now=NOW)]
    assert len(told) == 60
    assert double.acknowledged["binance", "ETHUSDT", "bars"].keys() == {row[0] for row in told}


def test_errors_have_the_venues_bodies(double: Double) -> None:
    for query, code in (
        ({"symbol": "NOUSDT", "interval": "1m"}, -1121),
        ({"interval": "1m"}, -1102),
        ({"symbol": "BTCUSDT", "interval": "7m"}, -1120),
    ):
        with pytest.raises(HTTPError) as caught:
            get(double, KLINES, **query)
        assert (caught.value.code, f'"code":{code}' in caught.value.read().decode()) == (400, True)


def test_ccxt_reads_the_linear_venue(double: Double) -> None:
    exchange, listing = pointed("binanceusdm", double, "binance"), double.market.listing("binance", "SOLUSDT")
    since = NOON - HOUR
    candles = exchange.fetch_ohlcv("SOL/USDT:USDT", "1m", since=since, limit=60)
    assert candles == [[*bar[:6]] for bar in truth.bars(listing, since=since, until=NOW, now=NOW)]
    marks = exchange.fetch_ohlcv("SOL/USDT:USDT", "1m", since=since, limit=60, params={"price": "mark"})
    assert [row[:5] for row in marks] == [
        [*bar[:5]] for bar in truth.bars(listing, since=since, until=NOW, now=NOW, series="marks")
    ]
    interest = exchange.fetch_open_interest_history("SOL/USDT:USDT", "5m", since=since, limit=13)
    assert [(row["timestamp"], row["openInterestAmount"], row["openInterestValue"]) for row in interest] == [
        sample[:3] for sample in truth.open_interest(listing, since=since, until=NOW, now=NOW)
    ]
    rates = exchange.fetch_funding_rate_history("SOL/USDT:USDT", since=NOON - DAY)
    assert [(row["timestamp"], row["fundingRate"]) for row in rates] == [
        row[:2] for row in truth.funding(listing, since=NOON - DAY, until=NOW)
    ]
    assert len(rates) == 3


def test_ccxt_reads_the_inverse_venue(double: Double) -> None:
    exchange = pointed("binancecoinm", double, "binance-coin-m")
    listing = double.market.listing("binance-coin-m", "BTCUSD_PERP")
    exchange.milliseconds = lambda: NOW
    candles = exchange.fetch_ohlcv("BTC/USD:BTC", "1m", since=NOON - HOUR, limit=60)
    bars = truth.bars(listing, since=NOON - HOUR, until=NOW, now=NOW)
    assert candles == [[*bar[:6]] for bar in bars]
    assert exchange.market("BTC/USD:BTC")["contractSize"] == 100
    interest = exchange.fetch_open_interest_history("BTC/USD:BTC", "5m", since=NOON - FIVE_MINUTES, limit=2)
    assert [
        (float(row["info"]["sumOpenInterest"]), float(row["info"]["sumOpenInterestValue"])) for row in interest
    ] == [
        (row.contracts, row.open_interest)
        for row in truth.open_interest(listing, since=NOON - FIVE_MINUTES, until=NOW, now=NOW)
    ]
