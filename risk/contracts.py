"""What venues publish about costs, with the day from which we know it. A reader's own tier may differ."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Fees:
    """A venue's standard fees [fraction of the notional] without discounts."""

    maker: Decimal
    taker: Decimal


FEES_AS_OF: Final = dt.date(2025, 12, 1)
# Lowest tier of each venue's public fee page.
STANDARD_FEES: Final[Mapping[str, Fees]] = MappingProxyType(
    {
        "binance": Fees(Decimal("0.0002"), Decimal("0.0005")),
        "binance-coin-m": Fees(Decimal("0.0002"), Decimal("0.0005")),
        "bybit": Fees(Decimal("0.0002"), Decimal("0.00055")),
        "okx": Fees(Decimal("0.0002"), Decimal("0.0005")),
        "hyperliquid": Fees(Decimal("0.00015"), Decimal("0.00045")),
    }
)
