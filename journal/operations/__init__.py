"""Write plans, and judge those that are armed."""

from .arming import arm_plan
from .drafting import ArmedError, SentBeforeError, create_draft, update_draft
from .keeping import drop_unfinished, keep_unfinished
from .settling import settle
from .terms import LONGEST, MOST_TARGETS, NAMES, RISK_MOST, Terms, UnfitError, find_problems, spell_targets, terms_of

__all__ = [
    "LONGEST",
    "MOST_TARGETS",
    "NAMES",
    "RISK_MOST",
    "ArmedError",
    "SentBeforeError",
    "Terms",
    "UnfitError",
    "arm_plan",
    "create_draft",
    "drop_unfinished",
    "find_problems",
    "keep_unfinished",
    "settle",
    "spell_targets",
    "terms_of",
    "update_draft",
]
