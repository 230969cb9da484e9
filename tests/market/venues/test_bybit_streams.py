"""Bybit's websocket: what its messages become."""

from __future__ import annotations

import gzip
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from market.series import BAR, LIQUIDATION
from market.sources.base import Heard, Part
from market.sources.bybit import SOURCE
from market.sources.strict import Row
from tests.market.venues.canned import NO_NUMBERS, REMOVED, Renamed, changed, said
from tests.recordings import RECORDINGS, needs_recordings

if TYPE_CHECKING:
    from market.series import SeriesName

SAID = said("bybit")
CHANNEL = SOURCE.channels({"BTCUSDT": 1.0, "ETHUSDT": 1.0})[0]


def hear(message: object) -> Heard:
    return SOURCE.hear(message, channel=CHANNEL)


def only(heard: Heard, series: SeriesName) -> Part:
    ((symbol, name, part),) = heard.parts
    assert (symbol, name, heard.faults, heard.confirmed) == ("BTCUSDT", series, (), frozenset())
    return part


def test_channel_asks_for_each_symbol_by_name() -> None:
    assert CHANNEL.url == "wss://stream.bybit.com/v5/public/linear"
    assert CHANNEL.requests[1] == {
        "op": "subscribe",
        "req_id": "ETHUSDT",
        "args": ["kline.1.ETHUSDT", "allLiquidation.ETHUSDT"],
    }
    assert len(CHANNEL.topics) == 4
    assert CHANNEL.ping == {"op": "ping"}


def test_symbols_are_shared_out_over_sockets() -> None:
    sizes = {f"C{number}USDT": 1.0 for number in range(301)}
    channels = SOURCE.channels(sizes)
    assert [len(channel.sizes) for channel in channels] == [150, 150, 1]
    assert {symbol for channel in channels for symbol in channel.sizes} == set(sizes)
    # ws/connect: "args" of a connection must not be longer than 21,000 letters.
    letters = (len(json.dumps([request["args"] for request in channel.requests])) for channel in channels)
    assert max(letters) < 21_000
    assert SOURCE.channels({}) == ()


def test_closed_bar_is_heard() -> None:
    part = only(hear(SAID["ws_kline_closed"]), "bars")
    row = (1_767_225_660_000, 87380.1, 87412.9, 87371.0, 87410.5, 14.226, 1243250.8, math.nan)
    assert repr(part.rows) == repr(np.array([row], BAR))
    assert (part.timeframe, part.covered) == (60, None)


def test_open_bar_is_not_heard() -> None:
    assert hear(SAID["ws_kline_open"]) == Heard()


def test_bar_that_was_said_to_be_closed_too_early_is_a_fault() -> None:
    # websocket/public/kline: ts is "the timestamp (ms) that the system generates the data".
    early = hear(changed(SAID["ws_kline_closed"], "ts", to=1_767_225_718_998))
    (part,) = (part for _, _, part in early.parts)
    assert (len(part.rows), [fault.reason for fault in part.faults]) == (
        0,
        ["it was said to be closed before its minute was over"],
    )


def test_liquidation_side_is_that_of_the_position() -> None:
    # bybit-exchange.github.io/docs/v5/websocket/public/all-liquidation, field S: "Position side. Buy,Sell. When you
    # receive a Buy update, this means that a long position has been liquidated".
    part = only(hear(SAID["ws_liquidation"]), "liquidations")
    expected = [
        (1_767_225_650_007, -1, 88012.4, 1.0, 0),
        (1_767_225_650_123, 1, 86950.1, 0.25, 0),
        (1_767_225_650_123, 1, 86950.1, 0.25, 1),
    ]
    assert part.rows.tolist() == np.array(expected, LIQUIDATION).tolist()


