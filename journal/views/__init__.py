"""Pages of the journal."""

from .plans import amend, arm, evidence, export, plan, plans, undo
from .writing import check, edit_plan, figures, forget, keep, new_plan

__all__ = [
    "amend",
    "arm",
    "check",
    "edit_plan",
    "evidence",
    "export",
    "figures",
    "forget",
    "keep",
    "new_plan",
    "plan",
    "plans",
    "undo",
]
