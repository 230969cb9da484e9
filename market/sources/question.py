"""One question to a venue: what of a span one page can hold, and how much of it the answer settles."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

import numpy as np

from market.series import BAR, DEPTH, FUNDING, HOUR_MS, LIQUIDATION, MINUTE_MS

from . import depth
from .base import Part, SourceError
from .exchange import OK, TOO_MANY, RestClient
from .strict import Row, UnreadableError, fault_of, records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import numpy.typing as npt

    from market.series import Records, SeriesName

    from .base import Fault
    from .exchange import Answer

    Read: TypeAlias = Callable[[Any], tuple[float, ...] | None]
    Side: TypeAlias = list[tuple[float, float]]

MINUTE: Final = MINUTE_MS // 1000
_UNAVAILABLE: Final = 503
# How far a venue's clock may be ahead of ours: beyond that a row has not happened.
_AHEAD_MS: Final = MINUTE_MS
# The intervals that venues pay funding at. A longer distance between two settlements is a hole, not an interval.
LONGEST_INTERVAL_MS: Final = 8 * HOUR_MS
# Settlements before a span are read, too, so that two distances tell whether they are an interval.
BEFORE_MS: Final = 2 * LONGEST_INTERVAL_MS
_INTERVALS_S: Final = tuple(hours * 3600 for hours in (1, 2, 4, 8))
# 1000PEPE, 10000LADYS, SHIB1000; a number that is no power of a thousand's kind belongs to the name, as in 1INCH.
_BEFORE: Final = re.compile(r"(10{3,7})([A-Z][A-Z0-9]*)", re.ASCII)
_BEHIND: Final = re.compile(r"([A-Z][A-Z0-9]*?)(10{3,7})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Question:
    """What ``Connection.read`` was asked, cut to one page by ``page``."""

    symbol: str
    contract_size: float
    since_ms: int
    until_ms: int
    now_ms: int

    def page(self, *, step_ms: int, rows: int) -> Question:
        """Cut to the earliest span in which no more than ``rows`` rows can lie, ``step_ms`` apart at the least."""
        first = -(-self.since_ms // step_ms) * step_ms
        return replace(self, until_ms=min(self.until_ms, first + rows * step_ms))

    @property
    def last_ms(self) -> int:
        """Return the last moment that is asked for, for venues whose ends are inclusive."""
        return self.until_ms - 1

    def part(self, rows: Records, faults: Sequence[Fault], *, timeframe: int = 0) -> Part:
        """Keep what was asked for and, of bars, what has closed; what lies in the future is a fault.

        The span is settled unless a row of it could not be read: that one does exist.
        """
        times = rows[(rows.dtype.names or ())[0]]
        # Of two clocks that disagree the later one tells what can not have happened by either.
        early = rows[times > max(self.now_ms, self.until_ms) + _AHEAD_MS]
        faults = [*faults, *(fault_of(repr(row.item()), "it lies in the future") for row in early)]
        inside = (times >= self.since_ms) & (times < self.until_ms) & (times <= self.now_ms - timeframe * 1000)
        until_ms = min(self.until_ms, self.now_ms)
        covered = (self.since_ms, until_ms) if not faults and self.since_ms < until_ms else None
        return Part(rows[inside], timeframe, covered, tuple(faults))

    def bars(self, raws: Iterable[object], read: Read) -> Part:
        """Read bars of one minute."""
        return self.part(*records(raws, BAR, read), timeframe=MINUTE)

    def funding(self, raws: Iterable[object], read: Read, published: Callable[[], float | None]) -> Part:
        """Read settled rates from ``BEFORE_MS`` before the span on; each interval is the distance from the one before.

        published: the interval [s] that the venue says holds now, asked where a distance could also be a hole. Where a
        row could not be read, nobody knows which distance bridges it.
        """
        rows, faults = records(raws, FUNDING, read)
        if not faults:
            distances_s = np.diff(rows["time"]) / 1000
            is_sure = _are_intervals(distances_s)
            is_asked = ~is_sure & (rows["time"][1:] >= self.since_ms)
            if is_asked.any():
                is_sure |= distances_s == _unless_unreadable(published)
            rows["interval_s"] = np.nan
            rows["interval_s"][1:] = np.where(is_sure, distances_s, np.nan)
        return self.part(rows, faults)

    def samples(self, raws: Iterable[object], dtype: np.dtype[np.void], read: Read) -> Part:
        """Read samples, and settlements that tell their interval."""
        return self.part(*records(raws, dtype, read))

    def snapshot(self, raw: object, read: Callable[[], tuple[float, ...]], dtype: np.dtype[np.void]) -> Part:
        """Read the one value that holds now; it says nothing of any other time."""
        try:
            return Part(np.array([read()], dtype))
        except UnreadableError as error:
            return Part(np.empty(0, dtype), faults=(fault_of(raw, str(error)),))

    def book(self, raw: object, levels: Callable[[], tuple[Side, Side]]) -> Part:
        """Read a book; levels: (price, quantity in contracts) of bids and of asks, the best first."""
        return self.snapshot(raw, lambda: self._profile(*levels()), DEPTH)

    @property
    def minute_ms(self) -> int:
        """Return the minute that it is."""
        return self.now_ms // MINUTE_MS * MINUTE_MS

    def _profile(self, bids: Side, asks: Side) -> tuple[float, ...]:
        below, above = (
            [(price, price * amount * self.contract_size) for price, amount in side] for side in (bids, asks)
        )
        return depth.profile(time_ms=self.minute_ms, bids=below, asks=above)


@dataclass(frozen=True, slots=True)
class Codes:
    """Where a venue says in its answers that it refuses, and which of its codes mean what; ``fine`` is none."""

    field: str
    text: str
    fine: object
    too_many: frozenset[object]
    unknown: frozenset[object]
    out_of_order: frozenset[object]


class PagedClient(RestClient):
    """The REST side of a venue that is asked series by series; ``readers`` says by which method."""

    codes: ClassVar[Codes]
    readers: ClassVar[Mapping[SeriesName, Callable[[Any, Question], Part]]]

    def read(  # noqa: PLR0913 see Connection
        self, *, series: SeriesName, symbol: str, contract_size: float, since_ms: int, until_ms: int, now_ms: int
    ) -> Part:
        """Put one question; see ``market.sources.base.Connection``."""
        if series not in self.readers:
            raise SourceError(f"{self.slug} does not tell {series}", permanent=True)
        question = Question(symbol, contract_size, since_ms, until_ms, now_ms)
        with readable(f"{self.slug}'s {series} of {symbol}"):
            return self.readers[series](self, question)

    def refusal(self, answer: Answer) -> tuple[int, SourceError] | None:
        """Return what the code of an answer amounts to."""
        body, codes = answer.body if isinstance(answer.body, dict) else {}, self.codes
        code = body.get(codes.field, codes.fine)
        if code == codes.fine:
            return None
        said = f"{self.slug} refuses: {code!r:.20} {body.get(codes.text)!r:.160}"
        if isinstance(code, str | int) and code in codes.too_many:
            return TOO_MANY, SourceError(said, retry_after_s=self.wait_s(answer))
        if isinstance(code, str | int) and code in codes.out_of_order:
            return _UNAVAILABLE, SourceError(said, is_outage=True)
        if isinstance(code, str | int) and code in codes.unknown:
            return answer.status, SourceError(said, permanent=True)
        # A status of its own says more than a code that nobody knows.
        return (answer.status, SourceError(said)) if answer.status == OK else None


@contextmanager
def readable(what: str) -> Iterator[None]:
    """Turn an answer that can't be read as a whole into a SourceError."""
    try:
        yield
    except UnreadableError as error:
        raise SourceError(f"{what}: {error}") from error


