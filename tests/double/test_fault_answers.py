"""Each fault of an answer really happens, once, and to its venue alone."""

from __future__ import annotations

import http.client
import json
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest

from tests.double import ManualClock, serve, synthetic_market
from tests.double.catalogue import FAULTS
from tests.double.fault_answers import BODY_LIMIT
from tests.double.tape import DAY, HOUR, MINUTE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.double import Double

NOW = 20_440 * DAY + 12 * HOUR + 30_000
BARS = {
    "binance": "binance/fapi/v1/klines?symbol=BTCUSDT&interval=1m&limit=20",
    "bybit": "bybit/v5/market/kline?category=linear&symbol=BTCUSDT&interval=1&limit=20",
    "okx": "okx/api/v5/market/candles?instId=BTC-USDT-SWAP&bar=1m&limit=20",
    "hyperliquid": "hyperliquid/info",
}
SNAPSHOT = {"coin": "BTC", "interval": "1m", "startTime": NOW - 20 * MINUTE, "endTime": NOW}


@pytest.fixture
def double() -> Iterator[Double]:
    clock = ManualClock(NOW)
    with serve(market=synthetic_market(2), clock=clock, ban_ms=clock.now_ms) as double:
        yield double


def read(double: Double, slug: str, seconds: float = 5) -> tuple[int, Any, bytes]:
    """Ask for bars; return status, headers and body as they came."""
    body = json.dumps({"type": "candleSnapshot", "req": SNAPSHOT}).encode() if slug == "hyperliquid" else None
    request = Request(f"{double.address}/{BARS[slug]}", body)
    try:
        with urlopen(request, timeout=seconds) as response:
            return response.status, response.headers, response.read()
    except HTTPError as error:
        return error.code, error.headers, error.read()


def rows(slug: str, body: bytes) -> list[Any]:
    """Return the list of bars in an answer."""
    payload = json.loads(body)
    found = {"bybit": lambda: payload["result"]["list"], "okx": lambda: payload["data"]}.get(slug, lambda: payload)()
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("slug", BARS)
@pytest.mark.parametrize("name", ["connection_reset", "no_answer", "slow_drip", "cut_body"])
def test_broken_lines_break(double: Double, name: str, slug: str) -> None:
    clean = read(double, slug)[2]
    double.inject(FAULTS[name](slug=slug))
    with pytest.raises((TimeoutError, ConnectionError, URLError, http.client.HTTPException)):
        read(double, slug, seconds=0.3)
    assert read(double, slug)[2] == clean


@pytest.mark.parametrize("slug", BARS)
def test_truncated_huge_and_packed_bodies(double: Double, slug: str) -> None:
    clean = read(double, slug)[2]
    double.inject(FAULTS["truncated_json"](slug=slug))
    cut = read(double, slug)[2]
    with pytest.raises(ValueError, match=r"."):
        json.loads(cut)
    assert clean.startswith(cut[:200])
    double.inject(FAULTS["huge_json"](slug=slug))
    huge = read(double, slug)[2]
    assert (len(huge) > BODY_LIMIT, json.loads(huge) is not None) == (True, True)
    double.inject(FAULTS["gzip_bomb"](slug=slug))
    _, headers, packed = read(double, slug)
    assert (headers["Content-Encoding"], len(packed) < 100_000) == ("gzip", True)
    double.inject(FAULTS["html_body"](slug=slug))
    status, headers, page = read(double, slug)
    assert (status, headers["Content-Type"].split(";")[0], page[:6]) == (200, "text/html", b"<html>")
    key = next(key for key in double.acknowledged if key[2] == "bars")
    assert len(double.acknowledged[key]) == 19


@pytest.mark.parametrize(("slug", "status"), [("binance", 429), ("bybit", 200), ("okx", 429), ("hyperliquid", 429)])
def test_a_rate_limit_holds_until_its_time_is_over(double: Double, slug: str, status: int) -> None:
    double.inject(FAULTS["too_many_requests"](slug=slug))
    first = read(double, slug)
    assert (first[0], first[1]["Retry-After"]) == (status, "5")
    assert parsedate_to_datetime(first[1]["Date"]).timestamp() == NOW // 1000
    if slug == "bybit":
        assert int(first[1]["X-Bapi-Limit-Reset-Timestamp"]) == NOW + 5_000
    double.clock.advance(ms=1_200)  # type: ignore[union-attr]
    assert [read(double, slug)[1]["Retry-After"] for _ in range(2)] == ["4", "4"]
    assert len(double.ledger.during_bans()) == 2
    double.clock.advance(ms=3_800)  # type: ignore[union-attr]
    assert len(rows(slug, read(double, slug)[2])) >= 20
    assert len(double.ledger.during_bans()) == 2


def test_errors_come_with_the_venues_status(double: Double) -> None:
    statuses = {}
    for name in ("banned", "server_error", "forbidden", "error_in_envelope"):
        double.clear()
        double.inject(FAULTS[name](slug="binance"))
        statuses[name] = read(double, "binance")[0]
        assert read(double, "bybit")[0] == 200
    assert statuses.pop("server_error") in {500, 502, 503, 504}
    assert statuses == {"banned": 418, "forbidden": 403, "error_in_envelope": 200}
    assert double.requests[-1].slug == "bybit"


def test_stopping_refuses_and_starting_takes_up_the_port(double: Double) -> None:
    port = double.port
    double.stop()
    with pytest.raises(URLError):
        read(double, "binance")
    double.start()
    assert (read(double, "binance")[0], double.port) == (200, port)
