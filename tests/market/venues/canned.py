"""A server on loopback that answers every question with what was put there, and remembers the questions."""

from __future__ import annotations

import copy
import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

import numpy as np

from market.sources.base import Access

if TYPE_CHECKING:
    from collections.abc import Iterator

    from market.sources.base import Connection, Part, Venue

FOLDER: Final = Path(__file__).resolve().parents[2] / "data" / "venues"


@dataclass
class OpenGate:
    """A gate that lets everybody through and remembers what it was told."""

    asked: list[int] = field(default_factory=list)
    heard: list[tuple[int, float | None]] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)

    def ask(self, weight: int, *, apart: str = "") -> None:
        self.asked.append(weight)
        self.limits.append(apart)

    def told(self, *, status: int, retry_after_s: float | None, used: int | None) -> None:
        self.heard.append((int(status), retry_after_s))


@dataclass
class Canned:
    """Answers by the end of the path, or by the type that a body asks for; the last one of each is given again."""

    answers: dict[str, list[object]] = field(default_factory=dict)
    questions: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    gate: OpenGate = field(default_factory=OpenGate)
    address: str = ""

    def put(self, name: str, *answers: object) -> None:
        self.answers[name] = list(answers)

    def answer(self, path: str, body: str) -> str:
        parts = urlsplit(path)
        asked = json.loads(body) if body else dict(parse_qsl(parts.query))
        self.questions.append(asked)
        queue = self.answers[asked.get("type", parts.path.rsplit("/", 1)[-1])]
        found = queue.pop(0) if len(queue) > 1 else queue[0]
        return found if isinstance(found, str) else json.dumps(found)

    def connect(self, venue: Venue) -> Connection:
        return venue.connect(Access(self.gate, self.address))


@contextmanager
def serving() -> Iterator[Canned]:
    canned = Canned()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            raw = canned.answer(self.path, body).encode()
            self.send_response_only(canned.status)
            for name, value in ({"Date": self.date_time_string()} | canned.headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_POST = do_GET  # noqa: N815 the library's name

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    canned.address = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield canned
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def expect(part: Part, dtype: np.dtype[np.void], *rows: tuple[float, ...]) -> None:
    """Make sure that a part has exactly these rows, NaN where there is NaN."""
    expected = np.array(list(rows), dtype)
    assert part.rows.dtype == dtype
    assert [repr(row) for row in part.rows] == [repr(row) for row in expected]


def said(venue: str) -> dict[str, Any]:
    """Return what was written by hand for a venue: name -> answer or message, in the venue's shape."""
    found: dict[str, Any] = json.loads((FOLDER / f"{venue}.json").read_text())
    return found


def changed(answer: object, *path: str | int, to: object) -> Any:  # noqa: ANN401 whatever JSON holds
    """Return a copy with one field replaced, or removed where ``to`` is ``REMOVED``, or renamed by a ``Renamed``."""
    spoilt = copy.deepcopy(answer)
    place: Any = spoilt
    for step in path[:-1]:
        place = place[step]
    if to is REMOVED:
        del place[path[-1]]
    elif isinstance(to, Renamed):
        place[to.name] = place.pop(path[-1])
    else:
        place[path[-1]] = to
    return spoilt


@dataclass(frozen=True)
class Renamed:
    name: str


REMOVED: Final = object()

# What is no number that a venue writes in quotes, whatever Python's float() thinks of it.
NO_NUMBERS: Final[dict[str, object]] = {
    "missing": REMOVED,
    "null": None,
    "a JSON number": 87350.5,
    "true": True,
    "an object": {"value": "1"},
    "empty": "",
    "blank": " 87350.5",
    "NaN": "NaN",
    "Infinity": "Infinity",
    "1e308": "1e308",
    "underscore": "87_350",
    "full-width digits": "\uff18\uff17\uff13\uff15\uff10",
    "Arabic digits": "\u0668\u0667\u0663\u0665\u0660",
    "negative zero": "-0.0",
    "thirty digits": "1" * 30,
    "comma": "87,350",
}
