"""Headers on every answer, and what comes of lies in the host, in the way here and in the way on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import pytest
from django.test import Client

from tests.factories import make_user
from tests.pages import client_of

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = pytest.mark.django_db
PASSWORD = "a long enough phrase"
ROOT = Path(__file__).resolve().parents[2]
ANSWERS = {"/": 200, "/login/": 200, "/nothing/": 404, "/account/": 302, "/healthz": 200, "/api/v1/plans/": 401,
           "/logout/": 405, "/static/nothing.css": 404, "/outbox/": 404}  # fmt: skip


@pytest.mark.parametrize("address", sorted(ANSWERS))
def test_every_answer_carries_the_headers(address: str) -> None:
    answer = Client().get(address)
    assert answer.status_code == ANSWERS[address]
    wanted = {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    assert {name: answer.headers.get(name) for name in wanted} == wanted
    rules = dict(rule.strip().partition(" ")[::2] for rule in answer["Content-Security-Policy"].split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["frame-ancestors"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["form-action"] == "'self'"
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert "geolocation=()" in answer["Permissions-Policy"]


def test_behind_https_cookies_are_secure_and_the_browser_stays_there(settings: Settings) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_HSTS_SECONDS = 63_072_000
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    make_user(password=PASSWORD)
    assert Client().get("/login/")["Location"].startswith("https://")
    assert Client().get("/healthz").status_code == 200
    client = Client(headers={"X-Forwarded-Proto": "https"})
    answer = client.post("/login/", {"login": "owner@example.com", "password": PASSWORD})
    assert answer["Strict-Transport-Security"].startswith("max-age=63072000")
    assert {"sessionid", "device"} <= set(answer.cookies)
    for cookie in answer.cookies.values():
        assert (bool(cookie["secure"]), bool(cookie["httponly"]), cookie["samesite"]) == (True, True, "Lax")


def test_the_deployment_check_has_nothing_to_say() -> None:
    scaled = {
        "DATABASE_URL": "postgresql://bh@db.example.org/bh",
        "REDIS_URL": "redis://broker.example.org",
        "BH_SECRET_KEY": "Kd82-hs0aPq7Lm3xZ5vB9nT1rY6uW4eC8jF2gH0kS7dA5qX3-and-more",
        "BH_SECURE": "1",
        "BH_EMBEDDED": "0",
        "BH_ALLOWED_HOSTS": "terminal.example.org",
        "BH_SITE_URL": "https://terminal.example.org",
        "BH_SMTP_URL": "smtp://mail.example.org",
    }
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    around = {name: value for name, value in os.environ.items() if name != "DJANGO_ALLOW_ASYNC_UNSAFE"}
    told = subprocess.run(command, cwd=ROOT, env=around | scaled, capture_output=True, text=True, check=False)
    assert (told.returncode, "no issues" in told.stdout + told.stderr) == (0, True), told.stderr


WAYS_OUT = [
    "//evil.example", "///evil.example", "\\\\evil.example", "/\\evil.example", "https:evil.example",
    "https://evil.example",
    "http:///evil.example", "//evil.example/%2f..", "/%09/evil.example", "\t//evil.example", "javascript:alert(1)",
    "data:text/html,x", "https://testserver@evil.example/", "https://testserver.evil.example/",
    "//testserver@evil.example",
    "%2f%2fevil.example", "/login/\r\nLocation: https://evil.example", "https://evil.example%00testserver/",
    "ftp://testserver/",
]  # fmt: skip


@pytest.mark.parametrize("way", WAYS_OUT)
def test_no_way_on_leads_out(way: str) -> None:
    make_user(password=PASSWORD)
    form = {"login": "owner@example.com", "password": PASSWORD, "next": way}
    client = Client()
    places = [client.post("/login/", form), client.get("/login/", {"next": way})]
    places += [
        client.post("/account/again/", {"password": PASSWORD, "next": way}),
        client.post("/logout/", {"next": way}),
    ]
    for answer in places:
        assert answer.status_code in {200, 302}
        where = answer.headers.get("Location", "/")
        as_browsers_read_it = where.replace("\\", "/").replace("\t", "")
        assert urlsplit(urljoin("http://testserver/login/", as_browsers_read_it)).netloc == "testserver"
        assert not {"\r", "\n"} & set(where)


HOSTS = [
    "evil.example", "testserver.evil.example", "testserver@evil.example", "evil.example#testserver",
    "testserver:80:80", "", "[::1", "testserver\t", "localhost.evil.example", "127.0.0.1.evil.example",
]  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
def test_no_other_host_is_answered(host: str) -> None:
    for address in ("/", "/login/", "/reset/"):
        answer = Client(SERVER_NAME="testserver").get(address, HTTP_HOST=host)
        assert answer.status_code == 400 or host == ""
        assert b"evil" not in answer.content
    forwarded = Client(headers={"X-Forwarded-Host": host or "evil.example", "X-Host": "evil.example"}).get("/account/")
    assert forwarded["Location"] == "/login/?next=/account/"


ORIGINS = [
    "198.51.100.7",
    "127.0.0.1",
    "::1",
    "198.51.100.7, 127.0.0.1",
    "",
    "nonsense",
    "198.51.100.7:80",
    "' OR 1=1",
    ",,,",
]


def test_whatever_is_claimed_of_the_way_here_the_tries_are_one_visitors() -> None:
    statuses = []
    for turn in range(24):
        claims = {name: ORIGINS[turn % len(ORIGINS)] for name in ("X-Forwarded-For", "X-Real-IP", "Forwarded")}
        form = {"login": f"user{turn}@example.com", "password": "wrong"}
        statuses.append(Client(headers=claims).post("/login/", form).status_code)
    assert statuses == [422] * 20 + [429] * 4


def test_the_outbox_is_no_way_in_for_a_page_of_another_site() -> None:
    answer = client_of(make_user(is_staff=True)).get("/outbox/")
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer["Cache-Control"] == "private, no-store"
