"""OKX's websockets: what their messages become."""

from __future__ import annotations

import gzip
import json
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from market.series import BAR, LIQUIDATION
from market.sources.base import Heard, Part
from market.sources.okx import SOURCE
from tests.market.venues.canned import NO_NUMBERS, REMOVED, Renamed, changed, said
from tests.recordings import RECORDINGS, needs_recordings

if TYPE_CHECKING:
    from market.series import SeriesName

SAID = said("okx")
PUBLIC, BUSINESS = SOURCE.channels({"BTC-USDT-SWAP": 0.01, "ETH-USDT-SWAP": 0.1})


def only(heard: Heard, series: SeriesName) -> Part:
    ((symbol, name, part),) = heard.parts
    assert (symbol, name, heard.faults) == ("BTC-USDT-SWAP", series, ())
    return part


def test_liquidations_are_asked_for_once_and_candles_by_symbol() -> None:
    assert (PUBLIC.url, BUSINESS.url) == ("wss://ws.okx.com:8443/ws/v5/public", "wss://ws.okx.com:8443/ws/v5/business")
    # The channel takes no instId: "Wrong URL or channel" is what that is answered by.
    assert PUBLIC.requests == ({"op": "subscribe", "args": [{"channel": "liquidation-orders", "instType": "SWAP"}]},)
    assert [argument["channel"] for argument in BUSINESS.requests[0]["args"]] == ["candle1m", "mark-price-candle1m"] * 2
    assert (len(PUBLIC.topics), len(BUSINESS.topics), PUBLIC.ping) == (1, 4, "ping")
    assert (sorted(PUBLIC.series), sorted(BUSINESS.series)) == (["liquidations"], ["bars", "mark_bars"])


def test_symbols_are_shared_out_over_sockets() -> None:
    sizes = {f"C{number}-USDT-SWAP": 1.0 for number in range(201)}
    channels = SOURCE.channels(sizes)
    assert [len(channel.sizes) for channel in channels] == [201, 100, 100, 1]
    # Websocket, Subscribe: "The total length of multiple channels cannot exceed 64 KB".
    assert max(len(json.dumps(channel.requests)) for channel in channels) < 64_000
    assert SOURCE.channels({}) == ()


def test_closed_bars_are_heard() -> None:
    part = only(SOURCE.hear(SAID["ws_candle_closed"], channel=BUSINESS), "bars")
    row = (1_767_225_660_000, 87381.4, 87413.0, 87372.2, 87411.0, 28.9025, 2525980.1, math.nan)
    assert repr(part.rows) == repr(np.array([row], BAR))
    assert (part.timeframe, part.covered) == (60, None)
    mark = only(SOURCE.hear(SAID["ws_mark_closed"], channel=BUSINESS), "mark_bars")
    row = (1_767_225_660_000, 87382.1, 87410.9, 87376.6, 87409.2, math.nan, math.nan, math.nan)
    assert repr(mark.rows) == repr(np.array([row], BAR))


def test_open_bar_is_not_heard() -> None:
    assert SOURCE.hear(SAID["ws_candle_open"], channel=BUSINESS) == Heard()


def test_liquidation_side_is_that_of_the_position_and_its_size_in_base() -> None:
    # okx.com/docs-v5/en, Liquidation orders channel: posSide "long: Hedge mode long, short: Hedge mode short, net: Net
    # mode"; side "Order side". A position in net mode that is sold was long. sz: "the unit is contract", here of 0.01.
    part = only(SOURCE.hear(SAID["ws_liquidation"], channel=PUBLIC), "liquidations")
    expected = [
        (1_767_225_650_007, -1, 88012.4, 1.0, 0),
        (1_767_225_650_123, 1, 86950.1, 0.25, 0),
        (1_767_225_650_400, 1, 86900.0, 7.5 * 0.01, 0),
    ]
    assert part.rows.tolist() == np.array(expected, LIQUIDATION).tolist()


def test_liquidations_of_what_nobody_listens_to_are_left_out() -> None:
    # Among them inverse contracts, whose contracts are of USD.
    (channel, _) = SOURCE.channels({"ETH-USDT-SWAP": 0.1})
    assert SOURCE.hear(SAID["ws_liquidation"], channel=channel) == Heard()


