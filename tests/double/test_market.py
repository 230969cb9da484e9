"""The market behind the venues: synthetic days, the cut of real candles, and faults that change a contract."""

from __future__ import annotations

import csv
import gzip
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.double import ManualClock, history_market, serve, synthetic_market, truth
from tests.double.catalogue import FAULTS
from tests.double.market import SLUGS
from tests.double.reading import get, post
from tests.double.replay import cut_candles, history_symbols
from tests.double.tape import BARS, DAY, FIVE_MINUTES, HOUR, MINUTE, aggregate
from tests.double.units import Unit
from tests.history import HISTORY, needs_history

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.double import Double

NOON = 20_440 * DAY + 12 * HOUR
NOW = NOON + 30_000
PARTS = ("time", "open", "high", "low", "close", "volume")


@pytest.fixture
def double() -> Iterator[Double]:
    with serve(market=synthetic_market(2), clock=ManualClock(NOW)) as double:
        yield double


@pytest.mark.parametrize(
    ("step", "count", "text"),
    [("0.1", 5, "0.5"), ("0.10", -123, "-12.3"), ("0.001", 1, "0.001"), ("1000", 3, "3000"), ("1", 0, "0")],
)
def test_units_write_every_place(step: str, count: int, text: str) -> None:
    unit = Unit.of(step)
    assert (unit.text(count), unit.count(text)) == (text, count)


def test_synthetic_days_join_and_are_the_same_again() -> None:
    first, second = (synthetic_market(1).listing("binance", "BTCUSDT").tape for _ in range(2))
    bars = first.rows("bars", NOON, NOON + 2 * DAY)
    assert (bars == second.rows("bars", NOON, NOON + 2 * DAY)).all()
    assert (bars["open"][1:] == bars["close"][:-1]).all()
    assert (np.diff(bars["time"]) == MINUTE).all()
    assert ((bars["low"] > 0) & (bars["low"] <= np.minimum(bars["open"], bars["close"]))).all()
    assert (bars["high"] >= np.maximum(bars["open"], bars["close"])).all()
    other = synthetic_market(1, seed=8).listing("binance", "BTCUSDT").tape.rows("bars", NOON, NOON + DAY)
    assert (other["close"] != bars["close"][:1440]).any()


def test_six_hundred_contracts_are_cheap() -> None:
    market, started = synthetic_market(600, slugs=["binance"]), time.process_time()
    rows = [
        listing.bars(since=NOON, until=NOON + HOUR, now=NOON + DAY) for listing in market.listings["binance"].values()
    ]
    assert ({len(bars) for bars in rows}, time.process_time() - started < 5) == ({60}, True)


def test_cut_candles_add_up_exactly() -> None:
    random = np.random.default_rng(3)
    candles = np.zeros(2_000, BARS)
    candles["time"] = NOON + FIVE_MINUTES * np.arange(2_000)
    candles["open"], candles["close"] = random.integers(900, 1_100, (2, 2_000))
    candles["high"] = np.maximum(candles["open"], candles["close"]) + random.integers(0, 40, 2_000)
    candles["low"] = np.minimum(candles["open"], candles["close"]) - random.integers(0, 40, 2_000)
    candles["volume"] = random.integers(0, 12, 2_000)
    bars = cut_candles(candles, random)
    joined = aggregate(bars, 5)
    assert [name for name in PARTS if (joined[name] != candles[name]).any()] == []
    assert ((bars["high"] >= bars["low"]) & (bars["volume"] >= 0) & (bars["taker"] <= bars["volume"])).all()
    thin = np.repeat(candles["volume"] < 5, 5)
    assert (bars["volume"][~thin] > 0).all()
    assert 0 < thin.sum() < len(thin)


