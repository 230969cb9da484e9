"""Forms of the journal."""

from .amending import AmendForm
from .plan import PlanForm
from .starting import initial_of, suggest

__all__ = ["AmendForm", "PlanForm", "initial_of", "suggest"]
