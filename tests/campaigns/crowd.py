"""Five hundred pages listen and a hundred read slowly: what others wait for then, and what the next one is told.

    python -m tests.campaigns.crowd

One installation with its simulated market. One visitor asks for pages in turns, alone and then in the crowd, and alone
again, so that what the machine does meanwhile is seen; times are of whole answers [ms].
"""

from __future__ import annotations

import asyncio
import json
import socket
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.operations.installation import installed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.operations.installation import Installation

KEY: Final = "simulated:SIMBTC-USDT"
STREAMS, STREAMS_EACH, SLOW, BEYOND = 500, 4, 100, 8
TURNS: Final = 100
PAGES: Final = (f"/t/{KEY}/", f"/t/{KEY}/live/", f"/tick/{KEY}/")
EVENTS: Final = f"/events?instrument={KEY}"
# A slow reader takes so much of a page so often, and has room for so much [bytes, s, bytes]; they come one by one.
SIP, SIP_S, ROOM, APART_S = 256, 0.5, 4096, 0.1
PATIENCE_S: Final = 60.0

# Members with a session each; the operator of the installation is left alone.
_MEMBERS: Final = """
import json
from django.conf import settings
from django.test import Client
from access.models import User
told = []
for number in range({count}):
    client = Client()
    client.force_login(User.objects.create_user(f"crowd{{number}}@example.com", None))
    told.append(client.cookies[settings.SESSION_COOKIE_NAME].value)
print(json.dumps(told))
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """The beginning of an answer, and its connection."""

    status: int
    head: str
    rest: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def length(self) -> int:
        """Of the body [bytes]."""
        return int(self.head.partition("content-length: ")[2].split()[0])


class Crowd:
    """Connections to one server, each with the session of a member."""

    def __init__(self, port: int, sessions: Sequence[str]) -> None:
        self.port, self.sessions = port, sessions
        self.writers: set[asyncio.StreamWriter] = set()
        self.tasks: list[asyncio.Task[None]] = []

    async def ask(self, path: str, number: int, *, room: int = 2**16) -> Answer:
        """Ask for a page on a connection of its own, and keep it."""
        link = socket.socket()
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        link.setblocking(False)
        await asyncio.get_running_loop().sock_connect(link, ("127.0.0.1", self.port))
        reader, writer = await asyncio.open_connection(sock=link, limit=room)
        self.writers.add(writer)
        session = self.sessions[number % len(self.sessions)]
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: sessionid={session}\r\n\r\n".encode())
        head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)).decode()
        return Answer(int(head.split()[1]), head.lower(), reader, writer)

    async def time(self, path: str) -> float:
        """Return how long a whole answer takes [ms], on a connection of its own."""
        start = time.perf_counter()
        answer = await self.ask(path, 0)
        await answer.rest.readexactly(answer.length)
        took_ms = 1000 * (time.perf_counter() - start)
        assert answer.status == HTTPStatus.OK, (path, answer.head)
        self._close(answer)
        return took_ms

    def _close(self, answer: Answer) -> None:
        self.writers.remove(answer.writer)
        answer.writer.close()

    async def listen(self) -> None:
        """Open all streams and read on; members have as many as they may."""
        for number in range(STREAMS):
            answer = await self.ask(EVENTS, 1 + number // STREAMS_EACH)
            assert answer.status == HTTPStatus.OK, (number, answer.head)
            self.tasks.append(asyncio.create_task(self._read(answer.rest, 2**16, 0.0)))

    async def dawdle(self) -> None:
        """Let slow readers ask for the page, one after the other, and again when they have read it."""
        for number in range(SLOW):
            self.tasks.append(asyncio.create_task(self._dawdle(number)))
            await asyncio.sleep(APART_S)

    async def _dawdle(self, number: int) -> None:
        while True:
            answer = await self.ask(PAGES[0], number, room=ROOM)
            await self._read(answer.rest, SIP, SIP_S, answer.length)
            self._close(answer)

    async def _read(self, reader: asyncio.StreamReader, size: int, pause_s: float, most: float = float("inf")) -> None:
        taken = 0
        while taken < most and (part := await reader.read(size)):
            taken += len(part)
            await asyncio.sleep(pause_s)

    async def pages(self) -> dict[str, dict[str, float]]:
        """Ask for pages in turns; return median and 99th percentile of each [ms]."""
        found: dict[str, list[float]] = {path: [] for path in PAGES}
        for _ in range(TURNS):
            for path in PAGES:
                found[path].append(await self.time(path))
        return {path: {"p50": percentile(times, 0.5), "p99": percentile(times, 0.99)} for path, times in found.items()}

    async def leave(self) -> None:
        """Let all go."""
        for task in self.tasks:
            task.cancel()
        for writer in self.writers:
            writer.close()
        await asyncio.gather(*self.tasks, return_exceptions=True)


def percentile(times: Sequence[float], share: float) -> float:
    """Return a percentile, the next greater time."""
    return round(sorted(times)[min(len(times) - 1, int(share * len(times)))], 1)


async def measure(port: int, sessions: Sequence[str]) -> dict[str, Any]:
    """Measure alone, in the crowd, and alone again; raise AssertionError where a stream too many is not refused."""
    crowd = Crowd(port, sessions)
    await crowd.pages()
    alone = await crowd.pages()
    await crowd.listen()
    refused = [await crowd.ask(EVENTS, len(sessions) - 1) for _ in range(BEYOND)]
    assert [one.status for one in refused] == [HTTPStatus.SERVICE_UNAVAILABLE] * BEYOND
    assert all("retry-after: " in one.head for one in refused)
    listening = await crowd.pages()
    await crowd.dawdle()
    crowded = await crowd.pages()
    ended = [task for task in crowd.tasks if task.done()]
    assert (len(crowd.tasks), ended) == (STREAMS + SLOW, [])
    await crowd.leave()
    crowd.tasks.clear()
    again = await crowd.pages()
    over = [crowded[path]["p99"] / statistics.mean((alone[path]["p99"], again[path]["p99"])) for path in PAGES]
    return {
        "alone": alone, "with streams": listening, "with slow readers, too": crowded, "alone again": again,
        "p99_over_quiet": dict(zip(PAGES, [round(one, 2) for one in over], strict=True)), "refused": BEYOND,
    }  # fmt: skip


def members_of(product: Installation, count: int) -> list[str]:
    """Make members, and return the sessions in which they are logged in."""
    done = product.command("shell", "--no-imports", "-c", _MEMBERS.format(count=count))
    assert done.returncode == 0, done.stdout + done.stderr
    return list(json.loads(done.stdout.splitlines()[-1]))


def campaign(place: Path) -> dict[str, Any]:
    """Start a product, let the crowd in, and return figures."""
    with installed(place / "data") as product:
        product.begin_and_wait()
        sessions = members_of(product, 2 + STREAMS // STREAMS_EACH)
        return asyncio.run(measure(product.port, sessions))


def main() -> None:
    """Print figures as JSON."""
    with tempfile.TemporaryDirectory(prefix="bh-crowd-") as place:
        sys.stdout.write(json.dumps(campaign(Path(place)), indent=1) + "\n")


if __name__ == "__main__":
    main()
