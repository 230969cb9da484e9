"""A wave of 5,000 invitations through real processes, with killed workers and an emptied broker on the way."""

from __future__ import annotations

import datetime as dt
import os
import signal
import socketserver
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import pytest
from django.db import connection
from django.utils import timezone

from access.early import waves
from access.mail import address_digest, suppress
from access.models import Mail, Signup, Wave
from tests.running import Broker, Programs, database_url, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(os.environ.get("BH_CAMPAIGNS") != "1", reason="BH_CAMPAIGNS=1 runs it"),
    pytest.mark.timeout(900),
]
SIZE: Final = 5_000
GONE: Final = 50


class Post(socketserver.ThreadingTCPServer):
    """Takes mail by SMTP and notes recipient and Message-ID."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Clerk)
        self.taken: list[tuple[str, str]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server_address[1]}?tls=0"


class Clerk(socketserver.StreamRequestHandler):
    """One connection, as far as a client of ours goes."""

    server: Post

    def handle(self) -> None:
        self._say("220 here")
        to = ""
        while line := self.rfile.readline().decode():
            verb = line[:4].upper()
            if verb == "RCPT":
                to = line.partition("<")[2].partition(">")[0]
            if verb == "DATA":
                self._say("354 go on")
                self.server.taken.append((to, self._read()))
            self._say("221 bye" if verb == "QUIT" else "250 fine")
            if verb == "QUIT":
                return

    def _read(self) -> str:
        found = ""
        while (line := self.rfile.readline().decode(errors="replace").rstrip("\r\n")) != ".":
            if line.lower().startswith("message-id:"):
                found = line.partition(":")[2].strip()
        return found

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[tuple[Post, Broker, Programs, dict[str, str]]]:
    post, broker, programs = Post(), Broker(tmp_path), Programs(tmp_path)
    broker.start()
    env = {
        "DATABASE_URL": database_url(connection.settings_dict),
        "REDIS_URL": broker.celery_url,
        "DJANGO_SETTINGS_MODULE": "bhweb.settings",
        "BH_SMTP_URL": post.url,
        "BH_VENUES": "0",
    }
    yield post, broker, programs, env
    programs.end()
    broker.stop()
    post.shutdown()


def fill(now: dt.datetime) -> list[str]:
    addresses = [f"reader{number:05}@example.com" for number in range(SIZE)]
    Signup.objects.bulk_create(
        Signup(
            address=address,
            digest=address_digest(address),
            alias_digest=address,
            state="confirmed",
            code=address[:16].partition("@")[0],
            requested_at=now,
            confirmed_at=now + dt.timedelta(seconds=number),
        )
        for number, address in enumerate(addresses)
    )
    return addresses


def test_each_address_gets_one_invitation(stage: Any) -> None:  # noqa: ANN401  # what the fixture yields
    post, broker, programs, env = stage
    now = timezone.now()
    addresses = fill(now)
    for address in addresses[:GONE]:
        suppress(digest=address_digest(address), reason="unsubscribed")
    wave = waves.draft(actor_id=1, terms={"name": "all", "size": SIZE}, now=now)
    waves.approve(wave_id=wave.pk, actor_id=1, count=SIZE - GONE, reason="campaign", now=now)
    programs.start("-m", "django", "beat", env=env)
    worker = programs.start("-m", "django", "worker", "--queue", "mail", env=env)
    kills = 0
    for mark in (1_000, 2_000, 3_000):
        wait_for(lambda mark=mark: len(post.taken) >= mark, what=f"{mark} mails", within=300)  # type: ignore[misc]
        if mark == 2_000:  # in the middle
            broker.client().flushall()
            for address in addresses[-GONE:]:
                suppress(digest=address_digest(address), reason="unsubscribed")
        else:
            os.killpg(worker.pid, signal.SIGKILL)
            kills += 1
            worker = programs.start("-m", "django", "worker", "--queue", "mail", env=env)
    wait_for(
        lambda: not Mail.objects.filter(state__in=("queued", "sending")).exists() and _is_over(),
        what="the end",
        within=420,
    )
    invited = set(addresses[GONE:-GONE])
    got, messages = Counter(to for to, _ in post.taken), set(post.taken)
    assert set(got) == invited
    assert len(messages) == len(invited)  # a second mail to an address bears the same Message-ID
    assert sum(got.values()) - len(invited) <= kills


def _is_over() -> bool:
    return Wave.objects.get().state == Wave.State.DONE
