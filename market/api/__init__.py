"""The API of the market: instruments, series, brackets and coverage. What is not known is null."""

from .bars import BarsApi
from .coverage import BracketsApi, CoverageApi
from .instruments import InstrumentApi, InstrumentListApi
from .samples import AccountRatioApi, DepthApi, FundingApi, LiquidationsApi, OpenInterestApi

__all__ = [
    "AccountRatioApi",
    "BarsApi",
    "BracketsApi",
    "CoverageApi",
    "DepthApi",
    "FundingApi",
    "InstrumentApi",
    "InstrumentListApi",
    "LiquidationsApi",
    "OpenInterestApi",
]
