"""Turning points of a price path, and how much its bars move. All in ln(price); a missing bar is NaN throughout."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

if TYPE_CHECKING:
    from heatmaps.core.grid import Floats

ATR_BARS: Final = 14
REVERSAL: Final = 1.5


class Swing(NamedTuple):
    """A turning point: the bar of the extreme, the bar that confirmed it, its price and whether it is a high."""

    bar: int
    confirmed: int
    price: float
    is_high: bool


def true_range(high: Floats, low: Floats, close: Floats) -> Floats:
    """Wilder (1978): the larger of the bar's range and its reach from the former close, float64[n]; NaN at holes.

    Inputs are logarithms or prices alike, float64[n]; the first bar has no former close and is NaN.
    """
    former = np.concatenate(([np.nan], close[:-1]))
    return np.asarray(np.maximum(high, former) - np.minimum(low, former))


def average_true_range(high: Floats, low: Floats, close: Floats, bars: int = ATR_BARS) -> Floats:
    """The plain mean of the last ``bars`` true ranges, float64[n]; NaN where one is missing.

    Not Wilder's running mean, which never forgets where it began.
    """
    return np.asarray(trailing(true_range(high, low, close), bars).mean(axis=1))


def trailing(values: Floats, bars: int) -> Floats:
    """The last ``bars`` values at each place, float64[n, bars]; NaN before the first."""
    if len(values) == 0:
        return np.empty((0, bars))
    return np.asarray(sliding_window_view(np.concatenate((np.full(bars - 1, np.nan), values)), bars))


def swings(high: Floats, low: Floats, close: Floats) -> list[Swing]:
    """Turning points of a zigzag that reverses after REVERSAL times the ATR of the bar that confirms, ascending.

    high, low, close: float64[n] logarithms. A bar that sets a new extreme confirms nothing: which came first inside it
    is unknown. Holes, and bars whose ATR is not known, confirm nothing either.
    """
    needed = _reversals(high, low, close)
    found: list[Swing] = []
    top = bottom = -1
    # +1 while a high is looked for, -1 a low, 0 before the first turn.
    leg, highs, lows = 0, high.tolist(), low.tolist()
    for i, (up, down) in enumerate(zip(highs, lows, strict=True)):
        if math.isnan(up):
            continue
        is_top = leg >= 0 and (top < 0 or up > highs[top])
        is_bottom = leg <= 0 and (bottom < 0 or down < lows[bottom])
        top, bottom = (i if is_top else top), (i if is_bottom else bottom)
        if leg >= 0 and not is_top and highs[top] - down >= needed[i]:
            found.append(Swing(top, i, math.exp(highs[top]), is_high=True))
            leg, bottom = -1, _lowest(lows, top + 1, i)
        elif leg <= 0 and not is_bottom and up - lows[bottom] >= needed[i]:
            found.append(Swing(bottom, i, math.exp(lows[bottom]), is_high=False))
            leg, top = 1, _highest(highs, bottom + 1, i)
    return found


def _reversals(high: Floats, low: Floats, close: Floats) -> list[float]:
    """How far a bar must have come back [ln]; NaN, which nothing exceeds, where that is unknown or nothing moved."""
    needed = REVERSAL * average_true_range(high, low, close)
    reversals: list[float] = np.where(needed > 0, needed, np.nan).tolist()
    return reversals


def _lowest(values: list[float], start: int, stop: int) -> int:
    return min((i for i in range(start, stop + 1) if values[i] == values[i]), key=values.__getitem__)


def _highest(values: list[float], start: int, stop: int) -> int:
    return max((i for i in range(start, stop + 1) if values[i] == values[i]), key=values.__getitem__)
