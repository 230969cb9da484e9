"""Where real history lies, which is never part of this repository: beside it, or wherever BH_HISTORY says."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

_BESIDE: Final = Path(__file__).resolve().parents[2] / "shared" / "data" / "history"
HISTORY: Final = Path(os.environ.get("BH_HISTORY") or _BESIDE)
ABSENT: Final = (
    f"REAL HISTORY NOT CHECKED: there is no {HISTORY}; set BH_HISTORY to a directory with files like"
    " BTCUSDT-candles-5m.csv.gz (open_time_ms,open,high,low,close,volume) and"
    " BTCUSDT-open-interest-5m.csv.gz (time_ms,open_interest)"
)
needs_history = pytest.mark.skipif(not HISTORY.is_dir(), reason=ABSENT)