@needs_history
@pytest.mark.parametrize("symbol", ["BTCUSDT", "ETHUSDT", "SOLUSDT", "DOGEUSDT"])
def test_real_history_is_replayed_exactly(symbol: str) -> None:
    since, until = 1_764_547_200_000, 1_764_547_200_000 + 30 * DAY
    market = history_market(HISTORY, symbols=[symbol])
    with serve(market=market, clock=ManualClock(until)) as double:
        found: list[list[float]] = []
        while len(found) < 8_640:
            query = {"symbol": symbol, "interval": "5m", "startTime": since + len(found) * FIVE_MINUTES, "limit": 1500}
            found += [list(map(float, row[:6])) for row in get(double, "binance/fapi/v1/klines", **query)]
        query = {"symbol": symbol, "period": "5m", "startTime": since, "endTime": since + DAY, "limit": 500}
        interest = get(double, "binance/futures/data/openInterestHist", **query)
    with gzip.open(HISTORY / f"{symbol}-candles-5m.csv.gz", "rt") as lines:
        candles = [list(map(float, row)) for row in list(csv.reader(lines))[1:8_641]]
    assert found[:8_640] == candles
    with gzip.open(HISTORY / f"{symbol}-open-interest-5m.csv.gz", "rt") as lines:
        samples = [list(map(float, row[:2])) for row in list(csv.reader(lines))[1:289]]
    told = [[float(row["timestamp"]), float(row["sumOpenInterest"])] for row in interest]
    assert told == [row for row in samples if row[0] <= since + DAY]
    listing = market.listing("binance", symbol)
    assert [row.hours for row in truth.funding(listing, since=since, until=since + DAY - 1)] == [8] * 3


@needs_history
def test_every_venue_lists_the_history() -> None:
    market = history_market(HISTORY)
    assert history_symbols(HISTORY) == ["BTCUSDT", "DOGEUSDT", "ETHUSDT", "SOLUSDT"]
    assert set(market.listings["hyperliquid"]) == {"BTC", "DOGE", "ETH", "SOL"}
    assert set(market.listings["binance-coin-m"]) == {"BTCUSD_PERP", "ETHUSD_PERP"}


def test_a_closed_bar_is_revised(double: Double) -> None:
    listing = double.market.listing("binance", "BTCUSDT")
    minutes = [NOON - 3 * MINUTE, NOON - MINUTE]
    was = {bar.open_time: bar for bar in truth.bars(listing, since=minutes[0], until=NOON, now=NOW)}
    double.inject(FAULTS["revised_bar"](slug="binance"))
    changed = []
    for now in (NOW, NOW + 2 * MINUTE):
        double.clock.at_ms = now  # type: ignore[union-attr]
        bars = truth.bars(listing, since=minutes[0], until=NOON, now=now)
        changed.append([bar.open_time for bar in bars if bar != was[bar.open_time]])
        query = {"symbol": "BTCUSDT", "interval": "1m", "startTime": minutes[0], "limit": 3}
        served = get(double, "binance/fapi/v1/klines", **query)
        assert [float(row[4]) for row in served] == [bar.close for bar in bars]
    assert changed == [minutes[:1], minutes]


def test_funding_settles_at_another_interval(double: Double) -> None:
    double.inject(FAULTS["interval_change"]())
    double.clock.advance(minutes=60 * 12)  # type: ignore[union-attr]
    now = double.clock.now_ms()
    firsts = {slug: next(iter(double.market.listings[slug].values())) for slug in SLUGS}
    hours = {
        slug: [row.hours for row in truth.funding(listing, since=NOON, until=now)] for slug, listing in firsts.items()
    }
    assert hours.pop("hyperliquid") == [1, 4, 4, 4]
    assert hours == dict.fromkeys(hours, [1] * 12)
    assert get(double, "binance/fapi/v1/fundingInfo")[0]["fundingIntervalHours"] == 1
    query = {"category": "linear", "symbol": "BTCUSDT"}
    assert get(double, "bybit/v5/market/instruments-info", **query)["result"]["list"][0]["fundingInterval"] == 60


