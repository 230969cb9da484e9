"""Binance COIN-M perpetual contracts (dapi): inverse, margined in the coin, counted in contracts of some USD.

A contract of BTCUSD_PERP is worth 100 USD, of all others 10 (exchangeInfo, contractSize). Everything else:
``binance_futures``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, Final

from .base import InstrumentFacts, LeverageBracket
from .binance_futures import FuturesClient, FuturesVenue, filter_of, is_perpetual

if TYPE_CHECKING:
    from market.series import SeriesName

    from .base import Access
    from .strict import Row

_PERPETUAL: Final = "_PERP"


class _Rest(FuturesClient):
    exchange = "binancecoinm"
    slug = "binance-coin-m"
    api = "dapi"
    is_inverse = True

    def terms(self, row: Row) -> InstrumentFacts | None:
        if not is_perpetual(row) or not row.text("symbol").endswith(_PERPETUAL):
            return None
        return InstrumentFacts(
            symbol=row.text("symbol"),
            base=row.text("baseAsset"),
            quote=row.text("quoteAsset"),
            contract_type="inverse",
            contract_size=row.amount("contractSize"),
            tick_size=filter_of(row, "PRICE_FILTER").step("tickSize"),
            lot_size=filter_of(row, "LOT_SIZE").step("stepSize"),
            underlying=row.text("baseAsset"),
            is_trading=row.text("contractStatus") == "TRADING",
        )

    def whom(self, symbol: str) -> dict[str, str]:
        return {"pair": symbol.removesuffix(_PERPETUAL), "contractType": "PERPETUAL"}

    def open_interest(self, row: Row, contract_size: float) -> tuple[float, ...]:
        """Read sumOpenInterest ("unit: cont") and sumOpenInterestValue ("unit: base asset"), of one side."""
        contracts, amount = row.decimal("sumOpenInterest"), row.decimal("sumOpenInterestValue")
        return row.time("timestamp"), amount, contracts * contract_size, math.nan

    def brackets(self, *, symbol: str) -> tuple[LeverageBracket, ...]:
        """Return nothing: the table is shown to account holders only (account/Notional-Bracket-for-Symbol)."""
        del symbol
        return ()


class BinanceCoinM(FuturesVenue):
    """The venue."""

    slug = "binance-coin-m"
    name = "Binance COIN-M"
    # Bars and open interest are told in coins, too.
    counted: ClassVar[frozenset[SeriesName]] = frozenset({"liquidations", "depth"})
    stream_url = "wss://dstream.binance.com/ws"
    is_inverse = True

    def connect(self, access: Access) -> _Rest:
        """Open the REST side; costs no request."""
        return _Rest(access)


SOURCE: Final = BinanceCoinM()
