"""Files as people have them, written anew for each test."""

from __future__ import annotations

import gzip
import io
import zipfile
from typing import TYPE_CHECKING

from .rows import T0

if TYPE_CHECKING:
    from pathlib import Path

CANDLES = "open_time_ms,open,high,low,close,volume"
KLINES = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore"
)
METRICS = (
    "create_time,symbol,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio,"
    "sum_toptrader_long_short_ratio,count_long_short_ratio,sum_taker_long_short_vol_ratio"
)
FUNDING = "calc_time,funding_interval_hours,last_funding_rate"
SNAPSHOT = (
    "time,side,order_type,time_in_force,original_quantity,price,average_price,order_status,"
    "last_fill_quantity,accumulated_fill_quantity"
)


def candle(step: int, values: str = "10,12,9,11,5", *, step_ms: int = 300_000) -> str:
    """Write one line of a candle file, ``step`` periods after the start of 2026-01-15."""
    return f"{T0 + step * step_ms},{values}"


def kline(step: int, *, unit: int = 1, step_ms: int = 300_000) -> str:
    """Write one line of an archive's klines; ``unit`` 1000 writes microseconds."""
    opened = (T0 + step * step_ms) * unit
    closed = (T0 + (step + 1) * step_ms) * unit - 1
    return f"{opened},10.00,12.50,9.00,11.00,5.000,{closed},52.50000,7,2.000,21.00000,0"


def text(*lines: str) -> bytes:
    """Join lines to a file."""
    return ("\n".join(lines) + "\n").encode()


def write(path: Path, content: bytes) -> Path:
    """Write a file, packed as its name says."""
    if path.suffix == ".gz":
        content = gzip.compress(content, mtime=0)
    elif path.suffix == ".zip":
        content = zipped({path.with_suffix(".csv").name: content})
    path.write_bytes(content)
    return path


def zipped(members: dict[str, bytes]) -> bytes:
    """Make a zip archive."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()
