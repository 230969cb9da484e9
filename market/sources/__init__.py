"""The registry of sources: a new venue is one file and one line here."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

from .base import SourceError, is_venue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .base import BatchSource, Venue

# slug -> "module:attribute", loaded on use so that one venue's client costs nothing to the others.
SOURCES: Final[Mapping[str, str]] = {
    "simulated": "market.sources.simulated:SOURCE",
    "binance": "market.sources.binance:SOURCE",
    "binance-coin-m": "market.sources.binance_coin_m:SOURCE",
    "bybit": "market.sources.bybit:SOURCE",
    "okx": "market.sources.okx:SOURCE",
    "hyperliquid": "market.sources.hyperliquid:SOURCE",
}


def load_source(slug: str) -> BatchSource | Venue:
    """Return the source of a venue."""
    if slug not in SOURCES:
        raise SourceError(f"There is no source called {slug!r}; known: {', '.join(SOURCES)}.", permanent=True)
    module, _, attribute = SOURCES[slug].partition(":")
    return cast("BatchSource | Venue", getattr(import_module(module), attribute))


def load_venue(slug: str) -> Venue:
    """Return the venue of this name; raise SourceError where it is none, such as for the simulated market."""
    source = load_source(slug)
    if not is_venue(source):
        raise SourceError(f"{slug} is not asked over a network.", permanent=True)
    return source


def venue_slugs() -> tuple[str, ...]:
    """List the sources that are asked over a network."""
    return tuple(slug for slug in SOURCES if is_venue(load_source(slug)))
