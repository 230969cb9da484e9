"""Made-up rows for the market's tests."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np

from market import series as s

T0 = 1_768_435_200_000  # 2026-01-15 00:00 UTC
START = dt.datetime(2026, 1, 15, tzinfo=dt.UTC)
NAN = float("nan")


def make_bars(*opens: int, timeframe: int = 300, close: float = 11.0) -> s.Records:
    """Make BAR[n] that open ``opens`` periods after the start of 2026-01-15."""
    rows = np.zeros(len(opens), dtype=s.BAR)
    rows["open_time"] = T0 + np.array(opens, dtype=np.int64) * timeframe * 1000
    for name, value in {"open": 10.0, "high": 12.0, "low": 9.0, "close": close, "volume": 5.0}.items():
        rows[name] = value
    rows["quote_volume"] = rows["taker_buy_volume"] = NAN
    return rows


def after(minutes: float) -> dt.datetime:
    """Return the moment so many minutes after the start of 2026-01-15."""
    return START + dt.timedelta(minutes=minutes)


def plain(rows: s.Records) -> list[tuple[float | None, ...]]:
    """Return rows as tuples that can be compared: None for NaN."""
    return [tuple(None if math.isnan(value) else value for value in row) for row in rows.tolist()]
