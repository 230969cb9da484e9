"""Bybit, OKX and Hyperliquid: shape, paging, truth, and ccxt's own calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError

import pytest

from tests.double import ManualClock, serve, synthetic_market, truth
from tests.double.reading import get, pointed, post
from tests.double.tape import DAY, FIVE_MINUTES, HOUR, MINUTE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.double import Double

NOON = 20_440 * DAY + 12 * HOUR
NOW = NOON + 30_000
VENUES = (
    ("bybit", "BTC/USDT:USDT", "BTCUSDT"),
    ("okx", "BTC/USDT:USDT", "BTC-USDT-SWAP"),
    ("hyperliquid", "BTC/USDC:USDC", "BTC"),
)


@pytest.fixture(scope="module")
def double() -> Iterator[Double]:
    with serve(market=synthetic_market(3), clock=ManualClock(NOW)) as double:
        yield double


@pytest.mark.parametrize(("slug", "unified", "symbol"), VENUES)
def test_ccxt_reads_the_truth(double: Double, slug: str, unified: str, symbol: str) -> None:
    exchange, listing = pointed(slug, double, slug), double.market.listing(slug, symbol)
    exchange.milliseconds = lambda: NOW
    candles = exchange.fetch_ohlcv(unified, "1m", since=NOON - HOUR, limit=60)
    assert candles == [[*bar[:6]] for bar in truth.bars(listing, since=NOON - HOUR, until=NOW, now=NOW)]
    rates = exchange.fetch_funding_rate_history(unified, since=None if slug == "bybit" else NOON - DAY)
    told = [(row["timestamp"], row["fundingRate"]) for row in rates if row["timestamp"] >= NOON - DAY]
    assert told == [row[:2] for row in truth.funding(listing, since=NOON - DAY, until=NOW)]
    assert len(told) == (25 if slug == "hyperliquid" else 3)
    newest = truth.open_interest(listing, since=NOON, until=NOW, now=NOW)[0]
    assert exchange.fetch_open_interest(unified)["openInterestAmount"] == pytest.approx(newest.contracts)
    book = exchange.fetch_order_book(unified)
    assert book["bids"][0][0] < book["asks"][0][0]
    assert exchange.market(unified)["active"] is True


@pytest.mark.parametrize(("slug", "unified", "symbol"), VENUES[:2])
def test_ccxt_reads_five_minute_statistics(double: Double, slug: str, unified: str, symbol: str) -> None:
    exchange, listing = pointed(slug, double, slug), double.market.listing(slug, symbol)
    since = NOON - HOUR
    interest = exchange.fetch_open_interest_history(unified, "5m", since=since, limit=13)
    expected = truth.open_interest(listing, since=since, until=NOW, now=NOW)
    assert [(row["timestamp"], row["openInterestAmount"]) for row in interest] == [
        (row.time, pytest.approx(row.contracts)) for row in expected
    ]
    assert len(expected) == 13
    period = "5min" if slug == "bybit" else "5m"  # ccxt hands a period on to Bybit as it is
    ratios = exchange.fetch_long_short_ratio_history(unified, period, limit=3)
    assert sorted(row["timestamp"] for row in ratios) == [NOON - 2 * FIVE_MINUTES, NOON - FIVE_MINUTES, NOON]
    assert exchange.fetch_market_leverage_tiers(unified)[0]["maxLeverage"] == 100


def test_bybit_counts_both_sides(double: Double) -> None:
    base = double.market.listing("binance", "BTCUSDT")
    one = truth.open_interest(base, since=NOON, until=NOW, now=NOW)[0].open_interest
    query = {"category": "linear", "symbol": "BTCUSDT", "intervalTime": "5min", "limit": 1}
    answer = get(double, "bybit/v5/market/open-interest", **query)
    newest = answer["result"]["list"][0]
    assert float(newest["openInterest"]) == pytest.approx(2 * one)
    assert float(newest["singleOpenInterest"]) == one
    both = double.market.listing("bybit", "BTCUSDT")
    assert truth.open_interest(both, since=NOON, until=NOW, now=NOW)[0].open_interest == one


def test_bybit_lists_descend_and_page_back(double: Double) -> None:
    query: dict[str, Any] = {"category": "linear", "symbol": "BTCUSDT", "interval": "1"}
    rows = get(double, "bybit/v5/market/kline", **query, limit=3)["result"]["list"]
    assert [int(row[0]) for row in rows] == [NOON, NOON - MINUTE, NOON - 2 * MINUTE]
    window = get(double, "bybit/v5/market/kline", **query, start=NOON - HOUR, end=NOON - MINUTE, limit=5)
    assert [int(row[0]) for row in window["result"]["list"]] == [NOON - (step + 1) * MINUTE for step in range(5)]
    ahead = get(double, "bybit/v5/market/kline", **query, start=NOON - HOUR, limit=2)["result"]["list"]
    assert [int(row[0]) for row in ahead] == [NOON - HOUR + MINUTE, NOON - HOUR]
    assert [type(field) for field in rows[0]] == [str] * 7
    unknown = get(double, "bybit/v5/market/kline", category="linear", symbol="NO", interval="1")
    assert (unknown["retCode"], unknown["retMsg"]) == (10001, "params error: Symbol Invalid")


def test_okx_cursors_exclude_their_row(double: Double) -> None:
    query: dict[str, Any] = {"instId": "BTC-USDT-SWAP", "bar": "1m"}
    rows = get(double, "okx/api/v5/market/candles", **query, limit=3)["data"]
    assert [(int(row[0]), row[8]) for row in rows] == [(NOON, "0"), (NOON - MINUTE, "1"), (NOON - 2 * MINUTE, "1")]
    between = get(double, "okx/api/v5/market/history-candles", **query, before=NOON - 4 * MINUTE, after=NOON - MINUTE)
    assert [int(row[0]) for row in between["data"]] == [NOON - 2 * MINUTE, NOON - 3 * MINUTE]
    contracts, base, quote = map(float, between["data"][0][5:8])
    assert base == pytest.approx(contracts * 0.01)
    assert float(between["data"][0][3]) <= quote / base <= float(between["data"][0][2])
    unknown = get(double, "okx/api/v5/market/candles", instId="NO-USDT-SWAP")
    assert (unknown["code"], unknown["data"]) == ("51001", [])


def test_hyperliquid_answers_by_type(double: Double) -> None:
    asked = {"coin": "BTC", "interval": "1m", "startTime": NOON - MINUTE, "endTime": NOON}
    rows = post(double, "hyperliquid/info", {"type": "candleSnapshot", "req": asked})
    assert [(row["t"], row["T"], row["s"], row["i"]) for row in rows] == [
        (NOON - MINUTE, NOON - 1, "BTC", "1m"),
        (NOON, NOON + MINUTE - 1, "BTC", "1m"),
    ]
    meta, contexts = post(double, "hyperliquid/info", {"type": "metaAndAssetCtxs"})
    assert [len(meta["universe"]), len(contexts)] == [3, 3]
    assert len(post(double, "hyperliquid/info", {"type": "l2Book", "coin": "ETH"})["levels"][0]) == 20
    for body, status in (({"type": "candleSnapshot", "req": {**asked, "coin": "NO"}}, 500), ({"type": "no"}, 422)):
        with pytest.raises(HTTPError) as caught:
            post(double, "hyperliquid/info", body)
        assert caught.value.code == status
