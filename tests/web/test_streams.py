"""Bounds of the event streams, without a server."""

from __future__ import annotations

import asyncio
import datetime as dt
from contextlib import ExitStack
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from bhweb import events, streams

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings


def test_slow_page_loses_the_oldest_news() -> None:
    stream = streams.Stream(1, "a:b")
    for number in range(streams.WAITING + 1):
        stream.tell(b"%d" % number)
    assert list(stream.waiting) == [b"%d" % number for number in range(1, streams.WAITING + 1)]


def open_all(users: list[int]) -> int:
    """Open a stream for each user at once, of which the last is refused; return how many were let in."""

    async def _open() -> int:
        hub = streams.Hub()
        with ExitStack() as opened:
            for user in users[:-1]:
                opened.enter_context(hub.opened(user, "a:b"))
            with pytest.raises(events.Refusal) as refused:
                opened.enter_context(hub.opened(users[-1], "a:b"))
            assert refused.value.status is HTTPStatus.SERVICE_UNAVAILABLE
            count = len(hub._streams)
        await hub.close()
        return count

    return asyncio.run(_open())


@pytest.fixture(autouse=True)
def no_redis(settings: Settings, tmp_path: Path) -> None:
    settings.EVENTS_URL = f"unix://{tmp_path}/none.sock"


def test_streams_of_one_user_are_bounded() -> None:
    assert open_all([7] * (streams.STREAMS_PER_USER + 1)) == streams.STREAMS_PER_USER


def test_streams_of_all_are_bounded() -> None:
    assert open_all(list(range(streams.STREAMS + 1))) == streams.STREAMS


def test_message_is_one_event() -> None:
    assert streams.message("tick", {"a": "x\ny"}) == b'event: tick\ndata: {"a":"x\\ny"}\n\n'


def test_old_stream_is_closed_with_a_goodbye(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    settings.EVENTS_HEARTBEAT_S = 0.01
    monkeypatch.setattr(streams, "LIFETIME_S", 0)
    sent: list[bytes] = []

    async def _send(message: dict[str, Any]) -> None:
        sent.append(message["body"])

    async def _talk() -> None:
        gone: asyncio.Task[None] = asyncio.create_task(asyncio.sleep(60))
        await streams._talk(streams.Stream(1, "a:b"), gone, _send)
        gone.cancel()

    asyncio.run(asyncio.wait_for(_talk(), 5))
    assert sent == [b"event: bye\ndata: {}\n\n", b""]


def test_silence_tells_the_time_that_pages_and_ticks_go_by(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    # Of a market that is replayed another than the machine's: a page never goes back from a later one.
    settings.EVENTS_HEARTBEAT_S = 0.01
    monkeypatch.setattr(timezone, "now", lambda: dt.datetime(2025, 12, 2, tzinfo=dt.UTC))
    sent: list[bytes] = []

    async def _talk() -> None:
        gone: asyncio.Task[None] = asyncio.create_task(asyncio.sleep(60))

        async def _send(message: dict[str, Any]) -> None:
            sent.append(message["body"])
            gone.cancel()

        await streams._talk(streams.Stream(1, "a:b"), gone, _send)

    asyncio.run(asyncio.wait_for(_talk(), 5))
    assert sent[0] == b'event: clock\ndata: {"now_ms":1764633600000}\n\n'


@pytest.mark.parametrize("asked", ["admit", "current_tick"])
@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_stream_without_database_is_503(error: type[Exception], asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def _fail(*_: object) -> None:
        raise error("gone")

    monkeypatch.setattr(events, "admit", lambda *_: (7, "a:b"))
    monkeypatch.setattr(events, asked, _fail)
    sent: list[dict[str, Any]] = []

    async def _send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def _serve() -> None:
        hub = streams.Hub()
        await streams.serve(hub, {"method": "GET", "headers": [], "query_string": b""}, _never, _send)
        await hub.close()

    asyncio.run(asyncio.wait_for(_serve(), 5))
    assert [message.get("status") for message in sent] == [503, None]
    assert b"retry-after" in dict(sent[0]["headers"])


async def _never() -> dict[str, Any]:
    await asyncio.sleep(60)
    return {}
