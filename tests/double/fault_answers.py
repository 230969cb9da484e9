"""Faults of the line and of whole answers: F-001 to F-005."""

from __future__ import annotations

import asyncio
import gzip
import json
from functools import cache
from typing import TYPE_CHECKING, ClassVar, Final

from aiohttp import web

from tests.double.faults import REST, Call, Fault

if TYPE_CHECKING:
    from tests.double.ledger import Ledger

PIECE, PAUSE_SECONDS = 16, 1.0
BODY_LIMIT: Final = 16 << 20
PAGE: Final = "<html><head><title>Maintenance</title></head><body><h1>We'll be back soon</h1></body></html>"


class ConnectionReset(Fault):
    """The connection is cut before an answer."""

    name, default_on = "connection_reset", REST

    async def instead(self, call: Call, ledger: Ledger) -> web.StreamResponse | None:
        del ledger
        self.spend()
        if call.request.transport is not None:
            call.request.transport.abort()
        return web.Response(status=502)


class NoAnswer(Fault):
    """The request is taken and never answered."""

    name, default_on = "no_answer", REST

    async def instead(self, call: Call, ledger: Ledger) -> web.StreamResponse | None:
        del call, ledger
        self.spend()
        await asyncio.Event().wait()  # until the client goes away
        return web.Response(status=504)


class SlowDrip(Fault):
    """The body comes sixteen bytes a second."""

    name, default_on, delivers = "slow_drip", REST, True

    async def deliver(self, call: Call, body: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body))})
        await response.prepare(call.request)
        for start in range(0, len(body), PIECE):
            await response.write(body[start : start + PIECE])
            await asyncio.sleep(PAUSE_SECONDS)
        return response


class TooManyRequests(Fault):
    """The venue's rate limit is hit; it wants to be left alone for ``seconds``."""

    name, default_on = "too_many_requests", REST
    status: ClassVar[int] = 429
    seconds: ClassVar[int] = 5
    statuses: ClassVar[dict[str, int]] = {"bybit": 200}  # which says it in the body
    bodies: ClassVar[dict[str, object]] = {
        "bybit": {"retCode": 10006, "retMsg": "Too many visits. Exceeded the API Rate Limit.", "result": {}},
        "okx": {"code": "50011", "msg": "Too Many Requests", "data": []},
        "hyperliquid": None,
    }
    binance: ClassVar[object] = {"code": -1003, "msg": "Too many requests; current limit is 2400 requests per minute."}

    def __init__(self, **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self.until_ms: dict[str, int] = {}

    def reaches(self, slug: str, endpoint: str, now: int) -> bool:
        """A ban holds for the whole venue."""
        return slug in self.until_ms or super().reaches(slug, endpoint, now)

    async def instead(self, call: Call, ledger: Ledger) -> web.StreamResponse | None:
        now = ledger.ban_ms()
        if now >= self.until_ms.get(call.slug, 0):
            self.until_ms.pop(call.slug, None)
            if not self.reaches(call.slug, call.endpoint, call.now):
                return None
            self.spend()
            self.until_ms[call.slug] = ledger.ban(call.slug, self.seconds)
        left = -(-(self.until_ms[call.slug] - now) // 1000)
        headers = {"Retry-After": str(left)}
        status = self.statuses.get(call.slug, self.status)
        if call.slug == "bybit":
            headers["X-Bapi-Limit-Reset-Timestamp"] = str(call.now // 1000 * 1000 + left * 1000)
        return web.json_response(self.bodies.get(call.slug, self.binance), status=status, headers=headers)


class Banned(TooManyRequests):
    """Binance's ban: 418."""

    name = "banned"
    status, seconds = 418, 120
    statuses: ClassVar[dict[str, int]] = {"bybit": 403, "okx": 429, "hyperliquid": 429}
    binance: ClassVar[object] = {"code": -1003, "msg": "Way too many requests; IP banned until further notice."}


class ServerError(Fault):
    """502, 503 or 504 of a gateway."""

    name, default_on = "server_error", REST

    async def instead(self, call: Call, ledger: Ledger) -> web.StreamResponse | None:
        del call, ledger
        self.spend()
        return web.Response(status=self.random.choice((500, 502, 503, 504)), text=PAGE, content_type="text/html")


class Forbidden(Fault):
    """A firewall's 403 (Bybit's "access too frequent")."""

    name, default_on = "forbidden", REST

    async def instead(self, call: Call, ledger: Ledger) -> web.StreamResponse | None:
        del call, ledger
        self.spend()
        return web.Response(status=403, text="403 Forbidden: access too frequent", content_type="text/html")


class HtmlBody(Fault):
    """A page of HTML with status 200."""

    name, default_on, delivers = "html_body", REST, True

    async def deliver(self, call: Call, body: bytes) -> web.StreamResponse:
        del call, body
        return web.Response(text=PAGE, content_type="text/html")


class TruncatedJson(Fault):
    """JSON that ends in the middle, with a length that agrees."""

    name, default_on, delivers = "truncated_json", REST, True

    async def deliver(self, call: Call, body: bytes) -> web.StreamResponse:
        del call
        return web.Response(body=body[: len(body) * 2 // 3], content_type="application/json")


class CutBody(Fault):
    """The connection is cut in the middle of the body."""

    name, default_on, delivers = "cut_body", REST, True

    async def deliver(self, call: Call, body: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body))})
        await response.prepare(call.request)
        await response.write(body[: len(body) // 2])
        if call.request.transport is not None:
            call.request.transport.close()
        return response


class HugeJson(Fault):
    """Valid JSON beyond sixteen megabytes: the answer, padded with blanks."""

    name, default_on, delivers = "huge_json", REST, True

    async def deliver(self, call: Call, body: bytes) -> web.StreamResponse:
        del call
        return web.Response(body=body[:-1] + b" " * (BODY_LIMIT + 1) + body[-1:], content_type="application/json")


@cache
def _packed_blanks() -> bytes:
    return gzip.compress(b" " * (BODY_LIMIT + (4 << 20)), 9)


class GzipBomb(Fault):
    """A few kilobytes that unpack to more than sixteen megabytes of valid JSON."""

    name, default_on, delivers = "gzip_bomb", REST, True

    async def deliver(self, call: Call, body: bytes) -> web.StreamResponse:
        del call
        packed = gzip.compress(body[:-1]) + _packed_blanks() + gzip.compress(body[-1:])  # parts make one, says RFC 1952
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        return web.Response(body=packed, headers=headers)


class ErrorWithSuccess(Fault):
    """The venue's own error envelope with status 200."""

    name, default_on, delivers = "error_in_envelope", REST, True
    bodies: ClassVar[dict[str, object]] = {
        "bybit": {"retCode": 10016, "retMsg": "Internal server error", "result": {}, "retExtInfo": {}, "time": 0},
        "okx": {"code": "50026", "msg": "System error. Try again later.", "data": []},
        "hyperliquid": {"error": "internal"},
    }

    async def deliver(self, call: Call, body: bytes) -> web.StreamResponse:
        del body
        payload = self.bodies.get(call.slug, {"code": -1000, "msg": "An unknown error occurred."})
        return web.Response(body=json.dumps(payload).encode(), content_type="application/json")


ANSWER_FAULTS: Final = (
    ConnectionReset, NoAnswer, SlowDrip, TooManyRequests, Banned, ServerError, Forbidden, HtmlBody, TruncatedJson,
    CutBody, HugeJson, GzipBomb, ErrorWithSuccess,
)  # fmt: skip
