"""Write plans, and judge those that are armed."""

from .amending import Amendment, amend_plan
from .arming import SettledError, arm_plan, closes_at, undo_arming
from .chaining import database_clock, lock_chain, next_entry
from .checks import find_obstacles
from .drafting import ArmedError, SentBeforeError, create_draft, update_draft
from .judging import adopt_plans
from .keeping import drop_unfinished, keep_unfinished
from .settling import settle
from .terms import LONGEST, MOST_TARGETS, NAMES, RISK_MOST, Terms, UnfitError, find_problems, spell_targets, terms_of

__all__ = [
    "LONGEST",
    "MOST_TARGETS",
    "NAMES",
    "RISK_MOST",
    "Amendment",
    "ArmedError",
    "SentBeforeError",
    "SettledError",
    "Terms",
    "UnfitError",
    "adopt_plans",
    "amend_plan",
    "arm_plan",
    "closes_at",
    "create_draft",
    "database_clock",
    "drop_unfinished",
    "find_obstacles",
    "find_problems",
    "keep_unfinished",
    "lock_chain",
    "next_entry",
    "settle",
    "spell_targets",
    "terms_of",
    "undo_arming",
    "update_draft",
]
