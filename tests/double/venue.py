"""What every venue of the double does: answer a request, take a subscription, write a push."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

from tests.double.tape import MINUTE, aggregate, noise

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.double.clock import AnyClock
    from tests.double.market import Listing, Market
    from tests.double.tape import Records

Key: TypeAlias = Any
INTERVALS: Final = {
    "1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "2h": 120, "4h": 240, "6h": 360, "12h": 720, "1d": 1440,
}  # fmt: skip
FIVE: Final = 5 * MINUTE


@dataclass
class Answer:
    """A payload, and where its rows and their fields lie, so that a fault can reach them.

    series: bars, marks, interest, funding, liquidations, … ; keys: natural key of each row; fields: our name of a field
    -> its place in a row (an index or a name). spoilt: a fault made rows of it untrue. slug, wire
    (the stream's name) and peer (one number per websocket) are filled in by the server.
    """

    payload: Any
    series: str = ""
    symbol: str = ""
    rows: list[Any] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    fields: Mapping[str, int | str] = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    spoilt: bool = False
    slug: str = ""
    wire: str = ""
    peer: int = 0


class RefusalError(Exception):
    """The venue refuses: its status and error body."""

    def __init__(self, payload: object, status: int = 200) -> None:
        super().__init__(str(payload))
        self.payload, self.status = payload, status


@dataclass(frozen=True, slots=True)
class Topic:
    """What a connection is subscribed to; ``wire`` is the name that the client used."""

    kind: str
    symbol: str
    wire: str = ""


class Venue:
    """One venue. ``routes`` leads a path to an endpoint's name and the method that answers it."""

    slug = ""
    routes: ClassVar[Mapping[str, tuple[str, str]]] = {}

    def __init__(self, market: Market, clock: AnyClock, slug: str = "") -> None:
        self.market, self.clock = market, clock
        self.slug = slug or self.slug
        self.skew: Callable[[], int] = lambda: 0

    @property
    def now(self) -> int:
        """Virtual time [ms]: what exists."""
        return self.clock.now_ms()

    @property
    def stamp(self) -> int:
        """What the venue's own clock says [ms]."""
        return self.now + self.skew()

    def endpoint(self, path: str, body: Mapping[str, Any]) -> str:
        """Name the series that a request asks for; empty where there is none."""
        del body
        return self.routes.get(path, ("", ""))[0]

    def rest(self, path: str, query: Mapping[str, str], body: Mapping[str, Any]) -> Answer:
        """Answer a request; raises RefusalError."""
        del body
        answer: Answer = getattr(self, self.routes[path][1])(query)
        return answer

    def unknown(self) -> Answer:
        """Answer a path that the venue does not know."""
        return Answer("<html><body>404 Not Found</body></html>", status=404)

    def greet(self, path: str, query: Mapping[str, str]) -> list[Topic]:
        """Return the topics that a websocket's address subscribes."""
        del path, query
        return []

    def receive(self, message: Any, topics: dict[str, Topic]) -> list[Any]:  # noqa: ANN401 a client says anything
        """Take a client's message: change its topics, return the replies."""
        raise NotImplementedError

    def push(self, topic: Topic, listing: Listing, rows: Records, *, closed: bool) -> list[Answer]:
        """Write the events of a topic: bars, marks, liquidations, or a ticker (rows are empty)."""
        raise NotImplementedError

    def listed(self) -> list[Listing]:
        """Return what is listed now, and what was."""
        return [row for row in self.market.listings[self.slug].values() if row.listed_ms <= self.now]

    def window(self, listing: Listing, minutes: int, since: int, until: int, series: str = "bars") -> Records:
        """Return bars of ``minutes`` with ``since <= time < until`` as they stand now, the unfinished one included."""
        length = minutes * MINUTE
        first = -(-since // length) * length
        last = min(-(-until // length) * length, self.now + length)
        return aggregate(listing.bars(since=first, until=last, now=self.now, series=series), minutes)

    def ratio(self, listing: Listing, since: int, until: int) -> list[tuple[int, int]]:
        """Return (time, share of accounts that are long, in 1e-4) each five minutes, ``since <= time <= until``."""
        until = min(until, self.now, listing.ended_ms - 1)
        first = -(-max(since, listing.listed_ms) // FIVE) * FIVE
        seed = len(listing.base) * 1_000_003
        return [(time, 4_000 + int(noise(seed + time // FIVE) * 3_000)) for time in range(first, until + 1, FIVE)]

    def book(self, listing: Listing, levels: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Return bids and asks as (price in ticks, size in lots), best first.

        A thousand levels reach about six per cent.
        """
        last = listing.tape.rows("bars", self.now - 2 * MINUTE, self.now + 1)
        middle = int(last["close"][-1]) if len(last) else 1_000
        seed = self.now // MINUTE
        sides = []
        for side in (-1, 1):
            offsets = [1 + level + int(middle * 6e-8 * level * level) for level in range(levels)]
            sizes = [1 + int(noise(seed * 2 + side + level * 7) * 5_000) for level in range(levels)]
            levels_of_side = ((middle + side * offset, size) for offset, size in zip(offsets, sizes, strict=True))
            sides.append([level for level in levels_of_side if level[0] > 0])
        return sides[0], sides[1]

    def find(self, symbol: str) -> Listing | None:
        """Return a contract that has been listed by now."""
        listing = self.market.listings[self.slug].get(symbol)
        return listing if listing and listing.listed_ms <= self.now else None


def whole(query: Mapping[str, str], name: str) -> int | None:
    """Read a whole number of a query; None where it is absent."""
    text = query.get(name, "")
    return int(text) if text.lstrip("-").isdigit() else None


def share(thousandths: int) -> str:
    """Write a share counted in 1e-4."""
    return f"{thousandths / 10_000:.4f}"
