"""The hunt's eyes find a panel that says too much, and its wire does what an outage does; without a product."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from tests.campaigns.looks import Looks, boasts
from tests.campaigns.wire import CUT, HANG, OPEN, wired

HONEST: dict[str, Any] = {
    "kind": "live", "text": "Updated 20 s ago", "isGreen": True, "edge": "Live edge", "last": "60,000.5",
    "drawn": "60,000.5", "bar": "01 Jan, 00:15 UTC", "asOf": 1_080_000, "isBannerShown": False,
}  # fmt: skip
OLD: dict[str, Any] = HONEST | {
    "kind": "stale", "text": "Data is 2 min old", "isGreen": False, "edge": "Newest data", "isBannerShown": True,
}  # fmt: skip


def judged(*all_said: dict[str, Any], age_ms: int) -> list[dict[str, Any]]:
    looks = Looks(most_ms=83_000)
    for said in all_said:
        looks.judge(said, said["asOf"] + age_ms, "web kill")
    return looks.false


def test_what_is_true_is_passed() -> None:
    assert judged(HONEST, age_ms=83_000) == []
    assert judged(OLD, age_ms=200_000) == []
    assert judged(OLD, age_ms=20_000) == []


def test_old_data_that_is_called_live_is_found() -> None:
    (found,) = judged(HONEST, age_ms=83_001)
    assert (found["age_ms"], found["during"]) == (83_001, "web kill")


@pytest.mark.parametrize(
    ("panel", "said"),
    [
        ("edge", {"edge": "Live edge"}),
        ("dot", {"isGreen": True}),
        ("words", {"text": "Updated 5 s ago"}),
        ("banner", {"isBannerShown": False}),
    ],
)
def test_one_panel_that_looks_fresh_beside_the_others_is_found(panel: str, said: dict[str, Any]) -> None:
    assert [one["fresh"] for one in judged(OLD | said, age_ms=20_000)] == [[panel]]
    assert not any(boasts(OLD).values())


def test_a_chart_that_stayed_behind_the_figures_is_found() -> None:
    later = HONEST | {"asOf": 1_140_000, "last": "60,100.5"}
    assert judged(HONEST, later | {"drawn": "60,100.5"}, age_ms=50_000) == []
    (found,) = judged(HONEST, later, age_ms=50_000)
    assert found["age_ms"] == 110_000


def test_a_price_that_comes_twice_is_no_way_back() -> None:
    again = HONEST | {"asOf": 1_140_000, "last": "60,100.5", "drawn": "60,100.5"}
    assert judged(HONEST, again, again | {"drawn": "60,000.5"}, age_ms=60_000) == []


def say_back(near: socket.socket) -> None:
    while piece := near.recv(4096):
        near.sendall(piece)


def echo(server: socket.socket) -> None:
    while True:
        near, _ = server.accept()
        threading.Thread(target=say_back, args=(near,), daemon=True).start()


def said(port: int, words: bytes) -> tuple[socket.socket, bytes]:
    link = socket.create_connection(("127.0.0.1", port), timeout=1)
    link.sendall(words)
    return link, link.recv(4096)


def test_the_wire_cuts_or_silences_the_stream_alone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=echo, args=(server,), daemon=True).start()
        with wired(server.getsockname()[1]) as wire:
            stream, heard = said(wire.port, b"GET /events?x HTTP/1.1")
            page, _ = said(wire.port, b"GET /t/ HTTP/1.1")
            assert heard == b"GET /events?x HTTP/1.1"
            wire.set(HANG)
            stream.sendall(b"a")
            page.sendall(b"a")
            assert page.recv(1) == b"a"
            with pytest.raises(TimeoutError):
                stream.recv(1)
            wire.set(OPEN)
            # Its other end is gone for good.
            with pytest.raises(TimeoutError):
                stream.recv(1)
            other, _ = said(wire.port, b"GET /events?y HTTP/1.1")
            wire.set(CUT)
            assert other.recv(1) == b""
            page.sendall(b"b")
            assert page.recv(1) == b"b"
            wire.set(HANG, is_all=True)
            page.sendall(b"c")
            with pytest.raises(TimeoutError):
                page.recv(1)
