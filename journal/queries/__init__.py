"""What pages, doors and other rooms may ask of the journal. Every question names the owner."""

from market.canonical import InexactError, Json, canonical_json
from market.canonical import digest as digest_evidence

from .chain import Finding, list_entries, list_owner_ids, verify_chain
from .context import read_context, read_market
from .drafts import get_unfinished
from .export import export_journal
from .exposure import Exposure, costs_of, expose, liquidates_first
from .plans import (
    PAGE,
    TERMS,
    find_neighbours,
    get_plan,
    is_intact,
    is_settling_due,
    judgements_of,
    list_events,
    list_plans,
    plain,
    plain_terms,
)

__all__ = [
    "PAGE",
    "TERMS",
    "Exposure",
    "Finding",
    "InexactError",
    "Json",
    "canonical_json",
    "costs_of",
    "digest_evidence",
    "export_journal",
    "expose",
    "find_neighbours",
    "get_plan",
    "get_unfinished",
    "is_intact",
    "is_settling_due",
    "judgements_of",
    "liquidates_first",
    "list_entries",
    "list_events",
    "list_owner_ids",
    "list_plans",
    "plain",
    "plain_terms",
    "read_context",
    "read_market",
    "verify_chain",
]
