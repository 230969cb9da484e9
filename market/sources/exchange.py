"""The REST side of every venue: ccxt's client and its implicit endpoints, which hand over what the venue wrote.

ccxt knows the addresses and how a question is put. How the answer is fetched and judged is decided here, the same for
all: bounded in time and size, asked for at the gate and reported to it, never retried, for the job queue does that.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING, Any, ClassVar, Final

from market.series import epoch_ms

from . import strict
from .base import SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .base import Access

CONNECT_S: Final = 3.0
READ_S: Final = 10.0
TOTAL_S: Final = 20.0
LARGEST_BODY: Final = 16 * 1024 * 1024
_CHUNK: Final = 64 * 1024
_SHOWN: Final = 160
_SECONDS: Final = re.compile(r"[0-9]{1,7}", re.ASCII)
OK: Final = 200
_REDIRECTS, _REFUSALS, _SERVER_FAULTS = 300, 400, 500
TOO_MANY: Final = 429
BANNED: Final = 418
# What a guard in front of the venue answers, and a venue that serves nobody from here.
_TURNED_AWAY: Final = frozenset({403, 451})


def redirected(url: str, *, address: str | None, slug: str) -> str:
    """Put ``<address>/<slug>`` in the place of an address's scheme and host; websockets stay websockets."""
    if address is None:
        return url
    scheme, _, rest = url.partition("://")
    _, slash, path = rest.partition("/")
    base = address.rstrip("/")
    if scheme.startswith("ws"):
        base = base.replace("http", "ws", 1)
    return f"{base}/{slug}{slash}{path}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: body is decoded JSON, None where it is none; date_ms is the venue's clock, if it tells it."""

    status: int
    text: str
    body: object
    headers: Mapping[str, str]
    date_ms: int | None

    @property
    def is_json(self) -> bool:
        """Tell whether the venue itself has answered, rather than something in its way."""
        return self.body is not None

    def wait_s(self) -> float | None:
        """Return how long the header Retry-After says to wait [s], as a number or as a date."""
        text = self.headers.get("Retry-After", "")
        if _SECONDS.fullmatch(text):
            return float(text)
        until_ms = _date_ms(text)
        return self.until(until_ms) if until_ms is not None else None

    def until(self, moment_ms: int) -> float | None:
        """Return how long it is to a moment [s] by the venue's own clock, None where it shows none."""
        return max(0.0, (moment_ms - self.date_ms) / 1000) if self.date_ms is not None else None


class RestClient:
    """Asks one venue; a venue derives from it and says what its own refusals mean."""

    exchange: ClassVar[str]
    slug: ClassVar[str]
    used_header: ClassVar[str] = ""

    def __init__(self, access: Access) -> None:
        """Open ccxt's client at the access's address; costs no request."""
        self.gate = access.gate
        self.client = getattr(import_module("ccxt"), self.exchange)({"enableRateLimit": False})
        self.client.urls["api"] = _redirect_all(self.client.urls["api"], access.address, self.slug)
        self.client.fetch = self._fetch

    def ask(self, endpoint: str, params: Mapping[str, object], *, weight: int, apart: str = "") -> Answer:
        """Put one question to the venue and return its answer in JSON; raise SourceError for anything else.

        apart: the limit of the venue's budget that the question has beside the others.
        """
        self.gate.ask(weight, apart=apart)
        try:
            answer: Answer = getattr(self.client, endpoint)(params)
        except OSError as error:  # what requests raises, and our own
            self.gate.told(status=0, retry_after_s=None, used=None)
            raise SourceError(f"{self.slug} gave no answer: {_cause(error)}", is_outage=True) from error
        status, refusal = self._judge(answer)
        wait_s = refusal.retry_after_s if refusal else None
        self.gate.told(status=status, retry_after_s=wait_s, used=self._used(answer))
        if refusal:
            raise refusal
        return answer

    def refusal(self, answer: Answer) -> tuple[int, SourceError] | None:
        """Return what the venue's own words amount to as a status, and the error; None where it did not refuse."""
        del answer
        return None

    def wait_s(self, answer: Answer) -> float | None:
        """Return how long the venue says to leave it alone [s], None where it doesn't say."""
        return answer.wait_s()

    def _judge(self, answer: Answer) -> tuple[int, SourceError | None]:
        status, wait_s = answer.status, self.wait_s(answer)
        said = f"{self.slug} answered {status}: {' '.join(answer.text[: 2 * _SHOWN].split())[:_SHOWN]}"
        if own := self.refusal(answer):
            return own
        if status in {TOO_MANY, BANNED}:
            return status, SourceError(said, retry_after_s=wait_s)
        if _REDIRECTS <= status < _REFUSALS or status >= _SERVER_FAULTS or status in _TURNED_AWAY:
            return status, SourceError(said, retry_after_s=wait_s, is_outage=True)
        if not answer.is_json:
            return 0, SourceError(said, is_outage=True)
        return status, None if status == OK else SourceError(said)

    def _used(self, answer: Answer) -> int | None:
        text = answer.headers.get(self.used_header, "")
        return int(text) if _SECONDS.fullmatch(text) else None

    def _fetch(self, url: str, method: str = "GET", headers: Any = None, body: str | None = None) -> Answer:  # noqa: ANN401 ccxt's own
        """Stand in for ccxt's own fetch, which reads without bounds and mixes what happened into its exceptions."""
        return _Request(self.client, method, url, headers, body).result()


