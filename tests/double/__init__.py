"""A double of five venues: real HTTP and websocket servers on loopback with a known market and scripted faults."""

from tests.double.clock import Clock, ManualClock
from tests.double.market import Market, Revision, history_market, market_of, synthetic_market
from tests.double.server import Double, serve, whenever

__all__ = [
    "Clock", "Double", "ManualClock", "Market", "Revision",
    "history_market", "market_of", "serve", "synthetic_market", "whenever",
]  # fmt: skip
