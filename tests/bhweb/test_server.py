"""The real server on the test database, and clients that mean it ill."""

from __future__ import annotations

import http.client
import os
import selectors
import socket
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from access.early import sheets
from access.tasks import make_operator_link
from bhweb import patience, turnstile
from journal import imports
from tests.running import Broker, Programs, database_url, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db(transaction=True)
BODY_SECONDS = 1
# More than the streams and pages that used to be the bound of all connections.
MANY = 500
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def programs_of_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    started = Programs(tmp_path_factory.mktemp("web"))
    yield started
    started.end()
    print(started.logs())


@pytest.fixture(scope="module")
def port(django_db_setup: None, broker: Broker, programs_of_module: Programs) -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    environment = {
        "DATABASE_URL": database_url(connection.settings_dict),
        "REDIS_URL": broker.celery_url,
        "DJANGO_SETTINGS_MODULE": "bhweb.settings",
        "BH_BODY_SECONDS": str(BODY_SECONDS),
    }
    programs_of_module.start("-m", "django", "web", f"--port={port}", env=environment)
    wait_for(lambda: answers(port), what="the server")
    return port


def answers(port: int) -> bool:
    try:
        return ask(port, "/healthz") == (200, b"ok\n")
    except OSError:
        return False


def ask(port: int, path: str, *, body: bytes | None = None, method: str = "GET", **headers: str) -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as link:
        link.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = link.getresponse()
        return answer.status, answer.read()


def connect(port: int, *, saying: bytes = b"") -> socket.socket:
    link = socket.create_connection(("127.0.0.1", port), timeout=20)
    link.sendall(saying)
    return link


def head(port: int, path: str, *, length: int) -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {length}\r\n\r\n".encode()


def test_slow_bodies_hold_no_thread_and_are_refused(port: int) -> None:
    with ExitStack() as links:
        slow = [links.enter_context(connect(port, saying=head(port, "/enter/x/", length=999))) for _ in range(40)]
        assert ask(port, "/healthz") == (200, b"ok\n")
        # Nobody has been sent away when the page came: it did not wait for the slow.
        slow[0].settimeout(0)
        with pytest.raises(BlockingIOError):
            slow[0].recv(1)
        for link in slow:
            link.settimeout(20)
            assert link.recv(12) == b"HTTP/1.1 408"


def test_a_body_that_trickles_is_refused_all_the_same(port: int) -> None:
    with connect(port, saying=head(port, "/enter/x/", length=999)) as link:
        link.settimeout(BODY_SECONDS / 10)
        answer = b""
        for _ in range(200):
            try:
                link.sendall(b"x")
                answer = link.recv(12)
                break
            except TimeoutError:
                continue
        assert answer == b"HTTP/1.1 408"


@pytest.mark.parametrize("is_announced", [True, False])
def test_large_body_is_refused(port: int, *, is_announced: bool) -> None:
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    assert most is not None
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as link:
        body = b"x" * (most + 1)
        link.request("POST", "/login/", body if is_announced else iter([body]), encode_chunked=not is_announced)
        assert link.getresponse().status == 413


def test_a_flood_of_logins_is_sent_away_at_once(port: int) -> None:
    form, token = b"login=a%40example.com&password=a+wrong+phrase", "a" * 32
    saying = "\r\n".join([
        f"POST /login/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}",
        f"Cookie: csrftoken={token}\r\nX-CSRFToken: {token}\r\nContent-Type: {FORM}",
        f"Content-Length: {len(form)}\r\n\r\n",
    ])  # fmt: skip
    with ExitStack() as links:
        sent = [links.enter_context(connect(port, saying=saying.encode() + form)) for _ in range(turnstile.LENGTH + 4)]
        first: list[socket.socket] = []
        # Unlike select(), this takes descriptors of any number: a long run of tests may hold many.
        with selectors.DefaultSelector() as answering:
            for link in sent:
                answering.register(link, selectors.EVENT_READ, data=link)
            while len(first) < 4 and (ready := answering.select(20)):
                first += [answering.unregister(key.fileobj).data for key, _ in ready]
        assert len(first) >= 4
        for link in first[:4]:
            answer = link.recv(4096).decode()
            assert answer.startswith("HTTP/1.1 429")
            assert "retry-after: 2" in answer
            assert "x-content-type-options: nosniff" in answer
        assert ask(port, "/healthz") == (200, b"ok\n")


