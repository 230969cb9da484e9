"""What the server's loop answers where no page is asked: made once for each look, without the database."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from csp.middleware import CSPMiddleware
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.cookie import parse_cookie
from django.middleware.security import SecurityMiddleware
from django.template.loader import render_to_string

from bhweb.headers import HeadersEverywhere

if TYPE_CHECKING:
    from bhweb.bodies import RefusedError
    from bhweb.streams import Scope, Send

RETRY_S: Final = 2
_WORDS: Final = {
    HTTPStatus.REQUEST_TIMEOUT: ("That took too long", "The request took too long to arrive. Nothing was done."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (
        "That is too large",
        "The request is larger than anything that is asked for here. Nothing was kept of it.",
    ),
    HTTPStatus.TOO_MANY_REQUESTS: (
        "Many log in at this moment",
        "Nothing was checked or counted. Go back and try again in a few seconds.",
    ),
    HTTPStatus.SERVICE_UNAVAILABLE: (
        "Much is arriving at once",
        "Too many large requests at once. Nothing was kept of yours. Try again in a moment.",
    ),
}
_AGAIN: Final = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom an answer is for: a program of the API, a browser with its look, or something that takes no pages."""

    is_program: bool
    takes_pages: bool
    theme: str
    hue: str


async def refuse(refused: RefusedError, scope: Scope, send: Send) -> None:
    """Say why, and hang up."""
    headers, body = _answer(refused.status, _reader(scope))
    await send({"type": "http.response.start", "status": refused.status.value, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _reader(scope: Scope) -> Reader:
    headers: dict[bytes, bytes] = dict(scope["headers"])
    cookies = parse_cookie(headers.get(b"cookie", b"").decode("latin-1"))
    # Nothing else of what they hold comes into the page, so that there are few pages to keep.
    theme, hue = cookies.get("theme", ""), cookies.get("hue", "")
    return Reader(
        is_program=scope["path"].startswith("/api/"),
        takes_pages=b"text/html" in headers.get(b"accept", b""),
        theme=theme if theme in {"dark", "light"} else "",
        hue=hue if hue == "one" else "",
    )


@cache
def _answer(status: HTTPStatus, reader: Reader) -> tuple[list[tuple[bytes, bytes]], bytes]:
    response = _dressed(_plain(status, reader))
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Connection"] = "close"
    response.headers["Content-Length"] = str(len(response.content))
    if status in _AGAIN:
        response.headers["Retry-After"] = str(RETRY_S)
    headers = [(name.lower().encode(), value.encode()) for name, value in response.headers.items()]
    return headers, response.content


def _plain(status: HTTPStatus, reader: Reader) -> HttpResponse:
    heading, words = _WORDS[status]
    if reader.is_program:
        return JsonResponse({"detail": words})
    if not reader.takes_pages:
        return HttpResponse(f"{heading}. {words}\n", content_type="text/plain; charset=utf-8")
    # Without the request itself: to ask who is logged in, the page would need the database.
    told: dict[str, Any] = {"COOKIES": {"theme": reader.theme, "hue": reader.hue}}
    return HttpResponse(render_to_string("refused.html", {"request": told, "heading": heading, "words": words}))


def _dressed(response: HttpResponse) -> HttpResponse:
    """Put on what every page wears."""
    request = HttpRequest()
    # Who is behind a proxy that counts came by HTTPS: the others have been sent there.
    request.META["HTTP_X_FORWARDED_PROTO"] = "https"
    for layer in (CSPMiddleware, SecurityMiddleware):
        layer(lambda _: response).process_response(request, response)
    HeadersEverywhere(lambda _: response)(request)
    return response
