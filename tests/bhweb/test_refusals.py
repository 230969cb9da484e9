"""What the loop answers wears what pages wear, is made once for each look, and asks no database."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from bhweb import refusals
from bhweb.bodies import RefusedError
from tests.pages import use_light_services

if TYPE_CHECKING:
    from pytest_django import Settings

BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"
MANY = HTTPStatus.TOO_MANY_REQUESTS


@pytest.fixture(autouse=True)
def nothing_made_before(settings: Settings) -> None:
    use_light_services(settings)
    refusals._answer.cache_clear()  # settings differ between tests


def answer(status: HTTPStatus, *, path: str = "/login/", **headers: str) -> tuple[dict[str, str], str]:
    """Return what is said to such a request: its headers and its body."""
    said: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    given = [(name.encode(), value.encode()) for name, value in headers.items()]
    asyncio.run(refusals.refuse(RefusedError(status), {"path": path, "headers": given}, send))
    start, body = said
    assert start["status"] == status
    assert start["headers"].count((b"content-length", str(len(body["body"])).encode())) == 1
    return {name.decode(): value.decode() for name, value in start["headers"]}, body["body"].decode()


@pytest.mark.parametrize("status", [408, 413, 429, 503])
def test_a_browser_is_shown_a_page_in_its_own_look(status: int) -> None:
    headers, page = answer(HTTPStatus(status), accept=BROWSER, cookie="a=b; theme=light; hue=one")
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers.get("retry-after") == ("2" if status in {429, 503} else None)
    assert 'data-theme="light" data-hue="one"' in page
    assert page.count("<h1>") == 1
    # What else stands in a cookie never comes into a page.
    _, other = answer(HTTPStatus(status), accept=BROWSER, cookie="theme=x; hue=y")
    assert ("data-theme" in other, "data-hue" in other) == (False, False)
    assert refusals._answer.cache_info().currsize == 2


def test_others_are_told_in_their_own_form() -> None:
    headers, text = answer(MANY, accept="*/*")
    assert headers["content-type"] == "text/plain; charset=utf-8"
    headers, program = answer(MANY, path="/api/v1/zones/", accept=BROWSER)
    assert headers["content-type"] == "application/json"
    assert text.endswith(f"{json.loads(program)['detail']}\n")


@pytest.mark.django_db
@pytest.mark.parametrize("is_secure", [False, True])
def test_it_wears_what_every_page_wears(settings: Settings, *, is_secure: bool) -> None:
    if is_secure:
        settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
        settings.SECURE_HSTS_SECONDS = 63_072_000
    page = Client(headers={"X-Forwarded-Proto": "https"}).get("/login/")
    own = {"content-length", "connection", "retry-after", "cache-control", "vary", "expires"}
    shown = {name.lower(): value for name, value in page.headers.items() if name.lower() not in own}
    for accept in (BROWSER, "*/*"):
        headers, _ = answer(MANY, accept=accept)
        assert {**shown, "content-type": ""} == {
            **{k: v for k, v in headers.items() if k not in own},
            "content-type": "",
        }
        assert headers["cache-control"] == "private, no-store"
    assert ("strict-transport-security" in shown) == is_secure
