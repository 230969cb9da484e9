"""What other rooms may ask about the market. Nothing here writes; nothing here knows what time it is."""

from .brackets import load_terms
from .changes import Changes, changes
from .days import Day, last_days
from .driver import binary_cursor
from .instruments import (
    Freshness,
    Stretch,
    checkpoints,
    coverage,
    find_instrument,
    find_named,
    freshness,
    freshness_of_all,
    get_instrument,
    judge_freshness,
    list_fetched,
    list_followed,
    list_instruments,
    newest_bar,
    split_key,
    stored_span,
)
from .outages import heard_venues, resting_venues
from .pairs import KnownInterest, Member, counted_members, list_members, newest_interest, rankings
from .rows import (
    load_bars,
    load_funding,
    load_last_of_hours,
    load_liquidation_sums,
    load_liquidation_totals,
    load_liquidations,
    load_open_interest,
    load_window,
)
from .venues import VenueHealth, venue_health, venue_name

__all__ = [
    "Changes",
    "Day",
    "Freshness",
    "KnownInterest",
    "Member",
    "Stretch",
    "VenueHealth",
    "binary_cursor",
    "changes",
    "checkpoints",
    "counted_members",
    "coverage",
    "find_instrument",
    "find_named",
    "freshness",
    "freshness_of_all",
    "get_instrument",
    "heard_venues",
    "judge_freshness",
    "last_days",
    "list_fetched",
    "list_followed",
    "list_instruments",
    "list_members",
    "load_bars",
    "load_funding",
    "load_last_of_hours",
    "load_liquidation_sums",
    "load_liquidation_totals",
    "load_liquidations",
    "load_open_interest",
    "load_terms",
    "load_window",
    "newest_bar",
    "newest_interest",
    "rankings",
    "resting_venues",
    "split_key",
    "stored_span",
    "venue_health",
    "venue_name",
]
