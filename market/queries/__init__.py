"""What other rooms may ask about the market. Nothing here writes; nothing here knows what time it is."""

from .instruments import (
    Freshness,
    Stretch,
    checkpoints,
    coverage,
    freshness,
    freshness_of_all,
    get_instrument,
    list_instruments,
    stored_span,
)
from .rows import load_bars, load_funding, load_liquidation_totals, load_liquidations, load_open_interest, load_window

__all__ = [
    "Freshness",
    "Stretch",
    "checkpoints",
    "coverage",
    "freshness",
    "freshness_of_all",
    "get_instrument",
    "list_instruments",
    "load_bars",
    "load_funding",
    "load_liquidation_totals",
    "load_liquidations",
    "load_open_interest",
    "load_window",
    "stored_span",
]