class _Request(Thread):
    """One request in a thread of its own, because nothing else bounds a server that trickles."""

    def __init__(self, client: Any, method: str, url: str, headers: Any, body: str | None) -> None:  # noqa: ANN401 ccxt's own
        super().__init__(daemon=True, name=f"{method} {url:.80}")
        self._session = client.session
        self._question = {
            "method": method,
            "url": url,
            "data": body.encode() if body else None,
            "headers": client.prepare_request_headers(headers),
            "timeout": (CONNECT_S, READ_S),
            "allow_redirects": False,
            "stream": True,
        }
        self._response: Any = None
        self._outcome: Answer | Exception | None = None

    def run(self) -> None:
        try:
            self._response = self._session.request(**self._question)
            with self._response:
                self._outcome = _answer_of(self._response)
        except Exception as error:  # noqa: BLE001 raised again where it was asked for
            self._outcome = error

    def result(self) -> Answer:
        """Wait for the answer, as long as the bounds allow; raise OSError where there is none."""
        self.start()
        self.join(TOTAL_S)
        outcome = self._outcome
        if outcome is None:
            if self._response is not None:
                # Ends the thread, which would read on for as long as it trickles; unless it has just ended.
                with suppress(ValueError, RuntimeError, OSError):
                    self._response.raw.shutdown()
            raise TimeoutError(f"not complete after {TOTAL_S:g} s")
        if isinstance(outcome, OSError):
            raise outcome
        if isinstance(outcome, Exception):
            raise OSError(type(outcome).__name__) from outcome
        return outcome


def _answer_of(response: Any) -> Answer:  # noqa: ANN401 of requests
    """Read an answer to its end, however small it makes itself look by compression."""
    chunks, size = [], 0
    for chunk in response.iter_content(_CHUNK):
        size += len(chunk)
        if size > LARGEST_BODY:
            raise OSError(f"more than {LARGEST_BODY >> 20} MB")
        chunks.append(chunk)
    raw = b"".join(chunks)
    try:
        body = strict.parse(raw)
    except ValueError:
        body = None
    text = raw[: 4 * _SHOWN].decode("utf-8", "replace")
    return Answer(response.status_code, text, body, response.headers, _date_ms(response.headers.get("Date", "")))


def _date_ms(text: str) -> int | None:
    try:
        return epoch_ms(parsedate_to_datetime(text))
    except (ValueError, TypeError):
        return None


def _redirect_all(urls: Any, address: str | None, slug: str) -> Any:  # noqa: ANN401 a tree of ccxt's
    if isinstance(urls, dict):
        return {name: _redirect_all(url, address, slug) for name, url in urls.items()}
    return redirected(urls, address=address, slug=slug) if isinstance(urls, str) else urls


def _cause(error: BaseException) -> str:
    """Say what went wrong at the bottom of it, without the address, which may be long."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    said = str(error) if type(error) in {OSError, TimeoutError} else f"{type(error).__name__} {error}"
    return said[:_SHOWN]