def test_a_multiplier_changes_with_its_announcement(double: Double) -> None:
    listing = double.market.listing("okx", "BTC-USDT-SWAP")
    double.inject(FAULTS["multiplier_change"]())
    sizes = []
    for _ in range(2):
        instrument = get(double, "okx/api/v5/public/instruments", instType="SWAP", instId=listing.symbol)["data"][0]
        row = get(double, "okx/api/v5/market/candles", instId=listing.symbol, limit=2)["data"][1]
        sizes.append((instrument["ctVal"], instrument["lotSz"], round(float(row[6]) / float(row[5]), 6)))
        double.clock.advance(minutes=5)  # type: ignore[union-attr]
    assert sizes == [("0.01", "0.1", 0.01), ("0.1", "0.01", 0.1)]
    told = get(double, "binance/fapi/v1/openInterest", symbol="BTCUSDT")
    linear = double.market.listing("binance", "BTCUSDT")
    one = truth.open_interest(linear, since=NOON, until=double.clock.now_ms(), now=double.clock.now_ms())[-1]
    assert float(told["openInterest"]) == pytest.approx(10 * one.open_interest)


def test_a_contract_ends_and_another_goes_on(double: Double) -> None:
    double.inject(
        FAULTS["delisting"](slug="binance"), FAULTS["rename"](slug="bybit"), FAULTS["rename"](slug="hyperliquid")
    )
    double.clock.advance(minutes=6)  # type: ignore[union-attr]
    states = {row["symbol"]: row["status"] for row in get(double, "binance/fapi/v1/exchangeInfo")["symbols"]}
    assert states == {"BTCUSDT": "TRADING", "ETHUSDT": "SETTLING"}
    last = get(double, "binance/fapi/v1/klines", symbol="ETHUSDT", interval="1m", startTime=NOON - MINUTE)
    assert [row[0] for row in last] == [NOON - MINUTE, NOON, NOON + MINUTE]
    listed = get(double, "bybit/v5/market/instruments-info", category="linear")["result"]["list"]
    assert [row["symbol"] for row in listed] == ["BTCUSDT", "NETHUSDT"]
    query = {"category": "linear", "symbol": "NETHUSDT", "interval": "1", "limit": 1000}
    rows = get(double, "bybit/v5/market/kline", **query)["result"]["list"]
    assert int(rows[-1][0]) == NOON + 2 * MINUTE
    universe = post(double, "hyperliquid/info", {"type": "meta"})["universe"]
    assert [(row["name"], row.get("isDelisted", False)) for row in universe] == [
        ("BTC", False), ("ETH", True), ("NETH", False),
    ]  # fmt: skip


def test_bursts_are_true_and_thinned_where_the_venue_samples(double: Double) -> None:
    double.inject(FAULTS["liquidation_burst"](base="BTC"), FAULTS["same_millisecond"](base="ETH"))
    now = NOW + MINUTE
    counts = {
        slug: [len(truth.liquidations(row, since=NOW, until=now)) for row in double.market.listings[slug].values()]
        for slug in SLUGS
    }
    assert counts == {
        "binance": [3, 2], "binance-coin-m": [3, 2], "bybit": [150, 12], "okx": [3, 2], "hyperliquid": [0, 0],
    }  # fmt: skip
    times = [row.time for row in truth.liquidations(double.market.listing("bybit", "ETHUSDT"), since=NOW, until=now)]
    assert [times.count(moment) for moment in sorted(set(times))] == [4, 4, 4]


def test_the_venues_clock_is_wrong_and_bars_are_not(double: Double) -> None:
    fault = FAULTS["clock_skew"](slug="binance", seed=2)
    double.inject(fault)
    skews = [get(double, "binance/fapi/v1/time")["serverTime"] - NOW]
    skews.append(int(get(double, "okx/api/v5/public/time")["data"][0]["ts"]) - NOW)
    assert (abs(skews[0]) in {90_000, 420_000}, skews[1]) == (True, 0)
    assert get(double, "binance/fapi/v1/klines", symbol="BTCUSDT", interval="1m", limit=1)[0][0] == NOON
