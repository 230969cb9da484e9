"""Hyperliquid's websocket: a candle never says that it has closed, the next one does."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from market.series import BAR
from market.sources.base import Heard
from market.sources.hyperliquid import SOURCE, Listening
from tests.market.venues.canned import NO_NUMBERS, REMOVED, Renamed, changed, said

if TYPE_CHECKING:
    from market.sources.base import Part

SAID = said("hyperliquid")
CHANNEL = SOURCE.channels({"BTC": 1.0, "ETH": 1.0})[0]
CANDLE, NEXT = SAID["ws_candle"], SAID["ws_candle_next"]


def hear(*messages: object) -> list[Heard]:
    listening = Listening()
    return [listening.hear(message, channel=CHANNEL) for message in messages]


def only(heard: Heard) -> Part:
    ((symbol, name, part),) = heard.parts
    assert (symbol, name, heard.faults) == ("BTC", "bars", ())
    return part


def test_each_symbol_is_subscribed_to_by_a_request() -> None:
    assert CHANNEL.url == "wss://api.hyperliquid.xyz/ws"
    asked = {"type": "candle", "coin": "BTC", "interval": "1m"}
    assert CHANNEL.requests[0] == {"method": "subscribe", "subscription": asked}
    assert (len(CHANNEL.requests), len(CHANNEL.topics), CHANNEL.ping) == (2, 2, {"method": "ping"})


def test_symbols_are_shared_out_over_sockets() -> None:
    channels = SOURCE.channels({f"C{number}": 1.0 for number in range(201)})
    assert [len(channel.sizes) for channel in channels] == [100, 100, 1]
    assert SOURCE.channels({}) == ()


def test_bar_is_heard_once_the_next_has_begun() -> None:
    silent, closed = hear(CANDLE, NEXT)
    assert silent == Heard()
    row = (1_767_225_660_000, 87380.0, 87412.0, 87371.0, 87410.0, 3.5004, math.nan, math.nan)
    assert repr(only(closed).rows) == repr(np.array([row], BAR))
    assert (only(closed).timeframe, only(closed).covered) == (60, None)


def test_last_word_on_a_bar_counts() -> None:
    grown = changed(CANDLE, "data", "v", to="4.0")
    *_, closed = hear(CANDLE, grown, NEXT)
    assert only(closed).rows["volume"].tolist() == [4.0]


def test_late_word_on_a_bar_that_has_closed_is_left_to_rest() -> None:
    # The poll brings what was corrected after the end.
    *_, late, following = hear(CANDLE, NEXT, CANDLE, NEXT)
    assert (late, following) == (Heard(), Heard())


def test_bar_whose_last_word_can_not_be_read_is_not_heard() -> None:
    _, spoilt, closed = hear(CANDLE, changed(CANDLE, "data", "c", to="NaN"), NEXT)
    assert (len(only(spoilt).rows), len(only(spoilt).faults)) == (0, 1)
    assert closed == Heard()


def test_coins_are_remembered_apart() -> None:
    other = changed(changed(NEXT, "data", "s", to="ETH"), "data", "t", to=1_767_225_780_000)
    assert hear(CANDLE, other) == [Heard(), Heard()]


def test_connections_are_remembered_apart() -> None:
    assert hear(CANDLE) + hear(NEXT) == [Heard(), Heard()]


def test_candle_on_its_own_brings_no_bar() -> None:
    assert [SOURCE.hear(message, channel=CHANNEL) for message in (CANDLE, NEXT)] == [Heard(), Heard()]


@pytest.mark.parametrize("field", ["o", "h", "l", "c", "v"])
@pytest.mark.parametrize("kind", NO_NUMBERS)
def test_field_that_is_no_number_is_a_fault(field: str, kind: str) -> None:
    part = only(SOURCE.hear(changed(CANDLE, "data", field, to=NO_NUMBERS[kind]), channel=CHANNEL))
    assert (len(part.rows), len(part.faults)) == (0, 1)


@pytest.mark.parametrize(("field", "to"), [("i", "5m"), ("t", None), ("t", Renamed("time")), ("i", REMOVED)])
def test_candle_of_something_else_is_a_fault(field: str, to: object) -> None:
    part = only(SOURCE.hear(changed(CANDLE, "data", field, to=to), channel=CHANNEL))
    assert (len(part.rows), len(part.faults)) == (0, 1)


@pytest.mark.parametrize(
    "message",
    [
        "pong",
        None,
        {},
        {"channel": 1},
        {"channel": "candle"},
        {"channel": "candle", "data": []},
        {"channel": "candle", "data": {"s": None}},
        changed(CANDLE, "data", "s", to="SOL"),
    ],
)
def test_message_of_nothing_asked_for_is_a_fault(message: object) -> None:
    heard = SOURCE.hear(message, channel=CHANNEL)
    assert (heard.parts, len(heard.faults)) == ((), 1)


def test_acknowledgement_confirms_its_topic() -> None:
    confirmed = SOURCE.hear(SAID["ws_ack"], channel=CHANNEL).confirmed
    assert len(confirmed) == 1
    assert confirmed < CHANNEL.topics


def test_refusal_and_pong() -> None:
    assert SOURCE.hear(SAID["ws_refused"], channel=CHANNEL).refused == SAID["ws_refused"]["data"]
    assert SOURCE.hear(SAID["ws_pong"], channel=CHANNEL) == Heard()
