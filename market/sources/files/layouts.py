"""The tables that are understood, told apart by their column names; a new one is one entry in LAYOUTS.

Venue archive: https://github.com/binance/binance-public-data (klines, metrics, fundingRate, liquidationSnapshot).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from market import series as s

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

# number: a finite decimal; optional: may be empty; skip: not read.
Kind = Literal["time_ms", "datetime", "number", "optional", "symbol", "side", "skip"]
NUMERIC: Final = frozenset({"time_ms", "number"})


@dataclass(frozen=True, slots=True)
class Layout:
    """One kind of table: which column holds what."""

    label: str
    series: Literal["bars", "mark_bars", "open_interest", "funding", "liquidations", "liquidation_totals"]
    dtype: np.dtype[np.void]
    header: tuple[str, ...]
    # Column name -> record field. Columns that are not named here are checked for their kind only.
    fields: Mapping[str, str]
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    # Record field -> column that is taken instead of ``fields`` where it is above zero.
    preferred: Mapping[str, str] = field(default_factory=dict)
    # A time this close to a whole minute [ms] is that minute: venues stamp samples when they write them.
    jitter_ms: int = 0
    has_more_columns: bool = False

    def kind(self, column: int) -> Kind:
        """Return what a column holds; those beyond the known ones are not read."""
        if column >= len(self.header):
            return "skip"
        return self.kinds.get(self.header[column], "number")

    def build(self, table: npt.NDArray[np.float64]) -> s.Records:
        """Make records from a float64[n, columns] table; fields without a column are NaN (0 for integers)."""
        rows = np.empty(len(table), dtype=self.dtype)
        columns = {to: self.header.index(name) for name, to in self.fields.items()}
        for name in self.dtype.names or ():
            if name in columns:
                rows[name] = table[:, columns[name]]
            else:
                rows[name] = np.nan if self.dtype[name].kind == "f" else 0
        for name, column in self.preferred.items():
            better = table[:, self.header.index(column)]
            rows[name] = np.where(better > 0, better, rows[name])
        time = (self.dtype.names or ("",))[0]
        rows[time] = milliseconds(rows[time], self.jitter_ms)
        if self.dtype == s.LIQUIDATION:
            rows["ordinal"] = np.arange(len(rows))  # provisional: whoever stores them numbers equal prints
        return rows


# From here on a time must be in microseconds (as milliseconds it would be the year 5138).
MICROSECONDS_FROM: Final = 100_000_000_000_000


def milliseconds(times: npt.NDArray[np.int64], jitter_ms: int) -> npt.NDArray[np.int64]:
    """Bring times in milli- or microseconds to milliseconds, and those close to a whole minute to it."""
    times = np.where(times >= MICROSECONDS_FROM, times // 1000, times)
    nearest = (times + s.MINUTE_MS // 2) // s.MINUTE_MS * s.MINUTE_MS
    return np.where(np.abs(times - nearest) <= jitter_ms, nearest, times)


_OHLC: Final = {name: name for name in ("open", "high", "low", "close")}
KLINES: Final = Layout(
    label="archive klines",
    series="bars",
    dtype=s.BAR,
    header=(
        *("open_time", "open", "high", "low", "close", "volume", "close_time", "quote_volume", "count"),
        *("taker_buy_volume", "taker_buy_quote_volume", "ignore"),
    ),
    fields=_OHLC | {name: name for name in ("open_time", "volume", "quote_volume", "taker_buy_volume")},
    kinds={"open_time": "time_ms", "close_time": "time_ms"},
)
LAYOUTS: Final[tuple[Layout, ...]] = (
    Layout(
        label="candles",
        series="bars",
        dtype=s.BAR,
        header=("open_time_ms", "open", "high", "low", "close", "volume"),
        fields=_OHLC | {"open_time_ms": "open_time", "volume": "volume"},
        kinds={"open_time_ms": "time_ms"},
    ),
    Layout(
        label="mark price candles",
        series="mark_bars",
        dtype=s.BAR,
        header=("open_time_ms", "open", "high", "low", "close"),
        fields=_OHLC | {"open_time_ms": "open_time"},
        kinds={"open_time_ms": "time_ms"},
    ),
    Layout(
        label="open interest",
        series="open_interest",
        dtype=s.OPEN_INTEREST,
        header=("time_ms", "open_interest", "open_interest_usd", "mark_px"),
        fields={
            "time_ms": "time",
            "open_interest": "open_interest",
            "open_interest_usd": "open_interest_value",
            "mark_px": "mark_price",
        },
        kinds={"time_ms": "time_ms", "open_interest_usd": "optional", "mark_px": "optional"},
        jitter_ms=5_000,
    ),
    Layout(
        label="funding",
        series="funding",
        dtype=s.FUNDING,
        header=("funding_time_ms", "funding_rate"),
        fields={"funding_time_ms": "time", "funding_rate": "rate"},
        kinds={"funding_time_ms": "time_ms"},
        jitter_ms=1_000,
    ),
    Layout(
        label="liquidation totals",
        series="liquidation_totals",
        dtype=s.LIQUIDATION_TOTAL,
        header=("open_time_ms", "long_liquidations_usd", "short_liquidations_usd", "src"),
        fields={
            "open_time_ms": "open_time",
            "long_liquidations_usd": "long_usd",
            "short_liquidations_usd": "short_usd",
        },
        kinds={"open_time_ms": "time_ms", "src": "skip"},
    ),
    KLINES,
    Layout(
        label="archive metrics",
        series="open_interest",
        dtype=s.OPEN_INTEREST,
        header=("create_time", "symbol", "sum_open_interest", "sum_open_interest_value"),
        fields={
            "create_time": "time",
            "sum_open_interest": "open_interest",
            "sum_open_interest_value": "open_interest_value",
        },
        kinds={"create_time": "datetime", "symbol": "symbol", "sum_open_interest_value": "optional"},
        jitter_ms=5_000,
        has_more_columns=True,
    ),
    Layout(
        label="archive fundingRate",
        series="funding",
        dtype=s.FUNDING,
        header=("calc_time", "funding_interval_hours", "last_funding_rate"),
        fields={"calc_time": "time", "last_funding_rate": "rate"},
        kinds={"calc_time": "time_ms"},
        jitter_ms=1_000,
    ),
    Layout(
        label="archive liquidationSnapshot",
        series="liquidations",
        dtype=s.LIQUIDATION,
        header=(
            *("time", "side", "order_type", "time_in_force", "original_quantity", "price", "average_price"),
            *("order_status", "last_fill_quantity", "accumulated_fill_quantity"),
        ),
        # The order that closes a long sells: the side of the position is the opposite of the order's.
        fields={"time": "time", "side": "position_side", "price": "price", "original_quantity": "quantity"},
        kinds={
            "time": "time_ms",
            "side": "side",
            "order_type": "skip",
            "time_in_force": "skip",
            "order_status": "skip",
        },
        preferred={"price": "average_price", "quantity": "accumulated_fill_quantity"},
    ),
)
MARK_KLINES: Final = Layout(
    label="archive markPriceKlines",
    series="mark_bars",
    dtype=s.BAR,
    header=KLINES.header,
    fields=MappingProxyType(_OHLC | {"open_time": "open_time"}),
    kinds=KLINES.kinds,
)


def recognise(columns: tuple[str, ...]) -> Layout | None:
    """Return the layout with these column names; None when there is none."""
    for layout in LAYOUTS:
        known = columns[: len(layout.header)] if layout.has_more_columns else columns
        if known == layout.header:
            return layout
    return None


def describe() -> str:
    """List the tables that are understood."""
    return "\n".join(
        f"  {layout.label}: {','.join(layout.header)}{',…' if layout.has_more_columns else ''}" for layout in LAYOUTS
    )
