"""A venue on loopback: a real HTTP server that speaks JSON, and the source that asks it.

GET /bars?symbol=LOOP-USDT&since=MS&until=MS           [[open_time, open, high, low, close, volume], …]
GET /open-interest?symbol=LOOP-USDT&since=MS&until=MS  [[time, open_interest], …]
GET /funding?symbol=LOOP-USDT&since=MS&until=MS        [[time, rate], …]

Another symbol is answered with 404.
"""

from __future__ import annotations

import json
import os
import threading
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import numpy as np

from market.series import BAR, DAY_MS, FUNDING, HOUR_MS, LIQUIDATION, MINUTE_MS, OPEN_INTEREST
from market.sources.base import InstrumentFacts, SourceError
from market.sources.batch import Batch

if TYPE_CHECKING:
    from collections.abc import Iterator

SYMBOL: Final = "LOOP-USDT"
ADDRESS: Final = "LOOPBACK_URL"
STEP_MS: Final = 5 * MINUTE_MS
FUNDING_MS: Final = 8 * HOUR_MS


class Venue:
    """What the venue knows: a seeded walk of the price, and interest that people build and give up."""

    def __init__(self, *, start_ms: int, minutes: int) -> None:
        random = np.random.default_rng(7)
        closes = 60_000 * np.exp(np.cumsum(random.normal(0, 4e-4, minutes)))
        opens = np.concatenate([[60_000.0], closes[:-1]])
        spread = random.uniform(0, 3e-4, minutes)
        times = start_ms + MINUTE_MS * np.arange(minutes)
        columns = (times, opens, np.maximum(opens, closes) * (1 + spread), np.minimum(opens, closes) * (1 - spread))
        self.bars = [
            [int(time), *map(float, rest)]
            for time, *rest in zip(*columns, closes, random.uniform(20, 80, minutes), strict=True)
        ]
        steps = np.arange(start_ms + STEP_MS, start_ms + minutes * MINUTE_MS + 1, STEP_MS)
        interest = 20_000 * np.exp(np.cumsum(random.normal(3e-4, 3e-3, len(steps))))
        self.funding = [[int(time), 1e-4] for time in steps if time % FUNDING_MS == 0]
        self.open_interest = [[int(time), float(value)] for time, value in zip(steps, interest, strict=True)]

    def answer(self, path: str) -> list[list[float]] | None:
        """Return what an address asks for; None of a contract that is not traded here."""
        parts = urlsplit(path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        since, until = int(asked["since"]), int(asked["until"])
        if asked["symbol"] != SYMBOL:
            return None
        if parts.path == "/bars":
            return [row for row in self.bars if since <= row[0] and row[0] + MINUTE_MS <= until]
        samples = self.funding if parts.path == "/funding" else self.open_interest
        return [row for row in samples if since < row[0] <= until]

    @contextmanager
    def serve(self) -> Iterator[str]:
        """Listen on loopback; yield the address."""
        venue = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer = venue.answer(self.path)
                body = json.dumps(answer).encode()
                self.send_response(404 if answer is None else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_port}"
            server.shutdown()


class LoopbackSource:
    """The venue behind the face of any other source."""

    slug = "loopback"
    is_simulated = False
    history_ms = 2 * DAY_MS

    def instruments(self) -> tuple[InstrumentFacts, ...]:
        """One contract."""
        return (InstrumentFacts(SYMBOL, "LOOP", "USDT", "linear", 1.0, "0.1", "0.001"),)

    def fetch(self, *, symbol: str, since_ms: int, until_ms: int, checkpoint: tuple[int, bytes] | None) -> Batch:
        """Ask the server."""
        assert checkpoint is None
        bars = _ask("bars", symbol, since_ms, until_ms)
        interest = _ask("open-interest", symbol, since_ms, until_ms)
        funding = _ask("funding", symbol, since_ms, until_ms)
        nan = float("nan")
        return Batch(
            bars=np.array([(*row, nan, nan) for row in bars], dtype=BAR),
            open_interest=np.array([(*row, nan, nan) for row in interest], dtype=OPEN_INTEREST),
            funding=np.array([(*row, nan) for row in funding], dtype=FUNDING),
            liquidations=np.empty(0, LIQUIDATION),
            timeframe=60,
        )


def _ask(what: str, symbol: str, since_ms: int, until_ms: int) -> list[list[float]]:
    address = f"{os.environ[ADDRESS]}/{what}?symbol={symbol}&since={since_ms}&until={until_ms}"
    try:
        with urlopen(address, timeout=10) as answer:
            rows: list[list[float]] = json.load(answer)
    except HTTPError as error:
        raise SourceError(f"{address}: {error}", permanent=error.code == HTTPStatus.NOT_FOUND) from error
    except OSError as error:
        raise SourceError(f"{address}: {error}") from error
    return rows


SOURCE = LoopbackSource()
