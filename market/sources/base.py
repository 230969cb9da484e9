"""What every source of market data promises; ``tests/market/test_sources_contract.py`` holds each one to it.

A ``Source`` brings everything of a span in one batch. A ``Venue`` is a source behind a network: each of its series is
read page by page under a budget that all processes share, and its websockets say what has just happened.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import AsyncGenerator, Mapping

    from typing_extensions import TypeIs

    from market.series import Records, SeriesName

    from .batch import Batch


class SourceError(Exception):
    """A source could not deliver.

    ``permanent``: trying again will not help. ``retry_after_s``: the venue itself said how long to wait.
    ``is_outage``: the venue could not be reached or did not answer as itself, as opposed to refusing this one question.
    """

    def __init__(
        self, message: str, *, permanent: bool = False, retry_after_s: float | None = None, is_outage: bool = False
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after_s = retry_after_s
        self.is_outage = is_outage


class BusyError(SourceError):
    """What may be spent on a venue is spent for ``busy_s`` [s]; nothing was asked."""

    def __init__(self, message: str, *, busy_s: float) -> None:
        super().__init__(message, retry_after_s=busy_s)
        self.busy_s = busy_s


@dataclass(frozen=True, slots=True)
class InstrumentFacts:
    """The terms of a contract as its venue states them; sizes stay decimal strings until they are stored.

    contract_size: what one contract is worth, in base units (linear) or quote units (inverse). ``is_trading`` is False
    for a contract that is listed but halted, settling or delisted. ``underlying`` is the asset that a contract on a
    multiple is about, ``multiple`` the number of its units in one base unit (1000 for 1000PEPE), else base and 1.
    """

    symbol: str
    base: str
    quote: str
    contract_type: str
    contract_size: float
    tick_size: str
    lot_size: str
    underlying: str = ""
    multiple: int = 1
    is_trading: bool = True


class Source(Protocol):
    """Where market data comes from. ``history_ms`` is how far back a first fetch goes."""

    @property
    def slug(self) -> str: ...

    @property
    def is_simulated(self) -> bool: ...

    @property
    def history_ms(self) -> int: ...


class BatchSource(Source, Protocol):
    """A source that brings all series of a span at once, such as the simulated market."""

    def instruments(self) -> tuple[InstrumentFacts, ...]:
        """List the contracts that this source offers."""
        ...

    def fetch(self, *, symbol: str, since_ms: int, until_ms: int, checkpoint: tuple[int, bytes] | None) -> Batch:
        """Bring all of [since, until); ``checkpoint`` is the newest one stored, None on the first fetch.

        Raises SourceError.
        """
        ...


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that a venue said and that can't be read as a row: its text, and what is wrong with it."""

    raw: str
    reason: str


@dataclass(frozen=True, slots=True)
class Part:
    """What a venue said of one series of one instrument.

    rows: records of the series' dtype in the units of ``market.series``, ascending; they have a shape, nobody has
    judged yet whether they can be true. timeframe: length of a bar [s], 0 for samples and events. covered: [since,
    until) [ms] about which the venue has told all that it knows, so that what is missing inside does not exist there;
    None where silence says nothing.
    """

    rows: Records
    timeframe: int = 0
    covered: tuple[int, int] | None = None
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Offer:
    """How a venue answers questions for a series.

    timeframe: length of a bar or usual distance of samples [s]. page: rows that one answer holds at most. weight: what
    a full page costs of the budget. reach_ms: how far back the venue answers, None for its whole history.
    ``is_snapshot``: the venue tells only the value of now, so nothing of it can be fetched afterwards.
    """

    timeframe: int
    page: int
    weight: int
    reach_ms: int | None = None
    is_snapshot: bool = False


@dataclass(frozen=True, slots=True)
class Budget:
    """What the venue's published limits let one address spend: ``weight`` within each ``window_s`` [s].

    apart: limits that some questions have beside it, by name.
    """

    weight: float
    window_s: int
    apart: Mapping[str, Budget] = field(default_factory=dict)

    def times(self, speed: float) -> Budget:
        """Return what holds where minutes go by so much faster, and each has its weight; a slower one has no less."""
        apart = {name: budget.times(speed) for name, budget in self.apart.items()}
        return Budget(self.weight * max(1.0, speed), self.window_s, apart)


# How much of what venues publish all processes together may spend; the rest is room for the venues' own windows.
LIVE_SHARE: Final = 0.5


