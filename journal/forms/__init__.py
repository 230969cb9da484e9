"""Forms of the journal."""

from .amending import AmendForm
from .filling import FillForm, fill_of_plan
from .plan import PlanForm
from .starting import initial_of, suggest
from .trades import ChoosePlanForm, DescribeForm, FileForm, JournalForm, RemarkForm, ReviewForm, initial_of_file
from .weeks import WeekForm

__all__ = [
    "AmendForm",
    "ChoosePlanForm",
    "DescribeForm",
    "FileForm",
    "FillForm",
    "JournalForm",
    "PlanForm",
    "RemarkForm",
    "ReviewForm",
    "WeekForm",
    "fill_of_plan",
    "initial_of",
    "initial_of_file",
    "suggest",
]
