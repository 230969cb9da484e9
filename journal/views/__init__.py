"""Pages of the journal."""

from .plans import arm, evidence, plan, plans
from .writing import check, edit_plan, figures, forget, keep, new_plan

__all__ = ["arm", "check", "edit_plan", "evidence", "figures", "forget", "keep", "new_plan", "plan", "plans"]