def test_repeated_message_brings_the_same_prints() -> None:
    first, second = (only(hear(SAID["ws_liquidation"]), "liquidations").rows for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_acknowledgement_confirms_the_topics_of_its_symbol() -> None:
    heard = hear(changed(SAID["ws_ack"], "req_id", to="BTCUSDT"))
    assert heard == Heard(confirmed=frozenset({"kline.1.BTCUSDT", "allLiquidation.BTCUSDT"}))


def test_refusal_says_why() -> None:
    assert hear(SAID["ws_refused"]).refused == "error:handler not found,topic:kline.1.NOPEUSDT"


def test_pong_says_nothing() -> None:
    assert hear(SAID["ws_pong"]) == Heard()


@pytest.mark.parametrize(
    "message", ["pong", "", None, [], 7, {}, {"topic": None}, {"topic": "kline.1.SOLUSDT", "data": []}, {"op": 1}]
)
def test_message_of_nothing_asked_for_is_a_fault(message: object) -> None:
    heard = hear(message)
    assert (heard.parts, len(heard.faults)) == ((), 1)


@pytest.mark.parametrize("to", [REMOVED, None, {}, "text"])
def test_push_without_a_list_is_a_fault(to: object) -> None:
    heard = hear(changed(SAID["ws_kline_closed"], "data", to=to))
    assert (heard.parts, len(heard.faults)) == ((), 1)


@pytest.mark.parametrize("field", ["open", "high", "low", "close", "volume", "turnover"])
@pytest.mark.parametrize("kind", NO_NUMBERS)
def test_bar_with_a_field_that_is_no_number_is_a_fault(field: str, kind: str) -> None:
    part = only(hear(changed(SAID["ws_kline_closed"], "data", 0, field, to=NO_NUMBERS[kind])), "bars")
    assert len(part.rows) == 0
    assert [field in fault.reason for fault in part.faults] == [True]


@pytest.mark.parametrize(
    ("field", "to"),
    [
        ("confirm", "true"),
        ("confirm", 1),
        ("confirm", REMOVED),
        ("interval", "5"),
        ("start", Renamed("time")),
        ("start", 1.5),
    ],
)
def test_bar_that_may_be_open_or_another_is_a_fault(field: str, to: object) -> None:
    part = only(hear(changed(SAID["ws_kline_closed"], "data", 0, field, to=to)), "bars")
    assert (len(part.rows), len(part.faults)) == (0, 1)


@pytest.mark.parametrize(
    ("field", "to"),
    [
        ("S", "buy"),
        ("S", "None"),
        ("S", REMOVED),
        ("s", "ETHUSDT"),
        ("p", 86950.1),
        ("v", "NaN"),
        ("T", None),
        ("T", Renamed("time")),
    ],
)
def test_liquidation_that_can_not_be_read_is_a_fault(field: str, to: object) -> None:
    part = only(hear(changed(SAID["ws_liquidation"], "data", 0, field, to=to)), "liquidations")
    assert (len(part.rows), len(part.faults)) == (2, 1)


def recorded(name: str) -> Any:  # noqa: ANN401 whatever JSON holds
    return json.loads((RECORDINGS / "fixtures-nautilus" / "bybit" / name).read_text())


@needs_recordings
def test_recorded_kline_is_read() -> None:
    message = recorded("ws_kline.json")
    message["topic"], message["data"][0]["interval"] = "kline.1.BTCUSDT", "1"  # it is one of five minutes
    assert hear(message) == Heard()
    message["data"][0]["confirm"], message["ts"] = True, message["data"][0]["end"] + 1
    part = only(hear(message), "bars")
    told = message["data"][0]
    assert part.rows["open_time"][0] == told["start"]
    assert part.rows["quote_volume"][0] == float(told["turnover"])


@needs_recordings
def test_recorded_acknowledgement_and_refusal_are_read() -> None:
    acknowledged = {**recorded("ws_subscription_ack.json"), "req_id": "BTCUSDT"}
    assert len(hear(acknowledged).confirmed) == 2
    assert hear(recorded("ws_subscription_failure.json")).refused == recorded("ws_subscription_failure.json")["ret_msg"]


@needs_recordings
def test_messages_from_before_v5_are_faults() -> None:
    with gzip.open(RECORDINGS / "recordings-cryptofeed" / "BYBIT.ws.25.0.gz", "rt") as lines:
        messages = [json.loads(line.split(": ", 1)[1]) for line in lines if "<-" not in line and ": {" in line]
    heard = [hear(message) for message in messages if "topic" in Row(message).fields]
    assert heard
    assert all(one.parts == () and len(one.faults) == 1 for one in heard)
