"""What becomes of a venue's answers, on a real server that misbehaves."""

from __future__ import annotations

import gzip
import threading
import time
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import pytest

from market.sources import exchange
from market.sources.base import Access, SourceError
from market.sources.exchange import RestClient, redirected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DATE: Final = "Thu, 11 Dec 2025 00:00:00 GMT"
DATE_MS: Final = 1_765_411_200_000
KLINES: Final = "fapiPublicGetKlines"


class Gate:
    """Remembers what it was asked and told."""

    def __init__(self, refusal: SourceError | None = None) -> None:
        self.asked: list[int] = []
        self.heard: list[tuple[int, float | None, int | None]] = []
        self.refusal = refusal

    def ask(self, weight: int, *, apart: str = "") -> None:
        if self.refusal:
            raise self.refusal
        self.asked.append(weight)

    def told(self, *, status: int, retry_after_s: float | None, used: int | None) -> None:
        self.heard.append((status, retry_after_s, used))


class Client(RestClient):
    exchange = "binanceusdm"
    slug = "binance"
    used_header = "X-MBX-USED-WEIGHT-1M"


class Handler(BaseHTTPRequestHandler):
    """Does what the test says, and remembers what it was asked for."""

    protocol_version = "HTTP/1.1"
    behave: Callable[[Handler], None]

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        type(self).behave(self)

    def answer(self, body: bytes = b"[]", status: int = 200, **headers: str) -> None:
        self.send_response_only(status)
        for name, value in ({"Date": DATE, "Content-Length": str(len(body))} | headers).items():
            if value:
                self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def serving(behave: Callable[[Handler], None]) -> Iterator[tuple[Client, Gate, list[str]]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Behaving", (Handler,), {"behave": behave}))
    server.daemon_threads = True
    asked: list[str] = []
    server.asked = asked  # type: ignore[attr-defined]
    threading.Thread(target=partial(server.serve_forever, 0.01), daemon=True).start()
    gate = Gate()
    try:
        yield Client(Access(gate, f"http://127.0.0.1:{server.server_port}")), gate, asked
    finally:
        server.shutdown()
        server.server_close()


def refused(behave: Callable[[Handler], None]) -> tuple[SourceError, Gate]:
    with serving(behave) as (client, gate, asked):
        with pytest.raises(SourceError) as caught:
            client.ask(KLINES, {}, weight=1)
        assert (len(asked), gate.asked, len(gate.heard)) == (1, [1], 1)  # asked once, never again
        return caught.value, gate


def test_answer_is_what_the_venue_wrote() -> None:
    def behave(handler: Handler) -> None:
        handler.answer(b'[[1,"2.50"]]', X_MBX_USED_WEIGHT_1M="17")

    with serving(behave) as (client, gate, asked):
        answer = client.ask(KLINES, {"symbol": "BTCUSDT", "limit": 5}, weight=3)
    assert (answer.status, answer.body, answer.date_ms) == (200, [[1, "2.50"]], DATE_MS)
    assert asked == ["/binance/fapi/v1/klines?symbol=BTCUSDT&limit=5"]
    assert (gate.asked, gate.heard) == ([3], [(200, None, 17)])


def test_nothing_is_asked_that_the_gate_refuses() -> None:
    with serving(Handler.answer) as (client, gate, asked):
        gate.refusal = SourceError("banned", retry_after_s=60)
        with pytest.raises(SourceError, match="banned"):
            client.ask(KLINES, {}, weight=1)
        assert (asked, gate.heard) == ([], [])


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (429, {"Retry_After": "17"}, 17.0),
        (418, {"Retry_After": "120"}, 120.0),
        (429, {"Retry_After": "Thu, 11 Dec 2025 00:01:30 GMT"}, 90.0),
        (429, {"Retry_After": "Wed, 10 Dec 2025 00:00:00 GMT"}, 0.0),
        (429, {"Retry_After": "Thu, 11 Dec 2025 00:01:30 GMT", "Date": ""}, None),
        (429, {"Retry_After": "soon"}, None),
        (429, {"Retry_After": "\uff11\uff12".encode().decode("latin-1")}, None),
        (418, {}, None),
    ],
)
@pytest.mark.parametrize("body", [b'{"code":-1003,"msg":"Too many requests."}', b"<html>slow down</html>"])
def test_too_many_and_banned_say_how_long_to_wait(
    status: int, headers: dict[str, str], wait: float | None, body: bytes
) -> None:
    error, gate = refused(lambda handler: handler.answer(body, status, **headers))
    assert (error.retry_after_s, error.is_outage, error.permanent) == (wait, False, False)
    assert gate.heard == [(status, wait, None)]


