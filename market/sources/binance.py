"""Binance USD-M perpetual contracts (fapi); one contract is one base unit.

Brackets: see ``_TABLES``. Everything else: ``binance_futures``.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Final

from .base import InstrumentFacts, LeverageBracket
from .binance_futures import FuturesClient, FuturesVenue, filter_of, is_perpetual
from .question import multiple_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias

    from .base import Access
    from .strict import Row

    _Bracket: TypeAlias = tuple[float, float, float]

_QUOTES: Final = ("USDT", "USDC")
# The table of brackets is shown to account holders only (account/Notional-and-Leverage-Brackets wants a signature).
# These are three of it as they were on that day: (floor [USDT], leverage up to, maintenance rate).
_TABLES_AS_OF: Final = dt.date(2024, 10, 24)
_LARGE: Final[tuple[_Bracket, ...]] = (
    (0, 125, 0.004),
    (50e3, 100, 0.005),
    (600e3, 75, 0.0065),
    (3e6, 50, 0.01),
    (12e6, 25, 0.02),
)
_TABLES: Final[Mapping[str, tuple[_Bracket, ...]]] = {
    "BTCUSDT": (
        *_LARGE, (70e6, 20, 0.025), (100e6, 10, 0.05), (230e6, 5, 0.1), (480e6, 4, 0.125), (600e6, 3, 0.15),
        (800e6, 2, 0.25), (1.2e9, 1, 0.5),
    ),
    "ETHUSDT": (
        *_LARGE, (50e6, 20, 0.025), (65e6, 10, 0.05), (150e6, 5, 0.1), (320e6, 4, 0.125), (400e6, 3, 0.15),
        (530e6, 2, 0.25), (800e6, 1, 0.5),
    ),
    "SOLUSDT": (
        (0, 100, 0.005), (20e3, 75, 0.0065), (100e3, 50, 0.01), (800e3, 25, 0.02), (4e6, 20, 0.025), (8e6, 10, 0.05),
        (40e6, 5, 0.1), (80e6, 4, 0.125), (100e6, 2, 0.25), (200e6, 1, 0.5),
    ),
}  # fmt: skip


class _Rest(FuturesClient):
    exchange = "binanceusdm"
    slug = "binance"
    api = "fapi"
    is_inverse = False

    def terms(self, row: Row) -> InstrumentFacts | None:
        if not is_perpetual(row) or row.text("quoteAsset") not in _QUOTES:
            return None
        underlying, multiple = multiple_of(row.text("baseAsset"))
        return InstrumentFacts(
            symbol=row.text("symbol"),
            base=row.text("baseAsset"),
            quote=row.text("quoteAsset"),
            contract_type="linear",
            contract_size=1.0,
            tick_size=filter_of(row, "PRICE_FILTER").step("tickSize"),
            lot_size=filter_of(row, "LOT_SIZE").step("stepSize"),
            underlying=underlying,
            multiple=multiple,
            is_trading=row.text("status") == "TRADING",
        )

    def whom(self, symbol: str) -> dict[str, str]:
        return {"symbol": symbol}

    def open_interest(self, row: Row, contract_size: float) -> tuple[float, ...]:
        """Read sumOpenInterest in base, of one side, and its value in quote; no price comes with it."""
        del contract_size
        amount, value = row.decimal("sumOpenInterest"), row.decimal("sumOpenInterestValue")
        return row.time("timestamp"), amount, value, math.nan

    def brackets(self, *, symbol: str) -> tuple[LeverageBracket, ...]:
        return tuple(LeverageBracket(*terms, _TABLES_AS_OF) for terms in _TABLES.get(symbol, ()))


class Binance(FuturesVenue):
    """The venue."""

    slug = "binance"
    name = "Binance USD-M"
    # Important-WebSocket-Change-Notice: since 23 April 2026 klines and forced orders come from /market alone.
    stream_url = "wss://fstream.binance.com/market/ws"
    is_inverse = False

    def connect(self, access: Access) -> _Rest:
        """Open the REST side; costs no request."""
        return _Rest(access)


SOURCE: Final = Binance()
