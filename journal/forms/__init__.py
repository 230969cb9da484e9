"""Forms of the journal."""

from .amending import AmendForm
from .plan import PlanForm
from .starting import initial_of, suggest
from .trades import ChoosePlanForm, DescribeForm, FileForm, RemarkForm, ReviewForm, initial_of_file

__all__ = [
    "AmendForm",
    "ChoosePlanForm",
    "DescribeForm",
    "FileForm",
    "PlanForm",
    "RemarkForm",
    "ReviewForm",
    "initial_of",
    "initial_of_file",
    "suggest",
]
