"""Binance's two futures APIs: what their servers really sent."""

from __future__ import annotations

import csv
import gzip
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from market.series import BAR, DEPTH_BPS, FUNDING, LIQUIDATION, OPEN_INTEREST, validate
from market.sources.base import Heard
from market.sources.binance import SOURCE as USD_M
from market.sources.binance_coin_m import SOURCE as COIN_M
from tests.market.venues.canned import Canned, expect, serving
from tests.recordings import RECORDINGS, needs_recordings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from market.series import SeriesName
    from market.sources.base import Part, Venue

pytestmark = needs_recordings
TAPES: dict[Venue, str] = {USD_M: "BINANCE_FUTURES", COIN_M: "BINANCE_DELIVERY"}
BOTH = pytest.mark.parametrize("venue", list(TAPES), ids=lambda venue: venue.slug)


def tape(venue: Venue, part: str) -> list[tuple[str, str]]:
    """Return (what was asked, what came) of one recording: "address -> time: answer" and "time: message"."""
    raw = gzip.decompress((RECORDINGS / "recordings-cryptofeed" / f"{TAPES[venue]}.{part}.gz").read_bytes())
    parted = [line.partition(": ") for line in raw.decode().splitlines() if ": {" in line]
    return [(head.partition(" -> ")[0], body) for head, _, body in parted]


def answers(venue: Venue, part: str, word: str) -> dict[str, Any]:
    return {head: json.loads(body) for head, body in tape(venue, part) if word in head}


def fixture(*path: str) -> Any:  # noqa: ANN401 whatever JSON holds
    return json.loads((RECORDINGS / "fixtures-nautilus" / "binance").joinpath(*path).read_text())


@pytest.fixture
def canned() -> Iterator[Canned]:
    with serving() as server:
        yield server


def listed(canned: Canned, venue: Venue) -> dict[str, Any]:
    (info,) = answers(venue, "0", "exchangeInfo").values()
    canned.put("exchangeInfo", info)
    return {facts.symbol: facts for facts in canned.connect(venue).instruments()}


def ask(canned: Canned, series: SeriesName, *, since: int, symbol: str = "BTCUSDT", venue: Venue = USD_M) -> Part:
    """Ask as of long after, from shortly before the rows, for a page does not reach farther."""
    return canned.connect(venue).read(
        series=series,
        symbol=symbol,
        contract_size=size_of(symbol),
        since_ms=since,
        until_ms=since + 50_000_000,
        now_ms=1_800_000_000_000,
    )


def size_of(symbol: str) -> float:
    """Return what a contract is worth: of inverse ones 100 USD where it is about Bitcoin, else 10; or 1 in base."""
    if "USD_" not in symbol:
        return 1.0
    return 100.0 if symbol.startswith("BTC") else 10.0


def test_linear_list_is_read(canned: Canned) -> None:
    facts = listed(canned, USD_M)
    assert len(facts) > 80
    assert {fact.contract_type for fact in facts.values()} == {"linear"}
    assert {fact.quote for fact in facts.values()} == {"USDT"}
    assert (facts["1000SHIBUSDT"].underlying, facts["1000SHIBUSDT"].multiple) == ("SHIB", 1000)
    assert (facts["BTCUSDT"].tick_size, facts["BTCUSDT"].lot_size) == ("0.01", "0.001")


def test_inverse_list_is_read(canned: Canned) -> None:
    facts = listed(canned, COIN_M)
    assert {fact.contract_size for symbol, fact in facts.items() if symbol != "BTCUSD_PERP"} == {10.0}
    btc = facts["BTCUSD_PERP"]
    assert (btc.contract_size, btc.base, btc.quote, btc.contract_type) == (100.0, "BTC", "USD", "inverse")
    assert all(symbol.endswith("_PERP") for symbol in facts)


@BOTH
def test_recorded_books_become_depth(canned: Canned, venue: Venue) -> None:
    books = answers(venue, "http.0.0", "/depth?")
    assert len(books) >= 4
    for address, book in books.items():
        symbol = address.partition("symbol=")[2].partition("&")[0]
        canned.put("depth", book)
        part = ask(canned, "depth", since=0, symbol=symbol, venue=venue)
        assert (part.faults, len(part.rows)) == ((), 1)
        (row,) = part.rows
        assert row["mid"] == (float(book["bids"][0][0]) + float(book["asks"][0][0])) / 2
        for name, levels in (("bid", book["bids"]), ("ask", book["asks"])):
            shown = [row[f"{name}_{bps}"] for bps in DEPTH_BPS if not math.isnan(row[f"{name}_{bps}"])]
            assert shown == sorted(shown)
            whole = sum(
                float(amount) * (size_of(symbol) if venue is COIN_M else float(price)) for price, amount in levels
            )
            assert not shown or shown[-1] <= whole * (1 + 1e-9)


