"""Write plans, judge those that are armed, and keep what was done and learnt."""

from .amending import Amendment, amend_plan
from .answering import OtherRequestError, answer_once
from .arming import SettledError, arm_plan, closes_at, undo_arming
from .chaining import database_clock, lock_chain, next_entry
from .checks import find_obstacles
from .comparing import Comparison, compare
from .controlling import draw_controls
from .drafting import ArmedError, SentBeforeError, create_draft, update_draft
from .files import Choices, Look, UnreadableError, describe, is_known, keep_file, look, take_in
from .filling import FillRefusedError, TypedFill, add_fill, drop_fill
from .judging import adopt_plans
from .keeping import drop_unfinished, keep_unfinished
from .moving import keep_journal, look_at_journal, take_in_journal
from .noting import MOST_NOTE, keep_week_note, rewrap_keys
from .reviewing import NotEndedError, ReviewedError, Said, add_remark, review_plan, review_trade
from .settling import settle
from .taking import Progress, begin_take_in, progress_of
from .telling import News, settle_and_tell
from .terms import (
    LONGEST,
    MOST_SETUPS,
    MOST_TARGETS,
    NAMES,
    RISK_MOST,
    Terms,
    UnfitError,
    find_problems,
    spell_targets,
    terms_of,
    tidy_words,
)
from .trading import NoSuchPlanError, choose_plan

__all__ = [
    "LONGEST",
    "MOST_NOTE",
    "MOST_SETUPS",
    "MOST_TARGETS",
    "NAMES",
    "RISK_MOST",
    "Amendment",
    "ArmedError",
    "Choices",
    "Comparison",
    "FillRefusedError",
    "Look",
    "News",
    "NoSuchPlanError",
    "NotEndedError",
    "OtherRequestError",
    "Progress",
    "ReviewedError",
    "Said",
    "SentBeforeError",
    "SettledError",
    "Terms",
    "TypedFill",
    "UnfitError",
    "UnreadableError",
    "add_fill",
    "add_remark",
    "adopt_plans",
    "amend_plan",
    "answer_once",
    "arm_plan",
    "begin_take_in",
    "choose_plan",
    "closes_at",
    "compare",
    "create_draft",
    "database_clock",
    "describe",
    "draw_controls",
    "drop_fill",
    "drop_unfinished",
    "find_obstacles",
    "find_problems",
    "is_known",
    "keep_file",
    "keep_journal",
    "keep_unfinished",
    "keep_week_note",
    "lock_chain",
    "look",
    "look_at_journal",
    "next_entry",
    "progress_of",
    "review_plan",
    "review_trade",
    "rewrap_keys",
    "settle",
    "settle_and_tell",
    "spell_targets",
    "take_in",
    "take_in_journal",
    "terms_of",
    "tidy_words",
    "undo_arming",
    "update_draft",
]
