"""How each series lies in its table: the one place that ties record fields to columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from market import series as s

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from market.series import SeriesName


class SeriesKey(NamedTuple):
    """Under which the ledger keeps a series; ``timeframe`` [s] is 0 for events."""

    instrument_id: int
    series: str
    timeframe: int

    @property
    def fields(self) -> dict[str, Any]:
        """Return the key as a table's columns."""
        return self._asdict()


@dataclass(frozen=True, slots=True)
class Table:
    """One series' table: ``time`` and ``extra_key`` make the natural key, ``values`` may be revised."""

    name: str
    dtype: np.dtype[np.void]
    time: str
    values: tuple[str, ...]
    extra_key: tuple[str, ...] = ()
    price_kind: int | None = None
    has_timeframe: bool = False
    # How far apart two neighbours may lie before the ledger calls it a hole [s]; 0 for events.
    default_step: int = 0

    @property
    def fields(self) -> tuple[str, ...]:
        """Columns that come from the records, in the order in which they are copied."""
        return (self.time, *self.extra_key, *self.values)

    @property
    def is_bars(self) -> bool:
        """Whether rows span a period rather than mark a moment."""
        return self.has_timeframe


_PRICES = ("open", "high", "low", "close", "volume", "quote_volume", "taker_buy_volume")

TABLES: Final[Mapping[SeriesName, Table]] = {
    "bars": Table("market_bar", s.BAR, "open_time", _PRICES, price_kind=0, has_timeframe=True),
    "mark_bars": Table("market_bar", s.BAR, "open_time", _PRICES, price_kind=1, has_timeframe=True),
    "open_interest": Table(
        "market_openinterest",
        s.OPEN_INTEREST,
        "time",
        ("open_interest", "open_interest_value", "mark_price"),
        default_step=300,
    ),
    "funding": Table("market_fundingrate", s.FUNDING, "time", ("rate", "interval_s"), default_step=28_800),
    "liquidations": Table(
        "market_liquidation", s.LIQUIDATION, "time", (), extra_key=("position_side", "price", "quantity", "ordinal")
    ),
    "liquidation_totals": Table(
        "market_liquidationtotal", s.LIQUIDATION_TOTAL, "open_time", ("long_usd", "short_usd"), has_timeframe=True
    ),
    "depth": Table("market_depth", s.DEPTH, "time", (s.DEPTH.names or ())[1:], default_step=300),
    "account_ratio": Table("market_accountratio", s.ACCOUNT_RATIO, "time", ("ratio",), default_step=300),
}


def series_key(instrument_id: int, series: SeriesName, timeframe: int) -> SeriesKey:
    """Return the key of a series whose bars are so long; samples have the usual distance of their table."""
    table = TABLES[series]
    return SeriesKey(instrument_id, series, timeframe if table.has_timeframe else table.default_step)
