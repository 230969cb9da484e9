"""The files that venues hand out, one class each: which columns tell it, and what a row means.

Headers as the venues' own exports and open-source importers show them in 2025 and 2026; a column that a venue adds
does no harm, one that it renames makes the file unknown, and the user is asked to map it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from .cells import Style, amount, moment, number, positive, side, symbol
from .terms import ClosedTrade, Fill

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Row = dict[str, str]
ZERO = Decimal(0)


class PassedOverError(Exception):
    """A row that is no trade. Its text is the kind, for the count."""


@dataclass(slots=True)
class Naming:
    """Names rows that have no identity of their own by their content, and by how many equal ones came before."""

    seen: Counter[str] = field(default_factory=Counter)

    def __call__(self, row: Row) -> str:
        """Return the name of a row."""
        content = "\x1f".join(f"{name}={value}" for name, value in sorted(row.items()))
        self.seen[content] += 1
        return hashlib.sha256(f"{content}\x1f{self.seen[content]}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Layout:
    """A file that is known. columns: what its header must hold; zone: None where the user has to tell it."""

    slug: str
    title: str
    venue: str
    columns: frozenset[str]
    read: Callable[[int, Row, Style, Naming], Fill | ClosedTrade]
    zone: Callable[[tuple[str, ...], tuple[str, ...]], dt.tzinfo | None]
    order: str | None = "y"


def _binance(line: int, row: Row, style: Style, _: Naming) -> Fill:
    fee, unit = amount(row["Fee"], style, "Fee")
    return Fill(
        line=line,
        symbol=symbol(row["Symbol"]),
        at=moment(row["Time"], style),
        side=side(row["Side"]),
        price=positive(row["Price"], style, "Price"),
        quantity=positive(row["Quantity"], style, "Quantity"),
        fee=fee,
        fee_unit=unit,
        # Trade IDs count up within a symbol.
        venue_fill_id=f"{symbol(row['Symbol'])}:{row['Trade ID']}",
        order_id=row["Order ID"],
        is_maker={"true": True, "false": False}.get(row.get("Maker", "").lower()),
    )


def _bybit_log(line: int, row: Row, style: Style, naming: Naming) -> Fill:
    if row["Type"].upper() != "TRADE":
        raise PassedOverError(f"{row['Type'].lower() or 'unnamed'} row of the account's log")
    time = next(value for name, value in row.items() if name.startswith("Time"))
    return Fill(
        line=line,
        symbol=symbol(row["Contract"]),
        at=moment(time, style),
        side=side(row["Direction"]),
        price=positive(row["Filled Price"], style, "Filled Price"),
        quantity=abs(number(row["Quantity"], style, "Quantity")) or positive(row["Quantity"], style, "Quantity"),
        # "Change" is cash flow plus this column: what was paid stands below 0.
        fee=-number(row["Fee Paid"], style, "Fee Paid"),
        fee_unit=row["Currency"].upper(),
        venue_fill_id=row.get("TradeId", "") or naming(row),
        order_id=row.get("OrderId", ""),
    )


def _bybit_closed(line: int, row: Row, style: Style, naming: Naming) -> ClosedTrade:
    closing = " ".join(row["Closing Direction"].lower().split())
    time = next(value for name, value in row.items() if name.startswith("Trade Time"))
    created = row.get("Create Time", "")
    return ClosedTrade(
        line=line,
        symbol=symbol(row["Contracts"]),
        opened_at=None,
        closed_at=max(moment(one, style) for one in (time, created) if one),
        side=-side(closing),
        quantity=positive(row["Qty"], style, "Qty"),
        entry=positive(row["Entry Price"], style, "Entry Price"),
        exit=positive(row["Exit Price"], style, "Exit Price"),
        result=number(row["Closed P&L"], style, "Closed P&L"),
        # An order may close in several parts, so its number alone is no name.
        venue_fill_id=naming(row),
    )


def _okx(line: int, row: Row, style: Style, _: Naming) -> Fill:
    if row["Trade Type"].lower() not in ("swap", "perpetual", "perpetual swap", "perpetual futures"):
        raise PassedOverError(f"{row['Trade Type'].lower() or 'unnamed'} row")
    return Fill(
        line=line,
        symbol=symbol(row["Symbol"]),
        at=moment(row["Time"], style),
        side=side(row["Action"]),
        price=positive(row["Filled Price"], style, "Filled Price"),
        quantity=positive(row["Amount"], style, "Amount"),
        fee=-number(row["Fee"], style, "Fee"),
        fee_unit=row["Fee Unit"].upper(),
        venue_fill_id=row["id"],
        order_id=row["Order id"],
        in_contracts=row["Trading Unit"].lower() in ("cont", "contract", "contracts"),
    )


def _hyperliquid(line: int, row: Row, style: Style, naming: Naming) -> Fill:
    if "/" in row["coin"]:
        raise PassedOverError("spot row")
    return Fill(
        line=line,
        symbol=symbol(row["coin"]),
        at=moment(row["time"], style),
        side=side(row["dir"]),
        price=positive(row["px"], style, "px"),
        quantity=positive(row["sz"], style, "sz"),
        fee=number(row["fee"], style, "fee"),
        fee_unit="USDC",
        venue_fill_id=naming(row),
    )


def _told_by_user(_: tuple[str, ...], __: tuple[str, ...]) -> None:
    return None


ZONE = re.compile(r"UTC\s*([+-]\d{1,2})?(?::?(\d{2}))?", re.IGNORECASE)


def _told_by_file(above: tuple[str, ...], header: tuple[str, ...]) -> dt.tzinfo | None:
    """Return the zone that a header or the lines above it name: ``Trade Time(UTC+0)``, ``Time Zone:UTC+8``."""
    for text in (
        *(line for line in above if "time zone" in line.lower()),
        *(name for name in header if "Time" in name),
    ):
        found = ZONE.search(text)
        if found:
            hours, minutes = int(found[1] or 0), int(found[2] or 0)
            return dt.timezone(dt.timedelta(hours=hours, minutes=minutes if hours >= 0 else -minutes))
    return None


def _named(columns: str) -> frozenset[str]:
    return frozenset(columns.split(","))


LAYOUTS = (
    Layout(
        slug="binance-trades",
        title="Binance futures trade history",
        venue="binance",
        columns=frozenset(
            ["Time", "Symbol", "Side", "Price", "Quantity", "Amount", "Fee", "Realized Profit", "Trade ID", "Order ID"]
        ),
        read=_binance,
        zone=_told_by_user,
    ),
    Layout(
        slug="bybit-log",
        title="Bybit transaction log",
        venue="bybit",
        columns=frozenset(
            ["Currency", "Contract", "Type", "Direction", "Quantity", "Filled Price", "Fee Paid", "Change"]
        ),
        read=_bybit_log,
        zone=_told_by_file,
    ),
    Layout(
        slug="bybit-closed",
        title="Bybit closed P&L",
        venue="bybit",
        columns=frozenset(["Contracts", "Closing Direction", "Qty", "Entry Price", "Exit Price", "Closed P&L"]),
        read=_bybit_closed,
        zone=_told_by_file,
    ),
    Layout(
        slug="okx-trades",
        title="OKX trading history",
        venue="okx",
        columns=frozenset(
            [
                "id",
                "Order id",
                "Time",
                "Trade Type",
                "Symbol",
                "Action",
                "Amount",
                "Trading Unit",
                "Filled Price",
                "Fee",
                "Fee Unit",
            ]
        ),
        read=_okx,
        zone=_told_by_file,
    ),
    Layout(
        slug="hyperliquid-trades",
        title="Hyperliquid trade history",
        venue="hyperliquid",
        columns=frozenset(["time", "coin", "dir", "px", "sz", "ntl", "fee", "closedPnl"]),
        read=_hyperliquid,
        zone=_told_by_user,
        order=None,
    ),
)


FIELDS = ("time", "symbol", "side", "price", "quantity", "fee", "fill id", "order id")
NEEDED = FIELDS[:5]


def mapped(columns: Mapping[str, str], *, venue: str) -> Layout:
    """Return the layout of a file whose columns the user named. columns: from a field of ``FIELDS`` to a column.

    Raises ValueError unless time, symbol, side, price and quantity each have a column of their own.
    """
    missing = [name for name in NEEDED if not columns.get(name)]
    if missing:
        raise ValueError(f"Say which column holds the {missing[0]}.")
    used = [column for column in columns.values() if column]
    if len(set(used)) < len(used):
        raise ValueError("Each column can stand for one thing only.")

    def read(line: int, row: Row, style: Style, naming: Naming) -> Fill:
        at = {name: row.get(column, "") for name, column in columns.items() if column}
        fee, unit = amount(at["fee"], style, "fee") if at.get("fee") else (ZERO, "")
        return Fill(
            line=line,
            symbol=symbol(at["symbol"]),
            at=moment(at["time"], style),
            side=side(at["side"]),
            price=positive(at["price"], style, "price"),
            quantity=positive(at["quantity"], style, "quantity"),
            fee=fee,
            fee_unit=unit,
            venue_fill_id=at.get("fill id", "") or naming(row),
            order_id=at.get("order id", ""),
        )

    return Layout("mapped", "columns that you named", venue, frozenset(used), read, _told_by_file, order=None)
