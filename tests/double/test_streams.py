"""The websockets: acknowledgements, pings, what is pushed and when, and what can go wrong with them."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import aiohttp
import pytest

from tests.double import ManualClock, serve, synthetic_market, truth, whenever
from tests.double.catalogue import FAULTS
from tests.double.tape import DAY, HOUR, MINUTE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from tests.double import Double

NOON: Final = 20_440 * DAY + 12 * HOUR
NOW: Final = NOON + 30_000
STALLED_S: Final = 0.5
SYMBOLS: Final = {"binance": "BTCUSDT", "bybit": "BTCUSDT", "okx": "BTC-USDT-SWAP", "hyperliquid": "BTC"}
PATHS: Final = {
    "binance": "market/ws/0",
    "bybit": "v5/public/linear",
    "okx": "ws/v5/business",
    "hyperliquid": "ws",
}
BARS: Final[dict[str, Any]] = {
    "binance": {"method": "SUBSCRIBE", "params": ["btcusdt@kline_1m", "ethusdt@kline_1m"], "id": 7},
    "bybit": {"op": "subscribe", "args": ["kline.1.BTCUSDT", "kline.1.ETHUSDT"], "req_id": "7"},
    "okx": {"op": "subscribe", "args": [
        {"channel": "candle1m", "instId": "BTC-USDT-SWAP"}, {"channel": "candle1m", "instId": "ETH-USDT-SWAP"},
    ]},
    "hyperliquid": {"method": "subscribe", "subscription": {"type": "candle", "coin": "BTC", "interval": "1m"}},
}  # fmt: skip
ACKS: Final[dict[str, Callable[[Any], bool]]] = {
    "binance": lambda told: told == {"result": None, "id": 7},
    "bybit": lambda told: (told.get("success"), told.get("req_id"), told.get("op")) == (True, "7", "subscribe"),
    "okx": lambda told: (told.get("event"), told["arg"]) == ("subscribe", BARS["okx"]["args"][0]),
    "hyperliquid": lambda told: told == {"channel": "subscriptionResponse", "data": BARS["hyperliquid"]},
}


@pytest.fixture
def double() -> Iterator[Double]:
    with serve(market=synthetic_market(2, prints_per_day=20_000), clock=ManualClock(NOW)) as double:
        yield double


def talk(
    double: Double, slug: str, use: Callable[[aiohttp.ClientWebSocketResponse], Awaitable[None]], path: str = ""
) -> None:
    """Open a websocket and use it."""

    async def run() -> None:
        address = f"{double.address}/{slug}/{path or PATHS[slug]}"
        async with aiohttp.ClientSession() as session, session.ws_connect(address, autoping=False) as socket:
            await use(socket)

    asyncio.run(run())


async def heard(socket: aiohttp.ClientWebSocketResponse, seconds: float = 0.15) -> list[Any]:
    """Read until it is silent; "pong" of the protocol and a closed connection are told by their names."""
    found: list[Any] = []
    while True:
        try:
            message = await socket.receive(timeout=seconds)
        except TimeoutError:
            return found
        if message.type is not aiohttp.WSMsgType.TEXT:
            found.append(message.type.name)
            if socket.closed or message.type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}:
                return found
            continue
        found.append("pong" if message.data == "pong" else json.loads(message.data))


async def pass_minutes(double: Double, minutes: int) -> None:
    """Let virtual minutes go by, each until it is pushed; one that a fault keeps back is not waited for for long."""
    for _ in range(minutes):
        now = double.clock.advance(minutes=1)  # type: ignore[union-attr]
        await asyncio.to_thread(whenever, partial(double.has_told, now), seconds=STALLED_S)


def closed_bars(slug: str, messages: list[Any]) -> list[tuple[int, float, float]]:
    """Return (open time, close, volume) of the bars of BTC that are said to be closed; Hyperliquid does not say."""
    found = []
    for told in messages:
        if slug == "binance" and told.get("e") == "kline" and told["k"]["x"] and told["s"] == "BTCUSDT":
            found.append((told["k"]["t"], told["k"]["c"], told["k"]["v"]))
        if slug == "bybit" and told.get("topic") == "kline.1.BTCUSDT" and told["data"][0]["confirm"]:
            found.append(tuple(told["data"][0][name] for name in ("start", "close", "volume")))
        if slug == "okx" and "data" in told and told["arg"]["instId"].startswith("BTC") and told["data"][0][-1] == "1":
            found.append((told["data"][0][0], told["data"][0][4], told["data"][0][6]))
        if slug == "hyperliquid" and told.get("channel") == "candle":
            found.append((told["data"]["t"], told["data"]["c"], told["data"]["v"]))
    return [(int(time), float(close), float(volume)) for time, close, volume in found]


@pytest.mark.parametrize("slug", PATHS)
def test_closed_bars_are_pushed_once_and_true(double: Double, slug: str) -> None:
    async def use(socket: aiohttp.ClientWebSocketResponse) -> None:
        await socket.send_json(BARS[slug])
        assert ACKS[slug]((await heard(socket))[0])
        await pass_minutes(double, 5)
        told = closed_bars(slug, await heard(socket))
        if slug == "hyperliquid":  # the last word on a minute is the closed bar
            told = list({bar[0]: bar for bar in told if bar[0] < NOON + 5 * MINUTE}.values())
        listing, now = double.market.listing(slug, SYMBOLS[slug]), double.clock.now_ms()
        expected = truth.bars(listing, since=NOON, until=now, now=now)
        assert told == [(bar.open_time, bar.close, bar.volume) for bar in expected]
        assert len(told) == 5
        assert list(double.acknowledged[slug, SYMBOLS[slug], "bars"]) == [bar.open_time for bar in expected]
        assert double.websockets(slug) == 1

    talk(double, slug, use)
    assert whenever(lambda: double.websockets(slug) == 0)


LIQUIDATIONS: Final = {
    "binance": ("market/ws", {"method": "SUBSCRIBE", "params": ["btcusdt@forceOrder"], "id": 1}),
    "bybit": ("v5/public/linear", {"op": "subscribe", "args": ["allLiquidation.BTCUSDT"]}),
    "okx": ("ws/v5/public", {"op": "subscribe", "args": [{"channel": "liquidation-orders", "instType": "SWAP"}]}),
}


def liquidated(slug: str, messages: list[Any]) -> list[tuple[int, str, float, float]]:
    """Return (time, side of the position, price, size in base) of BTC."""
    found: list[tuple[Any, ...]] = []
    for told in messages:
        if slug == "binance" and told.get("e") == "forceOrder":
            order = told["o"]
            found.append((order["T"], {"SELL": "LONG", "BUY": "SHORT"}[order["S"]], order["ap"], order["q"]))
        if slug == "bybit" and "topic" in told:
            found += [
                (row["T"], {"Buy": "LONG", "Sell": "SHORT"}[row["S"]], row["p"], row["v"]) for row in told["data"]
            ]
        if slug == "okx" and "data" in told and told["data"][0]["instId"] == "BTC-USDT-SWAP":
            detail = told["data"][0]["details"][0]
            found.append((detail["ts"], detail["posSide"].upper(), detail["bkPx"], float(detail["sz"]) * 0.01))
    return [(int(time), side, float(price), round(float(size), 6)) for time, side, price, size in found]


@pytest.mark.parametrize("slug", LIQUIDATIONS)
def test_liquidations_are_what_the_venue_publishes(double: Double, slug: str) -> None:
    path, request = LIQUIDATIONS[slug]

    async def use(socket: aiohttp.ClientWebSocketResponse) -> None:
        await socket.send_json(request)
        await heard(socket)
        await pass_minutes(double, 10)
        told = liquidated(slug, await heard(socket))
        listing = double.market.listing(slug, SYMBOLS[slug])
        expected = truth.liquidations(listing, since=NOW, until=double.clock.now_ms())
        assert told == [(row.time, row.position_side, row.price, round(row.quantity, 6)) for row in expected]
        everything = listing.tape.rows("prints", NOW, double.clock.now_ms())
        assert (len(told) > 90, len(told) == len(everything)) == (True, slug == "bybit")
        assert len(double.acknowledged[slug, SYMBOLS[slug], "liquidations"]) == len(told)

    talk(double, slug, use, path)


PINGS: Final = {"bybit": ({"op": "ping"}, "pong"), "okx": ("ping", "pong"), "hyperliquid": ({"method": "ping"}, "pong")}


@pytest.mark.parametrize("slug", PATHS)
def test_pings_are_answered_unless_the_connection_is_stalled(double: Double, slug: str) -> None:
    async def ping(socket: aiohttp.ClientWebSocketResponse) -> list[Any]:
        await socket.ping(b"1")
        if slug in PINGS:
            message = PINGS[slug][0]
            await (socket.send_str(message) if isinstance(message, str) else socket.send_json(message))
        return await heard(socket)

    async def use(socket: aiohttp.ClientWebSocketResponse) -> None:
        told = await ping(socket)
        assert (told[0], "pong" in json.dumps(told[1:])) == ("PONG", slug in PINGS)
        double.inject(FAULTS["silent_stall"](slug=slug))
        await socket.send_json(BARS[slug])
        assert await ping(socket) == []
        await pass_minutes(double, 2)
        assert (await heard(socket), double.websockets(slug)) == ([], 1)

    talk(double, slug, use)


@pytest.mark.parametrize("slug", PATHS)
def test_a_lost_acknowledgement_leaves_nothing_subscribed(double: Double, slug: str) -> None:
    async def use(socket: aiohttp.ClientWebSocketResponse) -> None:
        double.inject(FAULTS["ack_missing"](slug=slug))
        await socket.send_json(BARS[slug])
        await pass_minutes(double, 2)
        assert await heard(socket) == []
        await socket.send_json(BARS[slug])
        assert ACKS[slug]((await heard(socket))[0])

    talk(double, slug, use)


def test_a_quiet_market_still_closes_bars_and_answers(double: Double) -> None:
    async def use(socket: aiohttp.ClientWebSocketResponse) -> None:
        double.inject(FAULTS["quiet_market"](slug="binance"))
        names = ["btcusdt@kline_1m", "btcusdt@forceOrder", "btcusdt@markPrice@1s"]
        await socket.send_json({"method": "SUBSCRIBE", "params": names, "id": 1})
        await pass_minutes(double, 3)
        assert [told.get("e", "ack") for told in await heard(socket)] == ["ack", "kline", "kline", "kline"]
        await socket.ping()
        assert await heard(socket) == ["PONG"]

    talk(double, "binance", use)


def test_the_connection_is_cut_in_the_middle_of_a_minute(double: Double) -> None:
    async def use(socket: aiohttp.ClientWebSocketResponse) -> None:
        await socket.send_json(BARS["binance"])
        await heard(socket)
        double.inject(FAULTS["disconnect_mid_batch"](slug="binance", on="ws.bars"))
        await pass_minutes(double, 1)
        told = await heard(socket)
        assert (told[0]["s"], told[0]["k"]["x"], told[-1] in {"CLOSED", "ERROR", "CLOSE"}) == ("BTCUSDT", True, True)
        assert ("binance", "ETHUSDT", "bars") not in double.acknowledged

    talk(double, "binance", use)
    assert whenever(lambda: double.websockets("binance") == 0)
    assert double.ledger.connects == [(NOW, "binance", PATHS["binance"])]


def test_frames_come_twice_late_and_in_reverse(double: Double) -> None:
    async def use(socket: aiohttp.ClientWebSocketResponse) -> None:
        await socket.send_json(BARS["binance"])
        assert ACKS["binance"](await socket.receive_json(timeout=10))
        for name in ("duplicate_row", "out_of_order", "late_row"):
            double.inject(FAULTS[name](slug="binance", on="ws.bars"))
            await pass_minutes(double, 1)
            double.clear() if name != "late_row" else None
        await pass_minutes(double, 1)
        told = [(told["s"][0], (told["k"]["t"] - NOON) // MINUTE) for told in await heard(socket) if told["k"]["x"]]
        assert told == [
            ("B", 0), ("B", 0), ("E", 0), ("E", 0),
            ("E", 1), ("B", 1),
            ("E", 2), ("B", 3), ("E", 3), ("B", 2),
        ]  # fmt: skip

    talk(double, "binance", use)


def test_combined_streams_name_themselves_and_connections_can_be_dropped(double: Double) -> None:
    async def use(socket: aiohttp.ClientWebSocketResponse) -> None:
        await pass_minutes(double, 1)
        told = await heard(socket)
        assert {message["stream"] for message in told} == {"btcusdt@kline_1m", "ethusdt@markPrice@1s"}
        assert {message["data"]["e"] for message in told} == {"kline", "markPriceUpdate"}
        assert await asyncio.to_thread(double.drop_connections, "binance") == 1
        assert (await heard(socket))[-1] in {"CLOSED", "ERROR", "CLOSE"}

    talk(double, "binance", use, "stream?streams=btcusdt@kline_1m/ethusdt@markPrice@1s")
