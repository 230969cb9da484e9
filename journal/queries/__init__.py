"""What pages, doors and other rooms may ask of the journal. Every question names the owner."""

from market.canonical import InexactError, Json, canonical_json
from market.canonical import digest as digest_evidence

from .chain import Finding, entries_of_plan, find_cancelled, list_entries, list_owner_ids, verify_chain
from .context import read_context, read_market
from .controls import Controls, control_due
from .course import Course, Day, course, ended_by_day
from .drafts import get_unfinished
from .export import export_journal
from .exposure import Exposure, costs_of, expose, liquidates_first
from .moved import get_moved, list_moved, moved_parts
from .paths import Paths
from .plans import (
    PAGE,
    TERMS,
    events_of_plan,
    find_neighbours,
    get_event,
    get_plan,
    is_intact,
    judgements_of,
    list_events,
    list_plans,
    plain,
    plain_terms,
    settling_due,
)
from .results import Cell, Outcome, Results, count_unmatched, outcomes, results
from .sealing import SealedError, new_key, seal, wrap_anew
from .trades import (
    TRADES_PAGE,
    fills_of,
    get_file,
    get_fill,
    get_review,
    get_review_by_id,
    get_trade,
    list_files,
    list_fills,
    list_refused,
    list_reviews,
    list_trades,
    trade_with,
    trades_of_plan,
)
from .weeks import Week, read_week
from .words import open_answer, open_reviews, place_of_answer, place_of_week, seal_words

__all__ = [
    "PAGE",
    "TERMS",
    "TRADES_PAGE",
    "Cell",
    "Controls",
    "Course",
    "Day",
    "Exposure",
    "Finding",
    "InexactError",
    "Json",
    "Outcome",
    "Paths",
    "Results",
    "SealedError",
    "Week",
    "canonical_json",
    "control_due",
    "costs_of",
    "count_unmatched",
    "course",
    "digest_evidence",
    "ended_by_day",
    "entries_of_plan",
    "events_of_plan",
    "export_journal",
    "expose",
    "fills_of",
    "find_cancelled",
    "find_neighbours",
    "get_event",
    "get_file",
    "get_fill",
    "get_moved",
    "get_plan",
    "get_review",
    "get_review_by_id",
    "get_trade",
    "get_unfinished",
    "is_intact",
    "judgements_of",
    "liquidates_first",
    "list_entries",
    "list_events",
    "list_files",
    "list_fills",
    "list_moved",
    "list_owner_ids",
    "list_plans",
    "list_refused",
    "list_reviews",
    "list_trades",
    "moved_parts",
    "new_key",
    "open_answer",
    "open_reviews",
    "outcomes",
    "place_of_answer",
    "place_of_week",
    "plain",
    "plain_terms",
    "read_context",
    "read_market",
    "read_week",
    "results",
    "seal",
    "seal_words",
    "settling_due",
    "trade_with",
    "trades_of_plan",
    "verify_chain",
    "wrap_anew",
]
