"""Binance's two futures APIs: what their answers become. The numbers are made up, the shapes are the venue's."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from market.contracts import Brackets
from market.series import ACCOUNT_RATIO, BAR, DEPTH, FUNDING, OPEN_INTEREST, validate
from market.sources.base import Budget, InstrumentFacts
from market.sources.binance import SOURCE as USD_M
from market.sources.binance_coin_m import SOURCE as COIN_M
from tests.market.venues.canned import Canned, expect, said, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from market.series import SeriesName
    from market.sources.base import Part, Venue

NAN = math.nan
MIDNIGHT = 1_767_225_600_000  # 2026-01-01
MINUTE, STEP, HOUR = 60_000, 300_000, 3_600_000
NOW = MIDNIGHT + 133_000
LATER = MIDNIGHT + 5 * HOUR
ANSWERS = (
    "exchangeInfo", "klines", "markPriceKlines", "openInterestHist", "fundingRate", "fundingInfo",
    "globalLongShortAccountRatio", "depth",
)  # fmt: skip


def serve(slug: str) -> Iterator[Canned]:
    said_by = said(slug)
    with serving() as canned:
        for name in ANSWERS:
            canned.put(name, said_by[name])
        yield canned


@pytest.fixture
def linear() -> Iterator[Canned]:
    yield from serve("binance")


@pytest.fixture
def inverse() -> Iterator[Canned]:
    yield from serve("binance-coin-m")


def ask(
    canned: Canned, venue: Venue, series: SeriesName, *, since: int = MIDNIGHT, until: int = NOW, now: int = NOW
) -> Part:
    symbol, size = ("BTCUSDT", 1.0) if venue is USD_M else ("BTCUSD_PERP", 100.0)
    connection = canned.connect(venue)
    return connection.read(series=series, symbol=symbol, contract_size=size, since_ms=since, until_ms=until, now_ms=now)


@pytest.mark.parametrize(("venue", "slug", "name"), [(USD_M, "binance", "USD-M"), (COIN_M, "binance-coin-m", "COIN-M")])
def test_presents_itself(venue: Venue, slug: str, name: str) -> None:
    assert (venue.slug, venue.name, venue.is_simulated) == (slug, f"Binance {name}", False)
    # general-info: "REQUEST_WEIGHT, MINUTE, 2400".
    # Open-Interest-Statistics, Long-Short-Ratio: "1000 requests/5min"; Get-Funding-Rate-History: "500/5min/IP".
    apart = {"statistics": Budget(weight=1000, window_s=300), "funding": Budget(weight=500, window_s=300)}
    assert venue.budget == Budget(weight=2400, window_s=60, apart=apart)
    assert venue.liquidation_sampling == "latest per second"
    assert venue.streams == {"bars", "liquidations"}
    assert {series for series, offer in venue.offers.items() if offer.is_snapshot} == {"depth"}


@pytest.mark.parametrize(
    ("series", "limit"),
    [("open_interest", "statistics"), ("account_ratio", "statistics"), ("funding", "funding"), ("bars", "")],
)
def test_statistics_have_limits_of_their_own(linear: Canned, series: SeriesName, limit: str) -> None:
    ask(linear, USD_M, series)
    assert set(linear.gate.limits) == {limit}


def test_linear_contracts_are_listed_with_multiple_and_status(linear: Canned) -> None:
    assert linear.connect(USD_M).instruments() == (
        InstrumentFacts("BTCUSDT", "BTC", "USDT", "linear", 1.0, "0.10", "0.001", "BTC", 1, is_trading=True),
        InstrumentFacts(
            "1000PEPEUSDT", "1000PEPE", "USDT", "linear", 1.0, "0.0000001", "1", "PEPE", 1000, is_trading=True
        ),
        InstrumentFacts("OLDUSDC", "OLD", "USDC", "linear", 1.0, "0.0010", "1", "OLD", 1, is_trading=False),
    )
    assert linear.gate.asked == [1]


def test_inverse_contracts_are_listed_with_their_size_in_usd(inverse: Canned) -> None:
    assert inverse.connect(COIN_M).instruments() == (
        InstrumentFacts("BTCUSD_PERP", "BTC", "USD", "inverse", 100.0, "0.1", "1", "BTC", 1, is_trading=True),
        InstrumentFacts("ETHUSD_PERP", "ETH", "USD", "inverse", 10.0, "0.01", "1", "ETH", 1, is_trading=False),
    )


def test_linear_bars_are_base_quote_and_taker_base(linear: Canned) -> None:
    part = ask(linear, USD_M, "bars")
    # The third has not closed. Volume and what takers bought in BTC, quote volume in USDT.
    expect(
        part, BAR,
        (MIDNIGHT, 87350.0, 87390.0, 87340.1, 87380.1, 14.5, 1266770.0, 6.25),
        (MIDNIGHT + MINUTE, 87380.1, 87412.9, 87371.0, 87410.5, 20.0, 1748000.0, 12.0),
    )  # fmt: skip
    assert (part.timeframe, part.covered, part.faults) == (60, (MIDNIGHT, NOW), ())
    assert linear.questions == [
        {"symbol": "BTCUSDT", "interval": "1m", "startTime": str(MIDNIGHT), "endTime": str(NOW - 1), "limit": "3"}
    ]


def test_inverse_bars_turn_contracts_into_coins(inverse: Canned) -> None:
    part = ask(inverse, COIN_M, "bars")
    # 4,000 contracts of 100 USD are 400,000 USD or 5 BTC at 80,000; takers bought 1,600 of them, 2 BTC.
    expect(
        part, BAR,
        (MIDNIGHT, 80000.0, 80100.0, 79900.0, 80000.0, 5.0, 400_000.0, 2.0),
        (MIDNIGHT + MINUTE, 80000.0, 80000.0, 80000.0, 80000.0, 1.0, 80_000.0, 0.1),
    )  # fmt: skip


def test_mark_bars_have_no_volume(linear: Canned, inverse: Canned) -> None:
    for canned, venue, close in ((linear, USD_M, 87381.22), (inverse, COIN_M, 80002.0)):
        rows = ask(canned, venue, "mark_bars").rows
        assert rows["close"][0] == close
        for name in ("volume", "quote_volume", "taker_buy_volume"):
            assert all(map(math.isnan, rows[name]))
        assert validate(rows, now_ms=NOW, timeframe=60, is_mark=True).rejected == ()


def test_linear_open_interest_is_base_with_its_value(linear: Canned) -> None:
    part = ask(linear, USD_M, "open_interest", until=LATER, now=LATER)
    # sumOpenInterest in BTC, sumOpenInterestValue in USDT; the mark price is not told.
    expect(
        part, OPEN_INTEREST,
        (MIDNIGHT, 51250.059, 4478000000.25, NAN),
        (MIDNIGHT + STEP, 51302.441, 4483100000.5, NAN),
    )  # fmt: skip
    assert linear.questions[0]["symbol"] == "BTCUSDT"
    assert part.covered == (MIDNIGHT, LATER)


def test_inverse_open_interest_is_the_coins_behind_the_contracts(inverse: Canned) -> None:
    part = ask(inverse, COIN_M, "open_interest", until=LATER, now=LATER)
    # 8,000,000 contracts of 100 USD are 800,000,000 USD, and the venue says 10,000 BTC of them.
    expect(part, OPEN_INTEREST, (MIDNIGHT, 10_000.0, 800_000_000.0, NAN))
    asked = inverse.questions[0]
    assert (asked["pair"], asked["contractType"], asked["period"]) == ("BTCUSD", "PERPETUAL", "5m")


def test_funding_bears_the_distance_to_the_one_before(linear: Canned) -> None:
    part = ask(linear, USD_M, "funding", until=LATER, now=LATER)
    expect(part, FUNDING, (MIDNIGHT, -0.00002511, 28_800.0), (MIDNIGHT + 4 * HOUR, 0.00004, 14_400.0))
    assert linear.questions[0]["startTime"] == str(MIDNIGHT - 16 * HOUR)
    # The last distance is another than the one before, so that the venue's list of intervals was asked, too.
    assert linear.gate.asked == [USD_M.offers["funding"].weight] * 2


def test_a_distance_that_nobody_confirms_is_no_interval(linear: Canned) -> None:
    paid = said("binance")["fundingRate"]
    linear.put("fundingRate", paid[1:])
    part = ask(linear, USD_M, "funding", until=LATER, now=LATER)
    expect(part, FUNDING, (MIDNIGHT, -0.00002511, NAN), (MIDNIGHT + 4 * HOUR, 0.00004, 14_400.0))
    linear.put("fundingInfo", {"renamed": 1})
    linear.put("fundingRate", paid[:3])
    expect(ask(linear, USD_M, "funding", until=LATER, now=LATER), FUNDING, (MIDNIGHT, -0.00002511, 28_800.0))


def test_first_funding_has_no_interval_that_anybody_told(inverse: Canned) -> None:
    part = ask(inverse, COIN_M, "funding", since=MIDNIGHT - 8 * HOUR)
    expect(part, FUNDING, (MIDNIGHT - 8 * HOUR, 0.0001, NAN), (MIDNIGHT, -0.00002511, 28_800.0))


def test_account_ratio_is_longs_over_shorts(linear: Canned, inverse: Canned) -> None:
    part = ask(linear, USD_M, "account_ratio", until=LATER, now=LATER)
    expect(part, ACCOUNT_RATIO, (MIDNIGHT, 1.7778), (MIDNIGHT + STEP, 1.0))
    expect(ask(inverse, COIN_M, "account_ratio", until=LATER, now=LATER), ACCOUNT_RATIO, (MIDNIGHT, 1.7778))


def test_linear_depth_is_price_times_base(linear: Canned) -> None:
    part = ask(linear, USD_M, "depth")
    bid_10 = 99_990 * 1.5 + 99_950 * 2
    bid_25 = bid_10 + 99_850 * 4
    ask_10 = 100_010 * 0.5 + 100_060 * 3
    ask_50 = ask_10 + 100_300 * 2
    expect(
        part, DEPTH,
        (
            MIDNIGHT + 2 * MINUTE, 100_000.0,
            bid_10, bid_25, bid_25, NAN, NAN, NAN,
            ask_10, ask_10, ask_50, NAN, NAN, NAN,
        ),
    )  # fmt: skip
    assert part.covered is None


def test_inverse_depth_is_contracts_times_their_size(inverse: Canned) -> None:
    row = ask(inverse, COIN_M, "depth").rows[0]
    assert (row["mid"], row["bid_10"], row["bid_50"], row["bid_100"]) == (80_000.0, 1000.0, 3000.0, 3000.0)
    assert math.isnan(row["ask_10"])  # the deepest ask lies 1.25 bp away
    assert math.isnan(row["bid_200"])


def test_brackets_bear_the_day_they_are_known_of(linear: Canned, inverse: Canned) -> None:
    connection = linear.connect(USD_M)
    for symbol, count, most in (("BTCUSDT", 12, 125.0), ("ETHUSDT", 12, 125.0), ("SOLUSDT", 10, 100.0)):
        rows = connection.brackets(symbol=symbol)
        assert (len(rows), rows[0].max_leverage, {row.as_of for row in rows}) == (count, most, {dt.date(2024, 10, 24)})
        columns = [
            np.array([getattr(row, name) for row in rows], dtype=np.float64)
            for name in ("floor", "max_leverage", "maintenance_rate")
        ]
        Brackets(*columns)  # refuses a table that can't be one
    assert connection.brackets(symbol="DOGEUSDT") == ()
    assert inverse.connect(COIN_M).brackets(symbol="BTCUSD_PERP") == ()
    assert linear.questions == inverse.questions == []


@pytest.mark.parametrize(("minutes", "limit", "weight"), [(1, 2, 1), (98, 99, 1), (99, 100, 2), (600, 601, 5)])
def test_small_questions_cost_less(linear: Canned, minutes: int, limit: int, weight: int) -> None:
    ask(linear, USD_M, "bars", until=MIDNIGHT + minutes * MINUTE, now=LATER * 2)
    assert (linear.questions[0]["limit"], linear.gate.asked) == (str(limit), [weight])


def test_pages_hold_no_more_than_the_venue_gives(linear: Canned) -> None:
    later = MIDNIGHT + 100 * 24 * HOUR
    for series, rows, step in (("bars", 1000, MINUTE), ("open_interest", 500, STEP), ("account_ratio", 500, STEP)):
        part = ask(linear, USD_M, series, since=MIDNIGHT, until=later, now=later)  # type: ignore[arg-type]
        assert part.covered == (MIDNIGHT, MIDNIGHT + rows * step)
        asked = linear.questions[-1]
        assert (asked["limit"], asked["endTime"]) == (str(rows), str(MIDNIGHT + rows * step - 1))


def test_bar_is_open_while_the_venues_clock_says_so(linear: Canned) -> None:
    linear.headers = {"Date": "Thu, 01 Jan 2026 00:01:30 GMT"}  # ours is half an hour ahead
    part = ask(linear, USD_M, "bars", until=MIDNIGHT + 30 * MINUTE, now=MIDNIGHT + 30 * MINUTE)
    assert part.rows["open_time"].tolist() == [MIDNIGHT]
    assert part.covered == (MIDNIGHT, MIDNIGHT + MINUTE)  # the bar that is open will be asked for whole
