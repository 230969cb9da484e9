"""A venue that lists what a test tells it to, and says of everything else nothing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from market.sources.base import Budget, InstrumentFacts, Offer, SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

    from market.series import SeriesName
    from market.sources.base import Access, LeverageBracket


USUAL = InstrumentFacts("BTCUSDT", "BTC", "USDT", "linear", 1.0, "0.1", "0.001")


def facts(symbol: str = "BTCUSDT", **changes: Any) -> InstrumentFacts:  # noqa: ANN401  # a contract's terms by name
    """Say what a contract's terms are."""
    return replace(USUAL, **{"symbol": symbol, "base": symbol.removesuffix("USDT")} | changes)


@dataclass
class ListedVenue:
    """Lists contracts; raises ``error`` where one is set."""

    slug: str = "listed"
    name: str = "Listed"
    is_simulated: bool = False
    history_ms: int = 0
    streams: frozenset[SeriesName] = frozenset()
    offers: ClassVar[Mapping[SeriesName, Offer]] = {"bars": Offer(timeframe=60, page=1000, weight=5)}
    budget: Budget = field(default_factory=lambda: Budget(weight=1200, window_s=60))
    liquidation_sampling: str = "latest per second"
    counted: frozenset[SeriesName] = frozenset()
    listed: list[InstrumentFacts] = field(default_factory=list)
    tables: dict[str, tuple[LeverageBracket, ...]] = field(default_factory=dict)
    error: SourceError | None = None
    bracket_error: SourceError | None = None
    asked: list[str] = field(default_factory=list)
    accesses: list[Access] = field(default_factory=list)

    def connect(self, access: Access) -> ListedVenue:
        """Be one's own connection."""
        self.accesses.append(access)
        return self

    def instruments(self) -> tuple[InstrumentFacts, ...]:
        """List what the test has said."""
        if self.error:
            raise self.error
        return tuple(self.listed)

    def brackets(self, *, symbol: str) -> tuple[LeverageBracket, ...]:
        """Return what the test has said."""
        self.asked.append(symbol)
        if self.bracket_error:
            raise self.bracket_error
        return self.tables.get(symbol, ())


VENUES: dict[str, ListedVenue] = {}


def register(monkeypatch: pytest.MonkeyPatch, **venues: ListedVenue) -> None:
    """Make these the only sources beside the simulated one."""
    VENUES.clear()
    VENUES.update(venues)
    registry = {"simulated": "market.sources.simulated:SOURCE"} | {slug: f"{__name__}:{slug}" for slug in venues}
    monkeypatch.setattr("market.sources.SOURCES", registry)
    monkeypatch.setattr("market.operations.instruments.SOURCES", registry)


def __getattr__(slug: str) -> ListedVenue:
    if slug not in VENUES:
        raise AttributeError(slug)
    return VENUES[slug]
