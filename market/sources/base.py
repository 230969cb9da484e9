"""What every source of market data promises; ``tests/market/test_sources_contract.py`` holds each one to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from market.series import Records


class SourceError(Exception):
    """A source could not deliver; ``permanent`` tells that trying again will not help."""

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


@dataclass(frozen=True, slots=True)
class InstrumentFacts:
    """The terms of a contract as its venue states them; sizes stay decimal strings until they are stored."""

    symbol: str
    base: str
    quote: str
    contract_type: str
    contract_size: float
    tick_size: str
    lot_size: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What one fetch brought, each series ascending in time.

    Attributes:
        bars: BAR[n], only closed ones, ``since <= open_time`` and ``open_time + timeframe <= until``.
        open_interest: OPEN_INTEREST[n], ``since < time <= until`` (a sample belongs to the step that it ends).
        funding: FUNDING[n], ``since < time <= until``.
        liquidations: LIQUIDATION[n], ``since <= time < until``.
        timeframe: length of a bar [s].
        checkpoints: (as_of [ms], opaque state) of a source that has one, ascending; the last is the newest.
    """

    bars: Records
    open_interest: Records
    funding: Records
    liquidations: Records
    timeframe: int
    checkpoints: tuple[tuple[int, bytes], ...] = ()


class Source(Protocol):
    """One venue. ``history_ms`` is how far back a first fetch goes."""

    @property
    def slug(self) -> str: ...

    @property
    def is_simulated(self) -> bool: ...

    @property
    def history_ms(self) -> int: ...

    def instruments(self) -> tuple[InstrumentFacts, ...]:
        """List the contracts that this source offers."""
        ...

    def fetch(self, *, symbol: str, since_ms: int, until_ms: int, checkpoint: tuple[int, bytes] | None) -> Batch:
        """Bring all of [since, until); ``checkpoint`` is the newest one stored, None on the first fetch.

        Raises SourceError.
        """
        ...
