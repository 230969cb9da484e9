"""The registry of sources: a new venue is one file and one line here."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

from .base import SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .base import Source

# slug -> "module:attribute", loaded on use so that one venue's client costs nothing to the others.
SOURCES: Final[Mapping[str, str]] = {
    "simulated": "market.sources.simulated:SOURCE",
}


def load_source(slug: str) -> Source:
    """Return the source of a venue."""
    if slug not in SOURCES:
        raise SourceError(f"There is no source called {slug!r}; known: {', '.join(SOURCES)}.", permanent=True)
    module, _, attribute = SOURCES[slug].partition(":")
    return cast("Source", getattr(import_module(module), attribute))