@pytest.mark.parametrize("status", [301, 302, 403, 451, 500, 502, 503, 504, 520])
@pytest.mark.parametrize("body", [b"<html>no</html>", b'{"code":0}', b""])
def test_guards_and_broken_servers_are_outages(status: int, body: bytes) -> None:
    error, gate = refused(lambda handler: handler.answer(body, status, Location="/elsewhere", Retry_After="5"))
    assert (error.is_outage, error.permanent, error.retry_after_s) == (True, False, 5.0)
    assert gate.heard == [(status, 5.0, None)]


@pytest.mark.parametrize(
    "body",
    [b"<html><body>Just a moment...</body></html>", b"", b'[[1,"2"', b"NaN", b'{"a":Infinity}', b"\xff\xfe", b"null"],
)
def test_answer_that_is_not_the_venues_own_is_an_outage(body: bytes) -> None:
    error, gate = refused(lambda handler: handler.answer(body, Content_Type="application/json"))
    assert (error.is_outage, error.permanent) == (True, False)
    assert gate.heard == [(0, None, None)]


@pytest.mark.parametrize("status", [400, 404, 422])
def test_refused_question_is_no_outage(status: int) -> None:
    error, gate = refused(lambda handler: handler.answer(b'{"code":-1130,"msg":"Bad\\n interval."}', status))
    assert str(error) == f'binance answered {status}: {{"code":-1130,"msg":"Bad\\n interval."}}'
    assert (error.is_outage, error.permanent, gate.heard) == (False, False, [(status, None, None)])


def cut_short(handler: Handler) -> None:
    handler.answer(b'[[1,"2"]', Content_Length="900")
    handler.close_connection = True


def hang_up(handler: Handler) -> None:
    handler.close_connection = True


def speak_nonsense(handler: Handler) -> None:
    handler.wfile.write(b"220 smtp.example ready\r\n\r\n")
    handler.close_connection = True


def say_gzip(handler: Handler) -> None:
    handler.answer(b"[not gzip at all]", Content_Encoding="gzip")


@pytest.mark.parametrize("behave", [cut_short, hang_up, speak_nonsense, say_gzip])
def test_broken_transport_is_an_outage(behave: Callable[[Handler], None]) -> None:
    error, gate = refused(behave)
    assert (error.is_outage, gate.heard) == (True, [(0, None, None)])


def test_silence_ends_at_the_time_for_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "READ_S", 0.3)
    over = threading.Event()
    began = time.monotonic()

    def stay_silent(handler: Handler) -> None:
        over.wait(5)
        handler.close_connection = True

    error, gate = refused(stay_silent)
    assert 0.25 < time.monotonic() - began < 3
    over.set()
    assert (error.is_outage, gate.heard) == (True, [(0, None, None)])
    assert str(error) == "binance gave no answer: timed out"


