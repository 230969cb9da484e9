"""The event stream of the real server on the test database."""

from __future__ import annotations

import datetime as dt
import http.client
import json
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client

from bhweb import events
from market.models import Coverage
from tests.factories import make_instrument
from tests.running import Broker, Programs, database_url, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from market.models import Instrument

pytestmark = pytest.mark.django_db(transaction=True)
HEARTBEAT_S = 1


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with tempfile.TemporaryDirectory(prefix="bh") as directory:
        server = Broker(Path(directory))
        server.start()
        yield server
        server.stop()


@pytest.fixture(scope="module")
def server(
    django_db_setup: None, broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Programs, int]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    programs = Programs(tmp_path_factory.mktemp("web"))
    programs.start("-m", "django", "web", f"--port={port}", env=environment(broker))
    wait_for(lambda: answers(port), what="the server")
    yield programs, port
    programs.end()
    print(programs.logs())


def environment(broker: Broker) -> dict[str, str]:
    return {
        "DATABASE_URL": database_url(connection.settings_dict),
        "REDIS_URL": broker.celery_url,
        "DJANGO_SETTINGS_MODULE": "bhweb.settings",
        "BH_EVENTS_HEARTBEAT_S": str(HEARTBEAT_S),
    }


def answers(port: int) -> bool:
    try:
        return get(port, "/healthz")[0] == 200
    except OSError:
        return False


def get(port: int, path: str, **headers: str) -> tuple[int, bytes, http.client.HTTPResponse]:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    link.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = link.getresponse()
    return answer.status, answer.read(), answer


class Page:
    """An open page that listens."""

    def __init__(self, port: int, cookie: str, key: str) -> None:
        self.link = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self.link.request("GET", f"/events?instrument={key}", headers={"Cookie": cookie})
        self.answer = self.link.getresponse()
        self.retry_ms = 0

    def hear(self) -> tuple[str, dict[str, Any]]:
        """Wait for the next event."""
        event = ""
        while True:
            line = self.answer.readline().decode()
            assert line, "the stream has ended"
            name, _, value = line.rstrip("\n").partition(": ")
            if name == "retry":
                self.retry_ms = int(value)
            elif name == "event":
                event = value
            elif name == "data":
                return event, json.loads(value)

    def hear_about(self, event: str) -> dict[str, Any]:
        """Wait for the next event of a kind."""
        while True:
            heard, data = self.hear()
            if heard == event:
                return data

    def close(self) -> None:
        """Go away without a word."""
        self.answer.close()
        self.link.close()


@pytest.fixture
def pages() -> Iterator[list[Page]]:
    opened: list[Page] = []
    yield opened
    for page in opened:
        page.close()


@pytest.fixture
def port(server: tuple[Programs, int]) -> int:
    return server[1]


@pytest.fixture
def instrument() -> Instrument:
    return make_instrument(is_live=True)


@pytest.fixture
def cookie() -> str:
    return log_in("member@example.org")


def log_in(email: str) -> str:
    client = Client()
    client.force_login(get_user_model().objects.create_user(email))
    return f"sessionid={client.cookies['sessionid'].value}"


def store_through(instrument: Instrument, end_at: dt.datetime) -> None:
    Coverage.objects.update_or_create(
        instrument=instrument,
        series="bars",
        timeframe=60,
        start_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        defaults={"end_at": end_at},
    )


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Cookie": ""}, 401),
        ({"Cookie": "sessionid=0123456789abcdef0123456789abcdef"}, 401),
        ({"Host": "evil.example"}, 400),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_events_refuses_strangers(
    port: int, instrument: Instrument, cookie: str, headers: dict[str, str], status: int
) -> None:
    assert get(port, f"/events?instrument={instrument.key}", **{"Cookie": cookie, **headers})[0] == status


@pytest.mark.parametrize(
    "query", ["", "instrument=", "instrument=a:b", "instrument=a:b&instrument=a:c", "instrument=%00"]
)
def test_events_knows_only_instruments(port: int, instrument: Instrument, cookie: str, query: str) -> None:
    assert get(port, f"/events?{query}", Cookie=cookie)[0] == 404


def test_events_refuses_a_user_who_was_disabled(port: int, instrument: Instrument, cookie: str) -> None:
    get_user_model().objects.update(is_active=False)
    assert get(port, f"/events?instrument={instrument.key}", Cookie=cookie)[0] == 401