@BOTH
def test_recorded_klines_are_open_bars_whose_volumes_go_with_their_prices(venue: Venue) -> None:
    events = [json.loads(body)["data"] for _, body in tape(venue, "ws.1.0") if '"kline"' in body]
    assert len(events) > 20
    channel = venue.channels({event["k"]["s"]: size_of(event["k"]["s"]) for event in events})[0]
    assert {venue.hear(event, channel=channel) == Heard() for event in events if not event["k"]["x"]} == {True}
    for event in events:
        kline = event["k"]
        closed = {**event, "E": kline["T"] + 5, "k": {**kline, "x": True}}
        ((symbol, series, part),) = venue.hear(closed, channel=channel).parts
        assert (symbol, series, part.faults, len(part.rows)) == (kline["s"], "bars", (), 1)
        (row,) = part.rows
        # The unit of each volume shows: what was paid over what was traded is a price of that minute.
        paid = row["quote_volume"] / row["volume"]
        assert row["low"] * 0.999 <= paid <= row["high"] * 1.001
        assert 0 <= row["taker_buy_volume"] <= row["volume"]
        assert validate(part.rows, now_ms=kline["T"] + 60_000, timeframe=60).rejected == ()


@BOTH
def test_recorded_streams_of_other_kinds_are_faults(venue: Venue) -> None:
    others = [json.loads(body)["data"] for _, body in tape(venue, "ws.1.0") if '"kline"' not in body]
    channel = venue.channels({"BTCUSDT": 1.0})[0]
    heard = [venue.hear(message, channel=channel) for message in others]
    assert len(heard) > 500
    assert all(one.parts == () and len(one.faults) == 1 for one in heard)


def test_documented_rows_are_read(canned: Canned) -> None:
    folder = ("http_responses",)
    canned.put("openInterestHist", fixture(*folder, "http_futures_market_open_interest_historical.json"))
    expect(
        ask(canned, "open_interest", since=1_583_100_000_000), OPEN_INTEREST,
        (1_583_127_900_000, 20403.637, 150570784.07809979, math.nan),
        (1_583_128_200_000, 20401.367, 149940752.14464448, math.nan),
    )  # fmt: skip
    canned.put("fundingInfo", [])
    canned.put("fundingRate", fixture(*folder, "http_futures_market_funding_rate.json"))
    expect(
        ask(canned, "funding", since=1_570_600_000_000), FUNDING,
        (1_570_608_000_000, -0.0375, math.nan),
        (1_570_636_800_000, 0.0001, 28_800.0),
    )  # fmt: skip
    canned.put("klines", fixture(*folder, "http_futures_market_continuous_klines.json"))
    expect(
        ask(canned, "bars", since=1_607_440_000_000), BAR,
        (1_607_444_700_000, 18879.99, 18900.0, 18878.98, 18896.13, 492.363, 9302145.6608, 385.983),
    )  # fmt: skip


def test_documented_liquidation_closes_a_long() -> None:
    message = fixture("futures", "market_data_json", "liquidation_stream.json")
    channel = USD_M.channels({"BTCUSDT": 1.0})[0]
    ((symbol, series, part),) = USD_M.hear(message, channel=channel).parts
    assert (symbol, series) == ("BTCUSDT", "liquidations")
    expect(part, LIQUIDATION, (1_568_014_460_893, 1, 9910.12345678, 0.014, 0))


def recorded_orders() -> list[dict[str, str]]:
    found = []
    for path in sorted((RECORDINGS / "forceorder-recordings").glob("*.csv")):
        with path.open() as lines:
            found += [row for row in csv.DictReader(lines) if row["average_price"] not in {"", "None"}]
    return found


def test_recorded_liquidations_were_filled_on_this_side_of_bankruptcy() -> None:
    orders = recorded_orders()
    assert len(orders) > 1000
    channel = USD_M.channels({f"{row['symbol']}USDT": 1.0 for row in orders})[0]
    inside = []
    for row in orders:
        symbol = f"{row['symbol']}USDT"
        if symbol not in channel.sizes:
            continue
        order = {
            "s": symbol, "S": row["side"], "o": row["order_type"], "f": row["time_in_force"], "X": row["order_status"],
            "q": row["original_quantity"], "p": row["price"], "ap": row["average_price"],
            "l": row["order_last_filled_quantity"], "z": row["order_filled_accumulated_quantity"],
            "T": int(row["order_trade_time"]),
        }  # fmt: skip
        event = {"e": "forceOrder", "E": order["T"], "o": order}
        ((_, _, part),) = USD_M.hear(event, channel=channel).parts
        assert part.faults == ()
        (told,) = part.rows
        assert (told["price"], told["quantity"]) == (
            float(row["average_price"]),
            float(row["order_filled_accumulated_quantity"]),
        )
        inside.append(told["position_side"] * (told["price"] - float(row["price"])) > 0)
    # A long is sold above its price of bankruptcy, a short bought below: nearly all were, so the sides are right.
    assert np.mean(inside) > 0.95