@pytest.mark.parametrize(
    ("field", "to"),
    [
        ("posSide", "short"),  # contradicts the sell order
        ("posSide", "both"),
        ("side", "Sell"),
        ("side", REMOVED),
        ("bkPx", ""),
        ("sz", 25),
        ("sz", "NaN"),
        ("ts", Renamed("time")),
    ],
)
def test_liquidation_that_can_not_be_read_is_a_fault(field: str, to: object) -> None:
    message = changed(SAID["ws_liquidation"], "data", 0, "details", 0, field, to=to)
    part = only(SOURCE.hear(message, channel=PUBLIC), "liquidations")
    assert (len(part.rows), len(part.faults)) == (2, 1)


def test_acknowledgement_confirms_its_topic() -> None:
    confirmed = SOURCE.hear(SAID["ws_ack"], channel=BUSINESS).confirmed
    assert len(confirmed) == 1
    assert confirmed < BUSINESS.topics
    # What is not part of the topic, such as a family, is dropped from the argument by OKX.
    argument = {"channel": "liquidation-orders", "instType": "SWAP", "instFamily": "BTC-USDT"}
    told = {"event": "subscribe", "arg": argument, "connId": "a4d3ae55"}
    assert SOURCE.hear(told, channel=PUBLIC).confirmed == PUBLIC.topics


def test_refusal_says_why() -> None:
    assert SOURCE.hear(SAID["ws_refused"], channel=BUSINESS).refused == SAID["ws_refused"]["msg"]


def test_pong_and_notices_say_nothing() -> None:
    assert SOURCE.hear("pong", channel=PUBLIC) == Heard()
    notice = {"event": "channel-conn-count", "channel": "candle1m", "connCount": "2", "connId": "a4d3ae55"}
    assert SOURCE.hear(notice, channel=BUSINESS) == Heard()


@pytest.mark.parametrize(
    "message",
    [
        "ping?",
        None,
        [],
        {},
        {"event": None},
        {"arg": {"channel": "candle1m", "instId": "SOL-USDT-SWAP"}, "data": []},
        {"arg": {"channel": "liquidation-orders", "instType": "SWAP"}, "data": []},
        {"arg": "candle1m", "data": []},
    ],
)
def test_message_of_nothing_asked_for_is_a_fault(message: object) -> None:
    heard = SOURCE.hear(message, channel=BUSINESS)
    assert (heard.parts, len(heard.faults)) == ((), 1)


@pytest.mark.parametrize("place", [1, 2, 3, 4, 6, 7])
@pytest.mark.parametrize("kind", [name for name in NO_NUMBERS if name != "missing"])
def test_bar_with_a_field_that_is_no_number_is_a_fault(place: int, kind: str) -> None:
    message = changed(SAID["ws_candle_closed"], "data", 0, place, to=NO_NUMBERS[kind])
    part = only(SOURCE.hear(message, channel=BUSINESS), "bars")
    assert (len(part.rows), len(part.faults)) == (0, 1)


@needs_recordings
def test_recorded_candle_is_read() -> None:
    message = json.loads((RECORDINGS / "fixtures-nautilus" / "okx" / "ws_candle.json").read_text())
    message["arg"] = {"channel": "candle1m", "instId": "BTC-USDT-SWAP"}  # it is one of a day, of spot
    part = only(SOURCE.hear(message, channel=BUSINESS), "bars")
    assert part.rows["open"].tolist() == [float(message["data"][0][1])]
    assert part.rows["volume"].tolist() == [float(message["data"][0][6])]


@needs_recordings
def test_recorded_acknowledgements_are_read() -> None:
    with gzip.open(RECORDINGS / "recordings-cryptofeed" / "OKX.ws.1.0.gz", "rt") as lines:
        events = [json.loads(line.split(": ", 1)[1]) for line in lines if '"event":"subscribe"' in line]
    assert len(events) > 3
    assert all(len(SOURCE.hear(event, channel=PUBLIC).confirmed) == 1 for event in events)