def test_events_begins_with_the_state_now(
    port: int, instrument: Instrument, cookie: str, pages: list[Page], now: dt.datetime
) -> None:
    store_through(instrument, now)
    pages.append(Page(port, cookie, instrument.key))
    event, data = pages[0].hear()
    as_of_ms = int(now.timestamp() * 1000)
    now_ms = data.pop("now_ms")
    assert (pages[0].answer.status, event) == (200, "tick")
    assert data == {
        "instrument": instrument.key,
        "v": as_of_ms,
        "as_of_ms": as_of_ms,
        "stale_after_ms": as_of_ms + 75_000,
    }
    assert abs(now_ms / 1000 - dt.datetime.now(dt.UTC).timestamp()) < 10
    assert 3_000 <= pages[0].retry_ms < 15_000


def test_events_tells_what_changed(
    port: int, instrument: Instrument, cookie: str, pages: list[Page], broker: Broker
) -> None:
    now = dt.datetime(2026, 1, 15, 12, 0, tzinfo=dt.UTC)
    other = make_instrument(symbol="ETHUSDT", is_live=True)
    pages.extend([Page(port, cookie, instrument.key), Page(port, cookie, other.key)])
    for page in pages:
        page.hear_about("tick")
    store_through(instrument, now)
    publish(broker, instrument)
    assert pages[0].hear_about("tick")["as_of_ms"] == int(now.timestamp() * 1000)
    assert [pages[1].hear()[0] for _ in range(2)] == ["clock", "clock"]


def publish(broker: Broker, instrument: Instrument) -> None:
    wait_for(lambda: broker.client().pubsub_numsub(events.CHANNEL)[0][1], what="the server's ear")
    broker.client().publish(events.CHANNEL, json.dumps({"instrument": instrument.key, "stage": "ingest", "v": 1}))


def test_events_survives_nonsense_from_redis(
    port: int, instrument: Instrument, cookie: str, pages: list[Page], broker: Broker
) -> None:
    pages.append(Page(port, cookie, instrument.key))
    pages[0].hear_about("tick")
    for nonsense in (b"\xff", b"[]", b"{}", b'{"instrument": ["x"]}', b"1"):
        broker.client().publish(events.CHANNEL, nonsense)
    publish(broker, instrument)
    assert pages[0].hear_about("tick")["instrument"] == instrument.key


def test_events_tells_the_time_while_nothing_happens(
    port: int, instrument: Instrument, cookie: str, pages: list[Page]
) -> None:
    pages.append(Page(port, cookie, instrument.key))
    heard = [pages[0].hear() for _ in range(3)]
    assert [event for event, _ in heard] == ["tick", "clock", "clock"]
    assert heard[2][1]["now_ms"] - heard[1][1]["now_ms"] >= 900 * HEARTBEAT_S


def test_events_goes_on_after_redis_was_away(
    port: int, instrument: Instrument, cookie: str, pages: list[Page], broker: Broker
) -> None:
    pages.append(Page(port, cookie, instrument.key))
    pages[0].hear_about("tick")
    broker.stop()
    pages[0].hear_about("clock")
    broker.start()
    # Whatever was missed is told as soon as Redis is back.
    assert pages[0].hear_about("tick")["instrument"] == instrument.key


def test_events_allows_four_streams_a_user(port: int, instrument: Instrument, cookie: str, pages: list[Page]) -> None:
    pages.extend(Page(port, cookie, instrument.key) for _ in range(4))
    for page in pages:
        page.hear_about("tick")
    status, _, answer = get(port, f"/events?instrument={instrument.key}", Cookie=cookie)
    assert status == 503
    assert 3 <= int(answer.headers["Retry-After"]) <= 15
    pages.append(Page(port, log_in("other@example.org"), instrument.key))
    assert pages[-1].answer.status == 200
    pages[0].close()
    wait_for(lambda: reopened(port, cookie, instrument, pages), what="the place of the closed stream")


def reopened(port: int, cookie: str, instrument: Instrument, pages: list[Page]) -> bool:
    pages.append(Page(port, cookie, instrument.key))
    return pages[-1].answer.status == 200


def test_pages_are_served_beside_open_streams(
    port: int, instrument: Instrument, cookie: str, pages: list[Page]
) -> None:
    pages.append(Page(port, cookie, instrument.key))
    assert get(port, "/healthz")[1] == b"ok\n"


def test_server_says_goodbye_before_it_stops(
    instrument: Instrument, cookie: str, pages: list[Page], broker: Broker, tmp_path: Path
) -> None:
    programs = Programs(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    web = programs.start("-m", "django", "web", f"--port={port}", env=environment(broker))
    try:
        wait_for(lambda: answers(port), what="the server")
        pages.append(Page(port, cookie, instrument.key))
        pages[0].hear_about("tick")
        web.terminate()
        assert pages[0].hear_about("bye") == {}
        web.wait(10)
    finally:
        programs.end()
