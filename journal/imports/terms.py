"""What a venue's file holds, row by row: fills, closed trades, or the reason why not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from decimal import Decimal

BUY, SELL = 1, -1


class FileRefusedError(ValueError):
    """A file that is not read at all. Its text says what to change."""


class RowRefusedError(ValueError):
    """A row that is not believed. Its text says why."""


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution. side: +1 bought, -1 sold; fee: what was paid in ``fee_unit``, below 0 for a rebate.

    quantity: in base units, or in contracts where ``in_contracts``; venue_fill_id: the venue's own, or the SHA-256
    of the row and of how many equal ones stand above it where a venue gives none.
    """

    line: int
    symbol: str
    at: dt.datetime
    side: int
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_unit: str
    venue_fill_id: str
    order_id: str = ""
    is_maker: bool | None = None
    in_contracts: bool = False


@dataclass(frozen=True, slots=True)
class ClosedTrade:
    """A position that was closed, as a venue sums it up. side: +1 a long; result: after the venue's fees [quote]."""

    line: int
    symbol: str
    opened_at: dt.datetime | None
    closed_at: dt.datetime
    side: int
    quantity: Decimal
    entry: Decimal
    exit: Decimal
    result: Decimal
    venue_fill_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that was not believed: its line in the file, why, and the row itself."""

    line: int
    reason: str
    row: dict[str, str]


@dataclass(slots=True)
class Reading:
    """Everything that a file holds: each row is in exactly one of these, or counted in ``passed_over`` by its kind."""

    layout: str
    fills: list[Fill] = field(default_factory=list)
    closed: list[ClosedTrade] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    passed_over: dict[str, int] = field(default_factory=dict)

    @property
    def row_count(self) -> int:
        """How many rows are accounted for."""
        return len(self.fills) + len(self.closed) + len(self.refused) + sum(self.passed_over.values())
