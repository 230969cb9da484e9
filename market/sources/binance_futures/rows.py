"""Rows of Binance's two futures APIs, fapi (USD-M, linear) and dapi (COIN-M, inverse), with their units.

Sources: developers.binance.com/docs/derivatives, the page named beside what rests on it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from market.series import MINUTE_MS

from ..strict import Row, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Mapping

# market-data/Kline-Candlestick-Data. fapi: volume and taker_volume in base, amount and taker_amount in quote. dapi:
# volume and taker_volume in contracts, amount and taker_amount in base.
KLINE: Final = (
    "open_time", "open", "high", "low", "close", "volume", "close_time", "amount", "trades", "taker_volume",
    "taker_amount",
)  # fmt: skip
_PRICES: Final = KLINE[1:5]
# websocket-market-streams/Kline-Candlestick-Streams: the same by letters.
_LETTERS: Final = dict(zip(KLINE, ("t", "o", "h", "l", "c", "v", "T", "q", "n", "V", "Q"), strict=True))
# Settlements are stamped some milliseconds late.
LATE_MS: Final = 1000
# How far a ratio that is rounded to four digits may lie from the shares that are.
_ROUNDING: Final = 0.001
# websocket-market-streams/Liquidation-Order-Streams: S is the side of the order that closes the position: whoever is
# sold out was long.
_POSITION_SIDES: Final = {"SELL": 1, "BUY": -1}


def bar(row: Row, contract_size: float, *, is_inverse: bool) -> tuple[float, ...]:
    """Read a bar with its volumes."""
    volume, amount, bought, bought_amount = map(row.decimal, ("volume", "amount", "taker_volume", "taker_amount"))
    if is_inverse:
        return *_prices(row), amount, volume * contract_size, bought_amount
    return *_prices(row), volume, amount, bought


def mark_bar(row: Row) -> tuple[float, ...]:
    """Read a bar of the mark price, whose volumes mean nothing."""
    return *_prices(row), math.nan, math.nan, math.nan


def _prices(row: Row) -> tuple[float, ...]:
    opened = row.time("open_time")
    if row.time("close_time") != opened + MINUTE_MS - 1:
        raise UnreadableError("close_time is not the last millisecond of the minute")
    return opened, *map(row.decimal, _PRICES)


def closed_bar(event: Row, contract_size: float, *, is_inverse: bool) -> tuple[float, ...] | None:
    """Read a kline event of a websocket; None while its bar is open."""
    kline = event.row("k")
    kline.only("i", "1m")
    event.only("s", kline.text("s"))
    if not kline.flag("x"):
        return None
    row = Row({name: kline.fields[letter] for name, letter in _LETTERS.items() if letter in kline.fields})
    if event.time("E") < row.time("close_time") - LATE_MS:
        raise UnreadableError("it was said to be closed before its minute was over")
    return bar(row, contract_size, is_inverse=is_inverse)


def forced_order(row: Row, contract_size: float, *, is_inverse: bool) -> tuple[float, ...]:
    """Read a liquidation: z is what was filled of it, ap the average price.

    p is the limit of the order, which is the price of bankruptcy and lies beyond what was paid. dapi counts contracts.
    """
    price, quantity = row.decimal("ap"), row.decimal("z")
    if price <= 0:
        raise UnreadableError("ap is zero or negative")
    amount = quantity * contract_size / price if is_inverse else quantity
    return row.time("T"), row.choice("S", _POSITION_SIDES), price, amount, 0


def funding(raw: object, symbol: str) -> tuple[float, ...]:
    """Read a settlement; its interval is the distance from the one before."""
    row = Row(raw)
    row.only("symbol", symbol)
    time = row.time("fundingTime")
    late = time % MINUTE_MS
    return time - late if late < LATE_MS else time, row.decimal("fundingRate"), math.nan


def account_ratio(raw: object, whom: Mapping[str, str]) -> tuple[float, ...]:
    """Read a sample of how many accounts are net long for each that is net short."""
    row = Row(raw)
    about(row, whom)
    ratio = row.decimal("longShortRatio")
    if ratio > 0 and abs(row.decimal("longAccount") - ratio / (1 + ratio)) > _ROUNDING:
        raise UnreadableError("longShortRatio does not go with longAccount")
    return row.time("timestamp"), ratio


def about(row: Row, whom: Mapping[str, str]) -> None:
    """Make sure that a sample names whom the question did, as far as samples of its kind name anything."""
    for name, value in whom.items():
        if name in row.fields or name != "contractType":
            row.only(name, value)


def filter_of(row: Row, kind: str) -> Row:
    """Return one of the rules that a contract's orders must keep."""
    for rule in map(Row, row.rows("filters")):
        if rule.text("filterType") == kind:
            return rule
    raise UnreadableError(f"filters hold no {kind}")


def is_perpetual(row: Row) -> bool:
    """Tell whether a contract never expires; one that has been announced but not begun has no type yet."""
    return row.text("contractType", may_be_empty=True) == "PERPETUAL"
