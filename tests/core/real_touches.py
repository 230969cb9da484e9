"""Real five-minute bars of warm-up and scoring months as one path; None where they are not at hand."""

from __future__ import annotations

import gzip
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from heatmaps.core.reach import DAY, Path, fit
from heatmaps.core.touches import Touches, hold, walk
from market.series import BAR
from tests.history import HISTORY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from market.series import Records

SYMBOLS: Final = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "DOGEUSDT")
# 2025-12-01: what comes before is learnt from, what comes after is scored.
SPLIT_MS: Final = 1_764_547_200_000


def real_bars(symbol: str) -> Records | None:
    """BAR[n] from September to January."""
    files = [HISTORY / f"{symbol}-candles-5m{part}.csv.gz" for part in ("-warmup-20250901-20251130", "")]
    if not all(file.is_file() for file in files):
        return None
    parts = []
    for file in files:
        with gzip.open(file, "rt") as text:
            rows = np.genfromtxt(text, delimiter=",", skip_header=1, usecols=range(5))
        bars = np.zeros(len(rows), BAR)
        for column, name in enumerate(("open_time", "open", "high", "low", "close")):
            bars[name] = rows[:, column]
        parts.append(bars)
    return np.concatenate(parts)


@cache
def held(symbol: str) -> Mapping[str, Touches] | None:
    """Chances stated in December and January by what September to November taught."""
    bars = real_bars(symbol)
    if bars is None:
        return None
    before = bars[bars["open_time"] < SPLIT_MS]
    return hold(Path.of(bars), fit(Path.of(before)), split=len(Path.of(before)))


@cache
def walked(symbol: str) -> Mapping[str, Touches] | None:
    """The same with a new fit each week, as a running product has it."""
    bars = real_bars(symbol)
    if bars is None:
        return None
    before = int(np.count_nonzero(bars["open_time"] < SPLIT_MS))
    return walk(Path.of(bars), split=before, every=7 * DAY)
