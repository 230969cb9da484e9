"""A double of five venues: real HTTP and websocket servers on loopback with a known market and scripted faults.

    with serve(market=synthetic_market(4), clock=ManualClock(noon_ms)) as double:
        double.address                   # a venue lies below it by its slug: /binance/fapi/v1/klines, /okx/ws/v5/public
        double.clock.advance(minutes=1)  # a minute closes, its bars and liquidations are pushed
        double.inject(FAULTS["silent_stall"](slug="okx"))
        double.requests, double.acknowledged, double.ledger.during_bans()

What a reader must end up with is in ``truth``, the faults by name are in ``catalogue``.
"""

from tests.double.clock import Clock, ManualClock
from tests.double.market import Market, Revision, history_market, market_of, synthetic_market
from tests.double.server import Double, serve, whenever

__all__ = [
    "Clock", "Double", "ManualClock", "Market", "Revision",
    "history_market", "market_of", "serve", "synthetic_market", "whenever",
]  # fmt: skip
