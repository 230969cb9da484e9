"""What Bybit's rows mean: perpetual contracts of the v5 category "linear"; one contract is one base unit.

Sources: bybit-exchange.github.io/docs/v5, the page named beside what rests on it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from market.sources.base import InstrumentFacts, LeverageBracket
from market.sources.question import multiple_of
from market.sources.strict import Row, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterable

_QUOTES: Final = ("USDT", "USDC")
# market/kline, market/mark-kline: "[startTime, open, high, low, close, volume, turnover]", the latest first. Of linear
# contracts volume is in base, turnover in quote. What takers bought is not told.
KLINE: Final = ("start", "open", "high", "low", "close", "volume", "turnover")
_PRICES: Final = KLINE[1:5]
# How far the venue's clocks may lie apart.
_EARLY_MS: Final = 1000
# websocket/public/all-liquidation: "Position side. Buy,Sell. When you receive a Buy update, this means that a long
# position has been liquidated". It is not the side of the order, as it is on Binance.
_POSITION_SIDES: Final = {"Buy": 1, "Sell": -1}


def instrument(raw: object) -> InstrumentFacts | None:
    """Read one listing (market/instrument); None of what is no perpetual in USDT or USDC."""
    row = Row(raw)
    if row.text("contractType") != "LinearPerpetual" or row.text("quoteCoin") not in _QUOTES:
        return None
    prices, lots = row.row("priceFilter"), row.row("lotSizeFilter")
    underlying, multiple = multiple_of(row.text("baseCoin"))
    return InstrumentFacts(
        symbol=row.text("symbol"),
        base=row.text("baseCoin"),
        quote=row.text("quoteCoin"),
        contract_type="linear",
        contract_size=1.0,
        tick_size=prices.step("tickSize"),
        lot_size=lots.step("qtyStep"),
        underlying=underlying,
        multiple=multiple,
        is_trading=row.text("status") == "Trading",
    )


def bar(row: Row) -> tuple[float, ...]:
    """Read a bar of a list or of a websocket."""
    volumes = row.decimal("volume"), row.decimal("turnover")
    return row.time("start"), *(row.decimal(name) for name in _PRICES), *volumes, math.nan


def closed_bar(raw: object, said_ms: int) -> tuple[float, ...] | None:
    """Read a bar of a websocket (websocket/public/kline); None while it is open. said_ms: when the message was made."""
    row = Row(raw)
    row.only("interval", "1")
    if not row.flag("confirm"):
        return None
    if said_ms < row.time("end") - _EARLY_MS:
        raise UnreadableError("it was said to be closed before its minute was over")
    return bar(row)


def mark_bar(row: Row) -> tuple[float, ...]:
    """Read a bar of the mark price, which has no volume."""
    return row.time("start"), *(row.decimal(name) for name in _PRICES), math.nan, math.nan, math.nan


def open_interest(raw: object) -> tuple[float, ...]:
    """Read a sample in base (market/open-interest): openInterest is "the sum of both sides", so it is not read.

    The single side is there since 11 June 2026, see docs/decisions/0011. No price comes with it.
    """
    row = Row(raw)
    return row.time("timestamp"), row.decimal("singleOpenInterest"), math.nan, math.nan


def account_ratio(raw: object, symbol: str) -> tuple[float, ...]:
    """Read a sample (market/long-short-ratio): which shares of the holders are net long and net short."""
    row = Row(raw)
    row.only("symbol", symbol)
    if (sellers := row.decimal("sellRatio")) <= 0:
        raise UnreadableError("sellRatio is zero or negative")
    return row.time("timestamp"), row.decimal("buyRatio") / sellers


def funding(raw: object, symbol: str) -> tuple[float, ...]:
    """Read a settlement (market/history-fund-rate), which does not tell its interval."""
    row = Row(raw)
    row.only("symbol", symbol)
    return row.time("fundingRateTimestamp"), row.decimal("fundingRate"), math.nan


def liquidation(raw: object, symbol: str) -> tuple[float, ...]:
    """Read a liquidation: p is the bankruptcy price, v the size in base."""
    row = Row(raw)
    row.only("s", symbol)
    return row.time("T"), row.choice("S", _POSITION_SIDES), row.decimal("p"), row.decimal("v"), 0


def brackets(raws: Iterable[object], symbol: str) -> tuple[LeverageBracket, ...]:
    """Read the risk limits (market/risk-limit); each row tells up to which value of a position [quote] it holds."""
    found = []
    for row in map(Row, raws):
        row.only("symbol", symbol)
        found.append(tuple(row.decimal(name) for name in ("riskLimitValue", "maxLeverage", "maintenanceMargin")))
    found.sort()
    floors = [0.0, *(most for most, _, _ in found)]
    return tuple(LeverageBracket(floor, top, rate) for floor, (_, top, rate) in zip(floors, found, strict=False))