@pytest.mark.parametrize("part", ["head", "body", "chunks"])
def test_trickle_ends_at_the_total_time(monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    monkeypatch.setattr(exchange, "TOTAL_S", 0.6)
    over = threading.Event()

    def trickle(handler: Handler) -> None:
        lines = {
            "head": b"HTTP/1.1 200 OK\r\nX-Slow: ",
            "body": b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n",
            "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        }
        handler.close_connection = True
        try:
            handler.wfile.write(lines[part])
            while not over.wait(0.05):
                handler.wfile.write(b"1\r\n[\r\n" if part == "chunks" else b"[")
        except OSError:
            over.set()  # the client went away

    began = time.monotonic()
    error, gate = refused(trickle)
    assert time.monotonic() - began < 3
    assert str(error) == "binance gave no answer: not complete after 0.6 s"
    assert (error.is_outage, gate.heard) == (True, [(0, None, None)])
    if part != "head":
        assert over.wait(5)  # nobody reads on behind our back
    over.set()


def test_body_may_be_large_but_not_larger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "LARGEST_BODY", 100_000)
    fits, bursts = b"[" + b" " * 99_998 + b"]", b"[" + b" " * 99_999 + b"]"
    for squeeze in (bytes, gzip.compress):
        encoding = "gzip" if squeeze is gzip.compress else ""
        with serving(lambda handler: handler.answer(squeeze(fits), Content_Encoding=encoding)) as (client, *_):  # noqa: B023
            assert client.ask(KLINES, {}, weight=1).body == []
        error, gate = refused(lambda handler: handler.answer(squeeze(bursts), Content_Encoding=encoding))  # noqa: B023
        assert (error.is_outage, gate.heard) == (True, [(0, None, None)])


def test_bomb_is_given_up_long_before_it_is_whole() -> None:
    peak: list[int] = []
    bomb = gzip.compress(b"[" + b" " * (256 << 20), compresslevel=1)
    tracemalloc: Any = import_module("tracemalloc")
    with serving(lambda handler: handler.answer(bomb, Content_Encoding="gzip")) as (client, *_):
        tracemalloc.start()
        try:
            with pytest.raises(SourceError, match="more than 16 MB"):
                client.ask(KLINES, {}, weight=1)
            peak.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert peak[0] < 64 << 20


def test_nobody_there_is_an_outage() -> None:
    gate = Gate()
    with pytest.raises(SourceError, match="gave no answer: ConnectionRefusedError") as caught:
        Client(Access(gate, "http://127.0.0.1:9")).ask(KLINES, {}, weight=1)
    assert (caught.value.is_outage, gate.heard) == (True, [(0, None, None)])


def test_name_that_does_not_resolve_is_an_outage() -> None:
    with pytest.raises(SourceError, match="gave no answer: gaierror") as caught:
        Client(Access(Gate(), "http://nowhere.invalid")).ask(KLINES, {}, weight=1)
    assert caught.value.is_outage is True


def test_certificates_are_checked_and_redirects_are_not_followed() -> None:
    client = Client(Access(Gate())).client
    assert (client.verify, client.validateServerSsl, client.session.verify) == (True, True, True)
    assert (client.enableRateLimit, client.options.get("maxRetriesOnFailure", 0)) == (False, 0)
    with serving(lambda handler: handler.answer(b"[]", 302, Location="/binance/fapi/v1/time")) as (asking, _, asked):
        with pytest.raises(SourceError, match="answered 302"):
            asking.ask(KLINES, {}, weight=1)
        assert len(asked) == 1


def test_venues_own_addresses_are_used_unless_another_is_given() -> None:
    assert Client(Access(Gate())).client.urls["api"]["fapiPublic"] == "https://fapi.binance.com/fapi/v1"
    moved = Client(Access(Gate(), "http://127.0.0.1:8/")).client.urls["api"]
    assert moved["fapiPublic"] == "http://127.0.0.1:8/binance/fapi/v1"


@pytest.mark.parametrize(
    ("url", "address", "moved"),
    [
        ("wss://fstream.binance.com/market/ws", "http://127.0.0.1:8", "ws://127.0.0.1:8/v/market/ws"),
        ("wss://ws.okx.com:8443/ws/v5/public", "https://double.example", "wss://double.example/v/ws/v5/public"),
        ("https://api.{hostname}", "http://127.0.0.1:8", "http://127.0.0.1:8/v"),
        ("https://api.hyperliquid.xyz/info", None, "https://api.hyperliquid.xyz/info"),
    ],
)
def test_address_is_replaced_and_path_is_kept(url: str, address: str | None, moved: str) -> None:
    assert redirected(url, address=address, slug="v") == moved