class Gate(Protocol):
    """Who must be asked before each request, on behalf of all processes; kept by ``market.operations``."""

    def ask(self, weight: int, *, apart: str = "") -> None:
        """Take so much of the budget, waiting a little if need be; raise SourceError while there is none, or a ban.

        apart: the limit from which it is taken instead.
        """
        ...

    def told(self, *, status: int, retry_after_s: float | None, used: int | None) -> None:
        """Hear how the venue answered, what it said of waiting and of the weight spent.

        status: 0 for no answer or for one that isn't the venue's own, such as a page of HTML; 429 and 418 for "too
        many" and "banned", in whatever words the venue says so.
        """
        ...


@dataclass(frozen=True, slots=True)
class Access:
    """How a venue is reached: ``address`` replaces scheme and host of all its own addresses (None: the real ones)."""

    gate: Gate
    address: str | None = None


@dataclass(frozen=True, slots=True)
class LeverageBracket:
    """From ``floor`` [quote, inverse: base] on a position may have this leverage and needs this maintenance.

    as_of: the day of which that is known, None where the venue has just said so.
    """

    floor: float
    max_leverage: float
    maintenance_rate: float
    as_of: dt.date | None = None


class Connection(Protocol):
    """A venue's REST side, for one process. Every method raises SourceError."""

    def instruments(self) -> tuple[InstrumentFacts, ...]:
        """List the perpetual contracts that the venue offers and this house understands."""
        ...

    def read(  # noqa: PLR0913 a question names what, of whom, from when to when, as of when
        self, *, series: SeriesName, symbol: str, contract_size: float, since_ms: int, until_ms: int, now_ms: int
    ) -> Part:
        """Ask once for the earliest page of a series in [since, until); ``covered`` tells how far the answer goes.

        contract_size: what one contract was worth then, see ``InstrumentFacts``; contracts become base units with it.
        Bars that have not closed by ``now_ms`` are left out. A snapshot is timed by the minute it was read in.
        An answer about another symbol, or of another shape than expected, is a SourceError or a fault, never a row.
        """
        ...

    def brackets(self, *, symbol: str) -> tuple[LeverageBracket, ...]:
        """Return the table of leverage brackets, () where nobody but account holders can see it."""
        ...


@dataclass(frozen=True, slots=True)
class Channel:
    """One websocket: where, what is said first, and which topics must be confirmed before it counts as live.

    sizes: symbol -> contract size of all that is listened to. ping: what is said so that the venue answers, None where
    it answers the protocol's own pings. series: what it brings of its symbols, where the venue has an address for each
    kind of stream; empty: all that the venue streams.
    """

    url: str
    requests: tuple[Any, ...]
    topics: frozenset[str]
    sizes: Mapping[str, float]
    ping: Any = None
    series: frozenset[SeriesName] = frozenset()


@dataclass(frozen=True, slots=True)
class Heard:
    """What one message of a websocket said.

    parts: (symbol, series, rows); confirmed: topics that the venue has acknowledged; refused: why it declines a topic;
    faults: what can't be read and does not even tell of which symbol and series it is.
    """

    parts: tuple[tuple[str, SeriesName, Part], ...] = ()
    confirmed: frozenset[str] = field(default_factory=frozenset)
    refused: str = ""
    faults: tuple[Fault, ...] = ()


class Venue(Source, Protocol):
    """A source behind a network.

    offers: what can be asked for. streams: series that its websockets bring. counted: series that are told in contracts
    and nothing else. liquidation_sampling: "all", or how the venue thins its public liquidations out, such as "latest
    per second", or "none" where it publishes none.
    """

    @property
    def name(self) -> str: ...

    @property
    def offers(self) -> Mapping[SeriesName, Offer]: ...

    @property
    def streams(self) -> frozenset[SeriesName]: ...

    @property
    def counted(self) -> frozenset[SeriesName]: ...

    @property
    def budget(self) -> Budget: ...

    @property
    def liquidation_sampling(self) -> str: ...

    def connect(self, access: Access) -> Connection:
        """Open the REST side; costs no request."""
        ...

    def channels(self, sizes: Mapping[str, float]) -> tuple[Channel, ...]:
        """Share symbols (with their contract sizes) out over as many websockets as the venue's limits ask for."""
        ...

    def hear(self, message: object, *, channel: Channel) -> Heard:
        """Read one message of a channel: decoded JSON, or its text where it is none. Never raises."""
        ...

    def listen(self, channel: Channel, *, access: Access) -> AsyncGenerator[Heard, None]:
        """Open a websocket, subscribe, and yield what is heard until it ends, confirmations too.

        Answers pings and sends its own; raises SourceError when the connection is lost, falls silent, declines a topic
        or does not confirm all of them in time. Closing the iterator closes the websocket.
        """
        ...


def is_venue(source: BatchSource | Venue) -> TypeIs[Venue]:
    """Tell whether a source is asked over a network, series by series."""
    return hasattr(source, "offers")
