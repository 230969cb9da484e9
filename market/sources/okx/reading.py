"""What OKX's rows mean. Sizes are told in contracts of ``ctVal`` coins each.

Sources: okx.com/docs-v5/en, the section named beside what rests on it. Answers that are lists of lists do not say of
which contract they are.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from market.sources.base import InstrumentFacts, LeverageBracket
from market.sources.question import multiple_of
from market.sources.strict import Row, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterable

# GET / Candlesticks: vol is in contracts, volCcy in coins, volCcyQuote in USDT; confirm is "0" while the bar is open.
_PRICES: Final = ("open", "high", "low", "close")
_CANDLE: Final = ("ts", *_PRICES, "vol", "volCcy", "volCcyQuote", "confirm")
_MARK_CANDLE: Final = ("ts", *_PRICES, "confirm")
_CONFIRMED: Final = {"1": True, "0": False}
# Liquidation orders channel: "posSide: long, short, net"; "side: order side". In net mode only the order's side tells:
# what is sold by force was long.
_ORDER_SIDES: Final = {"sell": 1, "buy": -1}
_POSITION_SIDES: Final = {"long": 1, "short": -1, "net": 0}
_LINEAR: Final = {"linear": True, "inverse": False}


def instrument(raw: object) -> InstrumentFacts | None:
    """Read one listing (Get instruments); None of what is no swap on USDT."""
    row = Row(raw)
    if row.text("instType") != "SWAP" or not row.choice("ctType", _LINEAR) or row.text("settleCcy") != "USDT":
        return None
    base = row.text("ctValCcy")
    row.only("instFamily", f"{base}-USDT")
    underlying, multiple = multiple_of(base)
    size = row.decimal("ctVal") * row.decimal("ctMult")
    return InstrumentFacts(
        symbol=row.text("instId"),
        base=base,
        quote="USDT",
        contract_type="linear",
        contract_size=size,
        tick_size=row.step("tickSz"),
        lot_size=row.step("lotSz"),
        underlying=underlying,
        multiple=multiple,
        is_trading=row.text("state") == "live",
    )


def bar(raw: object) -> tuple[float, ...] | None:
    """Read a candle; None of one that is still open, which must be readable all the same."""
    row = Row(raw, _CANDLE)
    read = (*_timed_prices(row), row.decimal("volCcy"), row.decimal("volCcyQuote"), math.nan)
    return read if row.choice("confirm", _CONFIRMED) else None


def mark_bar(raw: object) -> tuple[float, ...] | None:
    """Read a candle of the mark price, which has no volume; None of one that is still open."""
    row = Row(raw, _MARK_CANDLE)
    read = (*_timed_prices(row), math.nan, math.nan, math.nan)
    return read if row.choice("confirm", _CONFIRMED) else None


def _timed_prices(row: Row) -> tuple[float, ...]:
    return row.time("ts"), *(row.decimal(name) for name in _PRICES)


def open_interest(raw: object) -> tuple[float, ...]:
    """Read a sample (Get contract open interest history): oiCcy in coins, oiUsd in USD; each contract counts once."""
    row = Row(raw, ("ts", "oi", "oiCcy", "oiUsd"))
    return row.time("ts"), row.decimal("oiCcy"), row.decimal("oiUsd"), math.nan


def account_ratio(raw: object) -> tuple[float, ...]:
    """Read a sample (Get contract long/short ratio): users that are net long over those that are net short."""
    row = Row(raw, ("ts", "ratio"))
    return row.time("ts"), row.decimal("ratio")


def funding(raw: object, symbol: str) -> tuple[float, ...]:
    """Read a settlement (Get funding rate history): fundingRate was predicted, realizedRate was paid."""
    row = Row(raw)
    row.only("instId", symbol)
    return row.time("fundingTime"), row.decimal("realizedRate"), math.nan


def liquidation(raw: object, *, size: float) -> tuple[float, ...]:
    """Read a liquidation; bkPx is "the price of the transaction with the system's liquidation account"."""
    row = Row(raw)
    by_order = row.choice("side", _ORDER_SIDES)
    by_position = row.choice("posSide", _POSITION_SIDES)
    if by_position == -by_order:
        raise UnreadableError("posSide and side contradict each other")
    return row.time("ts"), by_order, row.decimal("bkPx"), row.decimal("sz") * size, 0


def brackets(raws: Iterable[object], *, family: str, contract_value: float) -> tuple[LeverageBracket, ...]:
    """Read the tiers (Get position tiers); each begins at so many contracts, whose value [quote] is given."""
    found = []
    for raw in raws:
        row = Row(raw)
        row.only("instFamily", family)
        floor = row.decimal("minSz") * contract_value
        found.append(LeverageBracket(floor, row.decimal("maxLever"), row.decimal("mmr")))
    return tuple(sorted(found, key=lambda bracket: bracket.floor))
