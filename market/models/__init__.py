"""What exchanges report, and what is known about it, as tables."""

from .instruments import Alias, ContractTerms, Instrument, LeverageBracket
from .ledger import Change, Coverage, Hole, Quarantine
from .pairs import PairDay, PairMember
from .series import (
    AccountRatio,
    Bar,
    Depth,
    FundingRate,
    Liquidation,
    LiquidationTotal,
    OpenInterest,
    Revision,
    SourceCheckpoint,
)
from .venues import FeedState, VenueLimit, VenueState

__all__ = [
    "AccountRatio",
    "Alias",
    "Bar",
    "Change",
    "ContractTerms",
    "Coverage",
    "Depth",
    "FeedState",
    "FundingRate",
    "Hole",
    "Instrument",
    "LeverageBracket",
    "Liquidation",
    "LiquidationTotal",
    "OpenInterest",
    "PairDay",
    "PairMember",
    "Quarantine",
    "Revision",
    "SourceCheckpoint",
    "VenueLimit",
    "VenueState",
]
