"""Write plans, and judge those that are armed."""

from .planning import (
    LONGEST,
    RISK_MOST,
    ArmedError,
    SentBeforeError,
    Terms,
    UnfitError,
    arm_plan,
    create_draft,
    find_problems,
    terms_of,
    update_draft,
)
from .settling import settle

__all__ = [
    "LONGEST",
    "RISK_MOST",
    "ArmedError",
    "SentBeforeError",
    "Terms",
    "UnfitError",
    "arm_plan",
    "create_draft",
    "find_problems",
    "settle",
    "terms_of",
    "update_draft",
]
