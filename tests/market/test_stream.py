"""What becomes of websockets that fall silent, are cut, decline, or talk too fast, on a real server."""

from __future__ import annotations

import asyncio
import gc
import logging
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import pytest
from aiohttp import WSMsgType, web

from market.sources import stream
from market.sources.base import Channel, SourceError
from tests.market.plain_venue import (
    ACK,
    CHANNEL,
    SUBSCRIBE,
    TOPICS,
    Plain,
    ear,
    hear_all,
    idle,
    listening,
    seconds_of,
    serving,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("CONFIRM_S", 0.5), ("PING_S", 0.1), ("SILENT_S", 0.4)):
        monkeypatch.setattr(stream, name, seconds)


@pytest.fixture(autouse=True)
def nothing_is_left_behind(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No warning of an open session or socket, no error of a task that nobody waited for."""
    with warnings.catch_warnings(record=True) as caught, caplog.at_level(logging.WARNING):
        warnings.simplefilter("always")
        yield
        gc.collect()
    own = [str(warning.message) for warning in caught if issubclass(warning.category, ResourceWarning | RuntimeWarning)]
    assert (own, [record.getMessage() for record in caplog.records]) == ([], [])


def test_messages_come_as_they_were_said() -> None:
    async def behave(socket: web.WebSocketResponse) -> None:
        for text in ('{"ok": ["a"]}', '{"n": 1}', '{"ok": ["b"]}', "pong", '{"n": ', '{"n": NaN}', "\uff11"):
            await socket.send_str(text)
        await socket.send_bytes(b'{"n": 2}')
        await socket.close()

    async def check() -> None:
        async with serving(behave) as (address, asked):
            error = await hear_all(venue := Plain(), address)
        assert asked == ["/plain/stream/ws", SUBSCRIBE]
        assert venue.heard == [
            {"ok": ["a"]}, {"n": 1}, {"ok": ["b"]}, "pong", '{"n": ', '{"n": NaN}', "\uff11", {"n": 2},
        ]  # fmt: skip
        assert (error.is_outage, error.permanent) == (True, False)
        assert "closed by remote server" in str(error)

    asyncio.run(check())


def test_cut_connection_is_an_outage_after_what_came_before() -> None:
    async def behave(socket: web.WebSocketResponse) -> None:
        await socket.send_str(ACK)
        await socket.send_str('{"n": 1}')
        request = cast("Any", socket)._req
        await asyncio.sleep(0.05)
        request.transport.abort()

    async def check() -> None:
        async with serving(behave) as (address, _):
            error = await hear_all(venue := Plain(), address)
        assert venue.heard[-1] == {"n": 1}
        assert (error.is_outage, error.permanent) == (True, False)

    asyncio.run(check())


def test_silent_stall_ends_the_connection() -> None:
    async def behave(socket: web.WebSocketResponse) -> None:
        await socket.send_str(ACK)
        await asyncio.sleep(30)  # reads nothing, so answers nothing

    async def check() -> None:
        async with serving(behave, answers_pings=False) as (address, _):
            seconds, error = await seconds_of(hear_all(Plain(), address))
        assert 0.4 < seconds < 3
        assert "not even an answer to pings" in str(error)
        assert error.is_outage is True

    asyncio.run(check())


def test_quiet_market_is_no_stall() -> None:
    async def check() -> None:
        async with serving(idle) as (address, _):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(listening(Plain(), address), 2)

    asyncio.run(check())


@pytest.mark.parametrize("ping", ["ping", {"op": "ping"}])
def test_pings_of_the_venues_own_keep_it_alive(ping: object) -> None:
    said: list[str] = []

    async def behave(socket: web.WebSocketResponse) -> None:
        await socket.send_str(ACK)
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                said.append(message.data)
                await socket.send_str("pong")

    async def check() -> None:
        channel = Channel(CHANNEL.url, CHANNEL.requests, TOPICS, {}, ping)
        async with serving(behave, answers_pings=False) as (address, _):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(listening(Plain(), address, channel), 1.5)
        assert set(said) == {ping if isinstance(ping, str) else '{"op":"ping"}'}
        assert len(said) > 3

    asyncio.run(check())


def test_pings_of_the_venue_are_answered() -> None:
    answered: list[bytes] = []

    async def behave(socket: web.WebSocketResponse) -> None:
        await socket.send_str(ACK)
        await socket.ping(b"here?")
        async for message in socket:
            if message.type == WSMsgType.PONG:
                answered.append(message.data)
                await socket.close()

    async def check() -> None:
        async with serving(behave, answers_pings=False) as (address, _):
            await hear_all(Plain(), address)
        assert answered == [b"here?"]

    asyncio.run(check())


@pytest.mark.parametrize("chatter", [False, True])
def test_missing_confirmation_ends_the_connection_however_much_is_said(chatter: bool) -> None:
    async def behave(socket: web.WebSocketResponse) -> None:
        await socket.send_str('{"ok": ["a"]}')
        with suppress(ConnectionError):
            while chatter:
                await socket.send_str('{"n": 1}')
                await asyncio.sleep(0)
        async for _ in socket:
            pass

    async def check() -> None:
        async with serving(behave) as (address, _):
            seconds, error = await seconds_of(hear_all(Plain(), address))
        assert 0.4 < seconds < 3
        assert str(error).startswith("plain did not confirm b in")
        assert error.is_outage is True

    asyncio.run(check())


def test_declined_topic_is_not_asked_for_again() -> None:
    async def behave(socket: web.WebSocketResponse) -> None:
        await socket.send_str('{"no": "no such topic"}')
        await asyncio.sleep(30)

    async def check() -> None:
        async with serving(behave) as (address, _):
            error = await hear_all(Plain(), address)
        assert (str(error), error.permanent) == ("plain declines a topic: no such topic", True)

    asyncio.run(check())


@pytest.mark.parametrize("status", [403, 429, 503])
def test_refused_handshake_is_an_outage_with_its_wait(status: int) -> None:
    async def check() -> None:
        async with serving(idle, status=status) as (address, asked):
            error = await hear_all(Plain(), address)
        assert (error.is_outage, error.retry_after_s, len(asked)) == (True, 30.0, 1)

    asyncio.run(check())


def test_nobody_there_is_an_outage() -> None:
    async def check() -> None:
        error = await hear_all(Plain(), "http://127.0.0.1:9")
        assert (error.is_outage, str(error)[:24]) == (True, "plain took no websocket:")

    asyncio.run(check())


def test_burst_is_read_to_the_last_message() -> None:
    async def behave(socket: web.WebSocketResponse) -> None:
        await socket.send_str(ACK)
        for number in range(10_000):
            await socket.send_str(f'{{"n": {number}}}')
        await socket.close()

    async def check() -> None:
        async with serving(behave) as (address, _):
            await hear_all(venue := Plain(), address)
        assert venue.heard[1:] == [{"n": number} for number in range(10_000)]

    asyncio.run(check())


def test_reader_that_is_too_slow_is_told_so_and_nothing_is_left_out_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "WAITING", 100)

    async def behave(socket: web.WebSocketResponse) -> None:
        await socket.send_str(ACK)
        for number in range(1_000):
            await socket.send_str(f'{{"n": {number}}}')
        await asyncio.sleep(30)

    async def check() -> None:
        async with serving(behave) as (address, _):
            heard = ear(venue := Plain(), address)
            await anext(heard)
            await asyncio.sleep(0.3)
            with pytest.raises(SourceError, match="more than 100 messages wait to be read") as caught:
                async for _ in heard:
                    pass
        assert caught.value.is_outage is True
        assert venue.heard[1:] == [{"n": number} for number in range(len(venue.heard) - 1)]
        assert len(venue.heard) >= 100

    asyncio.run(check())


@pytest.mark.parametrize("answers_pings", [True, False])
def test_cancelled_listener_leaves_nothing_behind(answers_pings: bool) -> None:
    async def check() -> None:
        subscribed = asyncio.Event()

        async def behave(socket: web.WebSocketResponse) -> None:
            subscribed.set()
            await (idle(socket) if answers_pings else asyncio.sleep(30))

        async with serving(behave, answers_pings=answers_pings) as (address, _):
            task = asyncio.create_task(listening(Plain(), address))
            await subscribed.wait()
            await asyncio.sleep(0.1)
            task.cancel()
            began = asyncio.get_running_loop().time()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert asyncio.get_running_loop().time() - began < 2.5
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(check())
