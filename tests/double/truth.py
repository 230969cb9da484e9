"""What a reader of a venue must end up with, in the product's units: base units, one side, seconds of no guess."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.double.tape import CENT, MINUTE

if TYPE_CHECKING:
    from tests.double.market import Listing


class Bar(NamedTuple):
    """A one-minute bar; volume and taker_buy in base, quote_volume in quote, NaN where the venue doesn't tell."""

    open_time: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    quote_volume: float
    taker_buy: float


class Interest(NamedTuple):
    """Open interest of one side in base and in USD; contracts are the venue's own (both sides where it counts both)."""

    time: int
    open_interest: float
    usd: float
    contracts: float


class Funding(NamedTuple):
    """A rate as a fraction per interval."""

    time: int
    rate: float
    hours: int


class Liquidation(NamedTuple):
    """A forced close: the side of the position, the published price, the size in base."""

    time: int
    position_side: str
    price: float
    quantity: float


def bars(listing: Listing, *, since: int, until: int, now: int, series: str = "bars") -> list[Bar]:
    """Return closed bars (or marks, without volume), ``since <= open_time`` and closed by ``until`` and ``now``."""
    rows = listing.bars(since=since, until=min(until, now // MINUTE * MINUTE), now=now, series=series)
    return [_bar(listing, row, series) for row in rows if row["time"] + MINUTE <= now]


def _bar(listing: Listing, row: Any, series: str) -> Bar:  # noqa: ANN401 one record
    terms = listing.tape.terms
    tick = terms.tick if series == "bars" else terms.mark_tick
    opened, high, low, close = (tick.number(row[name]) for name in ("open", "high", "low", "close"))
    volume, quote_volume, taker = _volumes(listing, row) if series == "bars" else (math.nan,) * 3
    return Bar(int(row["time"]), opened, high, low, close, volume, quote_volume, taker)


def _volumes(listing: Listing, row: Any) -> tuple[float, float, float]:  # noqa: ANN401 one record
    terms = listing.tape.terms
    volume, taker, value = (int(row[name]) for name in ("volume", "taker", "value"))
    if listing.is_inverse:
        bought = CENT.number(taker * value // max(volume, 1))
        return CENT.number(value), volume * float(listing.contract_at(int(row["time"]))), bought
    taker_buy = terms.lot.number(taker) if listing.slug == "binance" else math.nan
    quote_volume = math.nan if listing.slug == "hyperliquid" else terms.tick.times(terms.lot).number(value)
    return terms.lot.number(volume), quote_volume, taker_buy


def open_interest(listing: Listing, *, since: int, until: int, now: int) -> list[Interest]:
    """Return the five-minute samples that the venue's history has, ``since <= time <= until``."""
    found = []
    for time, amount, usd in listing.interest(since=since, until=until, now=now):
        base = listing.tape.terms.amount.number(amount)
        contracts = base * listing.sides / float(listing.contract_at(time))
        if listing.is_inverse:
            contracts = round(CENT.number(usd) / float(listing.contract_at(time)))
            price = CENT.number(usd) / max(base, 1e-9)
            base = round(contracts * float(listing.contract_at(time)) / price, 8)
        found.append(Interest(time, base, CENT.number(usd), contracts))
    return found


def funding(listing: Listing, *, since: int, until: int) -> list[Funding]:
    """Return the settled rates, ``since <= time <= until``."""
    rows = listing.funding(since=since, until=until)
    return [Funding(time, CENT.number(rate), hours) for time, rate, hours in rows]


def liquidations(listing: Listing, *, since: int, until: int) -> list[Liquidation]:
    """Return what the venue publishes, ``since <= time < until``: the latest per second where it samples."""
    terms = listing.tape.terms
    found = []
    for row in listing.prints(since=since, until=until):
        price, side = terms.tick.number(row["price"]), "LONG" if row["side"] > 0 else "SHORT"
        size = terms.lot.number(row["size"])
        if listing.is_inverse:
            contract = float(listing.contract_at(int(row["time"])))
            size = inverse_contracts(listing, int(row["price"]), int(row["size"])) * contract / price
        found.append(Liquidation(int(row["time"]), side, price, size))
    return found


def inverse_contracts(listing: Listing, price: int, size: int) -> int:
    """Return a size in lots as whole contracts of an inverse listing, at least one."""
    terms = listing.tape.terms
    return max(1, round(terms.tick.number(price) * terms.lot.number(size) / float(listing.contract)))
