"""The API of the journal: own plans, fills, trades and reviews, to read and to write."""

from .plans import PlanApi, PlanArmApi, PlanEntryListApi, PlanEventApi, PlanEventListApi, PlanListApi, PlanUndoApi
from .results import ResultsApi
from .reviews import RemarkListApi, ReviewApi, ReviewListApi
from .trades import FillApi, FillListApi, TradeApi, TradeListApi

__all__ = [
    "FillApi",
    "FillListApi",
    "PlanApi",
    "PlanArmApi",
    "PlanEntryListApi",
    "PlanEventApi",
    "PlanEventListApi",
    "PlanListApi",
    "PlanUndoApi",
    "RemarkListApi",
    "ResultsApi",
    "ReviewApi",
    "ReviewListApi",
    "TradeApi",
    "TradeListApi",
]