def test_files_may_be_larger_where_they_are_sent_to(port: int) -> None:
    places = {reverse(name) for name in ("journal:trade-files", "journal:moved-journals", "access:early-csv-in")}
    assert places == settings.FILE_PATHS
    assert max(imports.MOST_BYTES, sheets.BYTES_MOST) + (1 << 16) < settings.FILE_BYTES_MOST
    csrf = {"Cookie": "csrftoken=" + "a" * 32, "Origin": f"http://127.0.0.1:{port}", "X_CSRFToken": "a" * 32}
    # Somebody who is not logged in is sent to the login, and not away for the size.
    for path in places - {reverse("access:early-csv-in")}:
        sent = ask(port, path, body=b"x" * (imports.MOST_BYTES + 1), method="POST", Content_Type="text/plain", **csrf)
        assert sent[0] == 302
    body = b"x" * (settings.FILE_BYTES_MOST + 1)
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as link:
        link.request("POST", "/trades/files/", body)
        assert link.getresponse().status == 413


def test_a_line_of_a_gigabyte_is_refused_before_it_has_come(port: int) -> None:
    piece, sent = b"x" * (1 << 20), 0
    with connect(port, saying=head(port, "/trades/files/", length=1 << 30)) as link:
        try:
            for _ in range(1 << 10):
                link.sendall(piece)
                sent += len(piece)
            answer = link.recv(12)
        except ConnectionError:
            answer = b""  # it was hung up on, which is the other way to refuse
    assert answer in {b"", b"HTTP/1.1 413"}
    assert sent < 1 << 28


def test_whole_body_reaches_the_page(port: int) -> None:
    path = make_operator_link(now=timezone.now())
    form = f"padding={'x' * 500_000}&csrfmiddlewaretoken={'a' * 32}".encode()
    cookie, origin = "csrftoken=" + "a" * 32, f"http://127.0.0.1:{port}"
    assert ask(port, path, body=form, method="POST", Cookie=cookie, Origin=origin, Content_Type=FORM)[0] == 302


@pytest.mark.parametrize("saying", [b"", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: "])
def test_silent_connections_keep_nobody_out(port: int, saying: bytes) -> None:
    with ExitStack() as links:
        for _ in range(MANY):
            links.enter_context(connect(port, saying=saying))
        assert ask(port, "/healthz") == (200, b"ok\n")


def test_kept_connections_keep_nobody_out_and_are_closed(port: int) -> None:
    with ExitStack() as links:
        kept = [links.enter_context(connect(port)) for _ in range(MANY)]
        for link in kept:
            link.sendall(f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        for link in kept:
            assert link.recv(4096).startswith(b"HTTP/1.1 200")
        assert ask(port, "/healthz") == (200, b"ok\n")
        rest = kept[0].recv(4096)
        while rest:
            rest = kept[0].recv(4096)


def test_pages_do_not_wait_long_for_the_database(port: int) -> None:
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("LOCK TABLE django_session IN ACCESS EXCLUSIVE MODE")
    try:
        path = "/api/v1/instruments/"
        assert ask(port, path, Cookie="sessionid=" + "x" * 32)[0] == 503
    finally:
        other.close()


def test_bounds_reach_the_sessions_of_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {patience.VARIABLE: "-c work_mem=5MB -c lock_timeout=7s"}
    patience.PAGES.apply(environment)
    monkeypatch.setenv(patience.VARIABLE, environment[patience.VARIABLE])
    other = connection.copy()
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "work_mem")
    with closing(other), other.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(f"current_setting('{name}')" for name in names))
        assert cursor.fetchone() == ("5s", "7s", "30s", "5MB")


def test_workers_wait_longer_than_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(patience.VARIABLE, "")
    monkeypatch.setattr("bhweb.celery.app.worker_main", lambda argv: None)
    call_command("worker")
    expected = "-c statement_timeout=120s -c lock_timeout=60s -c idle_in_transaction_session_timeout=120s"
    assert os.environ[patience.VARIABLE] == expected
