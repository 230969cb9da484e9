"""Pages of the journal."""

from .course import course, month
from .filling import drop_fill, new_fill
from .moving import export, export_tables, moved, moved_journals, take_in_moved
from .plans import amend, arm, evidence, plan, plans, undo
from .reviews import remark, review, review_plan, review_trade
from .trades import choose_plan, file, files, take_in, trade, trades
from .weeks import week
from .writing import check, edit_plan, figures, forget, keep, new_plan

__all__ = [
    "amend",
    "arm",
    "check",
    "choose_plan",
    "course",
    "drop_fill",
    "edit_plan",
    "evidence",
    "export",
    "export_tables",
    "figures",
    "file",
    "files",
    "forget",
    "keep",
    "month",
    "moved",
    "moved_journals",
    "new_fill",
    "new_plan",
    "plan",
    "plans",
    "remark",
    "review",
    "review_plan",
    "review_trade",
    "take_in",
    "take_in_moved",
    "trade",
    "trades",
    "undo",
    "week",
]
