"""What pages, doors and other rooms may ask of the journal. Every question names the owner."""

from market.canonical import InexactError, Json, canonical_json
from market.canonical import digest as digest_evidence

from .context import read_context, read_market
from .drafts import get_unfinished
from .exposure import Exposure, costs_of, expose, liquidates_first
from .plans import (
    PAGE,
    TERMS,
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
    "InexactError",
    "Json",
    "canonical_json",
    "costs_of",
    "digest_evidence",
    "expose",
    "get_plan",
    "get_unfinished",
    "is_intact",
    "is_settling_due",
    "judgements_of",
    "liquidates_first",
    "list_events",
    "list_plans",
    "plain",
    "plain_terms",
    "read_context",
    "read_market",
]
