"""Binance's websockets: what their messages become."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from market.series import BAR, LIQUIDATION
from market.sources.base import Heard
from market.sources.binance import SOURCE as USD_M
from market.sources.binance_coin_m import SOURCE as COIN_M
from tests.market.venues.canned import NO_NUMBERS, REMOVED, Renamed, changed, expect, said

if TYPE_CHECKING:
    from market.series import SeriesName
    from market.sources.base import Part

SAID, SAID_INVERSE = said("binance"), said("binance-coin-m")
CHANNEL = USD_M.channels({"BTCUSDT": 1.0, "ETHUSDT": 1.0})[0]
INVERSE = COIN_M.channels({"BTCUSD_PERP": 100.0})[0]
MIDNIGHT = 1_767_225_600_000  # 2026-01-01


def hear(message: object) -> Heard:
    return USD_M.hear(message, channel=CHANNEL)


def only(heard: Heard, series: SeriesName, symbol: str = "BTCUSDT") -> Part:
    ((found, name, part),) = heard.parts
    assert (found, name, heard.faults, heard.confirmed, heard.refused) == (symbol, series, (), frozenset(), "")
    return part


def test_channel_asks_where_klines_and_forced_orders_are_told() -> None:
    # Important-WebSocket-Change-Notice: these two streams of USD-M come from /market since 23 April 2026.
    assert CHANNEL.url == "wss://fstream.binance.com/market/ws"
    assert INVERSE.url == "wss://dstream.binance.com/ws"
    assert CHANNEL.requests == (
        {
            "method": "SUBSCRIBE",
            "params": ["btcusdt@kline_1m", "btcusdt@forceOrder", "ethusdt@kline_1m", "ethusdt@forceOrder"],
            "id": 1,
        },
    )
    assert CHANNEL.topics == {"btcusdt@kline_1m", "btcusdt@forceOrder", "ethusdt@kline_1m", "ethusdt@forceOrder"}
    assert CHANNEL.ping is None  # the venue answers the protocol's own


def test_symbols_are_shared_out_over_sockets_and_requests() -> None:
    sizes = {f"C{number}USDT": 1.0 for number in range(401)}
    channels = USD_M.channels(sizes)
    assert [len(channel.sizes) for channel in channels] == [200, 200, 1]
    # 1,024 streams a connection, ten requests a second.
    assert max(len(channel.topics) for channel in channels) == 400
    assert max(len(channel.requests) for channel in channels) == 8
    for channel in channels:
        assert [request["id"] for request in channel.requests] == list(range(1, len(channel.requests) + 1))
        assert {topic for request in channel.requests for topic in request["params"]} == channel.topics


def test_closed_bar_is_heard() -> None:
    part = only(hear(SAID["ws_kline_closed"]), "bars")
    expect(part, BAR, (MIDNIGHT + 60_000, 87380.1, 87412.9, 87371.0, 87410.5, 20.0, 1748000.0, 12.0))
    assert (part.timeframe, part.covered) == (60, None)
    combined = {"stream": "btcusdt@kline_1m", "data": SAID["ws_kline_closed"]}
    assert len(hear(combined).faults) == 1  # nobody asked for that form


def test_open_bar_is_not_heard() -> None:
    assert hear(SAID["ws_kline_open"]) == Heard()


@pytest.mark.parametrize(("late_ms", "is_bar"), [(0, True), (-999, True), (-1001, False), (-30_000, False)])
def test_bar_that_is_said_to_be_closed_too_early_is_a_fault(late_ms: int, is_bar: bool) -> None:
    end = SAID["ws_kline_closed"]["k"]["T"]
    part = only(hear(changed(SAID["ws_kline_closed"], "E", to=end + late_ms)), "bars")
    assert (len(part.rows), len(part.faults)) == (int(is_bar), int(not is_bar))


def test_inverse_bar_turns_contracts_into_coins() -> None:
    part = only(COIN_M.hear(SAID_INVERSE["ws_kline_closed"], channel=INVERSE), "bars", "BTCUSD_PERP")
    expect(part, BAR, (MIDNIGHT + 60_000, 80000.0, 80100.0, 79900.0, 80000.0, 5.0, 400_000.0, 2.0))


def test_seller_by_force_was_long() -> None:
    part = only(hear(SAID["ws_force_order"]), "liquidations")
    # ap, not the limit p; z, what was filled of all, not q and not l.
    expect(part, LIQUIDATION, (MIDNIGHT + 50_123, 1, 87350.5, 0.24, 0))
    bought = changed(SAID["ws_force_order"], "o", "S", to="BUY")
    assert only(hear(bought), "liquidations").rows["position_side"].tolist() == [-1]


def test_inverse_liquidation_is_in_coins() -> None:
    part = only(COIN_M.hear(SAID_INVERSE["ws_force_order"], channel=INVERSE), "liquidations", "BTCUSD_PERP")
    # 40 contracts of 100 USD at 80,000 are 0.05 BTC; who is bought in was short.
    expect(part, LIQUIDATION, (MIDNIGHT + 50_123, -1, 80_000.0, 0.05, 0))


def test_acknowledgement_confirms_the_topics_of_its_request() -> None:
    assert hear(SAID["ws_ack"]) == Heard(confirmed=CHANNEL.topics)
    many = USD_M.channels({f"C{number}USDT": 1.0 for number in range(60)})[0]
    second = USD_M.hear({"result": None, "id": 2}, channel=many)
    assert second.confirmed == set(many.requests[1]["params"])
    assert hear({"result": None, "id": 9}) == Heard()


def test_refusal_says_why() -> None:
    assert "Invalid request: unknown variant" in hear(SAID["ws_refused"]).refused


@pytest.mark.parametrize(
    "message",
    [
        "pong", "", None, [], 7, {}, {"e": None}, {"e": "depthUpdate"}, {"e": "kline"}, {"e": "forceOrder", "o": []},
        {"result": ["btcusdt@kline_1m"], "id": 1}, {"result": None}, {"result": None, "id": "1"}, {"id": 1},
        changed(SAID["ws_kline_closed"], "k", "s", to="SOLUSDT"),
        changed(SAID["ws_kline_closed"], "k", "s", to=REMOVED),
        changed(SAID["ws_kline_closed"], "e", to=Renamed("event")), changed(SAID["ws_force_order"], "o", to=REMOVED),
    ],
)  # fmt: skip
def test_message_of_nothing_asked_for_is_a_fault(message: object) -> None:
    heard = hear(message)
    assert (heard.parts, len(heard.faults), heard.confirmed, heard.refused) == ((), 1, frozenset(), "")


LETTERS = {"o": "open", "h": "high", "l": "low", "c": "close", "v": "volume", "q": "amount", "V": "taker_volume"}


@pytest.mark.parametrize("kind", NO_NUMBERS)
@pytest.mark.parametrize("letter", LETTERS)
def test_bar_with_a_field_that_is_no_number_is_a_fault(letter: str, kind: str) -> None:
    part = only(hear(changed(SAID["ws_kline_closed"], "k", letter, to=NO_NUMBERS[kind])), "bars")
    assert len(part.rows) == 0
    assert [fault.reason.startswith(f"{LETTERS[letter]} is ") for fault in part.faults] == [True]


@pytest.mark.parametrize(
    ("path", "to"),
    [
        (("k", "x"), "true"),
        (("k", "x"), 1),
        (("k", "x"), REMOVED),
        (("k", "i"), "5m"),
        (("k", "t"), Renamed("start")),
        (("k", "t"), 1.5),
        (("k", "T"), MIDNIGHT),
        (("s",), "ETHUSDT"),
        (("E",), None),
    ],
)
def test_bar_that_may_be_open_or_another_is_a_fault(path: tuple[str, ...], to: object) -> None:
    part = only(hear(changed(SAID["ws_kline_closed"], *path, to=to)), "bars")
    assert (len(part.rows), len(part.faults)) == (0, 1)


@pytest.mark.parametrize(
    ("field", "to"),
    [
        ("S", "sell"), ("S", "LONG"), ("S", REMOVED), ("ap", 87350.5), ("ap", "0"), ("ap", "-1"), ("ap", REMOVED),
        ("z", "NaN"), ("z", REMOVED), ("T", None), ("T", Renamed("time")), ("T", math.inf),
    ],
)  # fmt: skip
def test_liquidation_that_can_not_be_read_is_a_fault(field: str, to: object) -> None:
    part = only(hear(changed(SAID["ws_force_order"], "o", field, to=to)), "liquidations")
    assert (len(part.rows), len(part.faults)) == (0, 1)


def test_size_of_the_time_makes_the_coins() -> None:
    (later,) = COIN_M.channels({"BTCUSD_PERP": 10.0})
    ((_, _, part),) = COIN_M.hear(SAID_INVERSE["ws_force_order"], channel=later).parts
    assert part.rows["quantity"].tolist() == [0.005]
    ((_, _, bar),) = COIN_M.hear(SAID_INVERSE["ws_kline_closed"], channel=later).parts
    assert (bar.rows["volume"][0], bar.rows["quote_volume"][0]) == (5.0, 40_000.0)