def _are_intervals(distances_s: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Tell which distances are an interval and no hole: those whose neighbour is the same."""
    repeats = np.diff(distances_s) == 0
    is_usual = np.isin(distances_s, _INTERVALS_S)
    is_repeated: npt.NDArray[np.bool_] = np.append(repeats, False) | np.append(False, repeats)
    return is_usual & is_repeated[: len(distances_s)]


def _unless_unreadable(published: Callable[[], float | None]) -> float:
    with suppress(UnreadableError):
        return published() or np.nan
    return np.nan


def told_apart(prints: Records) -> Records:
    """Number equal prints of one message, so that a message that comes twice is known and its prints are not lost."""
    assert prints.dtype == LIQUIDATION
    seen: Counter[tuple[float, ...]] = Counter()
    for index, row in enumerate(prints):
        key = tuple(row.item())[:-1]
        prints["ordinal"][index] = seen[key]
        seen[key] += 1
    return prints


def levels(raws: Iterable[object], names: tuple[str, str] = ("price", "quantity"), *, is_list: bool = True) -> Side:
    """Read one side of a book, lists of price and quantity first or objects with these names."""
    rows = (Row(raw, names if is_list else ()) for raw in raws)
    return [(row.decimal(names[0]), row.decimal(names[1])) for row in rows]


def multiple_of(base: str) -> tuple[str, int]:
    """Return the asset that a contract is about and how many of it make one base unit: (PEPE, 1000) of 1000PEPE."""
    if found := _BEFORE.fullmatch(base):
        return found[2], int(found[1])
    if found := _BEHIND.fullmatch(base):
        return found[1], int(found[2])
    return base, 1
