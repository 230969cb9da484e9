"""The database away, slow or locked, and requests that nobody can read: answers without a trace of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test import Client

from bhweb.logs import LONGEST, Discreet
from tests.factories import make_user
from tests.pages import client_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.django_db(transaction=True)
FORM = "application/x-www-form-urlencoded"
TOKEN = "a" * 32


@pytest.fixture
def member(db: None) -> Client:
    client = client_of(make_user())
    client.raise_request_exception = False
    return client


@pytest.fixture
def stranger() -> Client:
    client = Client(raise_request_exception=False, enforce_csrf_checks=True)
    client.cookies["csrftoken"] = TOKEN
    return client


@pytest.fixture
def dead_database(member: Client, tmp_path: Path) -> Iterator[None]:
    connection.close()
    host = connection.settings_dict["HOST"]
    connection.settings_dict["HOST"] = str(tmp_path)
    yield
    connection.settings_dict["HOST"] = host
    connection.close()


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    caplog.handler.addFilter(discreet := Discreet())
    yield caplog
    caplog.handler.removeFilter(discreet)


@pytest.mark.parametrize("path", ["/instruments/", "/plans/", "/account/", "/tick/a:b/", "/admin/"])
def test_page_without_database_is_503(path: str, member: Client, dead_database: None) -> None:
    answer = member.get(path)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "The data are out of reach" in answer.content.decode()
    assert "script-src 'self'" in answer["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/api/v1/instruments/", "/api/v1/plans/", "/api/schema/"])
@pytest.mark.parametrize("key", [{}, {"Authorization": "Bearer bh_unknown"}])
def test_api_without_database_is_503_in_json(
    path: str, key: dict[str, str], member: Client, dead_database: None
) -> None:
    answer = member.get(path, headers=key)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer.json() == {"detail": "The database does not answer at the moment. Try again shortly."}


@pytest.mark.parametrize("path", ["/", "/login/"])
def test_public_pages_need_no_database(path: str, stranger: Client, dead_database: None) -> None:
    assert stranger.get(path).status_code == 200


def test_healthz_of_a_member_without_database_is_503(member: Client, stranger: Client, dead_database: None) -> None:
    for client in (member, stranger):
        answer = client.get("/healthz")
        assert (answer.status_code, answer["Retry-After"], answer.content[:12]) == (503, "2", b"the database")


def test_outage_is_one_line_of_the_log(member: Client, dead_database: None, log: pytest.LogCaptureFixture) -> None:
    member.get("/plans/")
    (record,) = log.records
    assert (record.name, record.exc_info) == ("django.request", None)
    assert record.getMessage().startswith("Service Unavailable: /plans/ (OperationalError: connection ")
    assert len(log.text.splitlines()) == 1


def test_page_that_waits_for_a_lock_is_503(member: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '50ms'")
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("LOCK TABLE journal_plan IN ACCESS EXCLUSIVE MODE")
    try:
        assert member.get("/plans/").status_code == 503
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = 0")
            cursor.execute("SET statement_timeout = '50ms'")
        assert member.get("/plans/").status_code == 503
    finally:
        other.close()
        connection.close()


def test_fault_of_ours_stays_a_500_with_its_trace(
    member: Client, monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("access.queries.list_api_keys", lambda *, user: 1 / 0)
    answer = member.get("/account/")
    assert (answer.status_code, "Retry-After" in answer) == (500, False)
    assert "Something broke on our side" in answer.content.decode()
    assert "ZeroDivisionError" in log.text
    assert "Traceback" in log.text


@pytest.mark.parametrize(
    ("kind", "body", "statuses"),
    [
        (f"{FORM}; charset=utf-7", "a=b", [400, 400]),
        (FORM, "a=b&" * 2000, [400, 400]),
        ("multipart/form-data; boundary=x", "garbage", [403, 404]),
    ],
)
def test_unreadable_form_is_refused(
    kind: str, body: str, statuses: list[int], stranger: Client, log: pytest.LogCaptureFixture
) -> None:
    answers = [stranger.post(path, body, content_type=kind) for path in ("/login/", "/nowhere/")]
    assert [answer.status_code for answer in answers] == statuses
    assert all("script-src 'self'" in answer["Content-Security-Policy"] for answer in answers)
    assert "Traceback" not in log.text


def test_log_holds_neither_secrets_nor_endless_addresses(stranger: Client, log: pytest.LogCaptureFixture) -> None:
    stranger.post("/enter/very-secret-token/")
    stranger.get("/" + "x" * 5000)
    lines = [record.getMessage() for record in log.records]
    assert lines[0] == "Forbidden (CSRF token missing.): /enter/…/"
    assert [len(line) for line in lines[1:]] == [LONGEST + 1]
