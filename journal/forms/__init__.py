"""Forms of the journal."""

from .plan import PlanForm
from .starting import initial_of, suggest

__all__ = ["PlanForm", "initial_of", "suggest"]
