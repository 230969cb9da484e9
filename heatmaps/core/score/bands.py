"""Zones as they were frozen when they formed: did price come, and was anything liquidated in them?

Both answers need a null. A zone near the price is touched because it is near: it is held against how often price went
as far, on that side and within the same time, from all other hours. And in the hour that price comes, liquidations are
held against what the hour's path and volume say by themselves (``totals``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from market.series import DAY_MS, HOUR_MS

from .figures import Figure
from .resampling import gain
from .walk import Masses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from heatmaps.core.grid import Floats, Ints
    from market.series import Window

    from .hours import Hours

HORIZONS: Final = {"24h": 24, "7d": 168}
SIDES: Final = ("long", "short")


@dataclass(frozen=True, slots=True)
class Bands:
    """Zones at formation, arrays [zone]; ended_ms is the largest int64 of one that is alive.

    side: 0 long, 1 short; low, high: the band, price: at formation [quote per base].
    """

    born_ms: Ints
    ended_ms: Ints
    side: Ints
    low: Floats
    high: Floats
    usd: Floats
    price: Floats

    def __len__(self) -> int:
        return len(self.born_ms)

    @property
    def distance(self) -> Floats:
        """From the price at formation to the near edge [ln]; 0 where price was in the band."""
        away = np.where(self.side == 0, np.log(self.price / self.high), np.log(self.low / self.price))
        return np.maximum(away, 0.0)


def touched(bands: Bands, window: Window) -> Iterator[Figure]:
    """How often price came within each horizon, beyond how often it went as far from any hour of the window."""
    start_ms, price, low, high = _hourly(window)
    place = np.searchsorted(start_ms, bands.born_ms)
    for name, hours in HORIZONS.items():
        usable = len(start_ms) - hours
        if usable <= 0:
            continue
        reach = np.stack([_ahead(np.log(price / low), price, hours, 0), _ahead(np.log(high / price), price, hours, 1)])
        known = (place < usable) & (start_ms[np.minimum(place, len(start_ms) - 1)] == bands.born_ms)
        for side, label in enumerate(SIDES):
            mine = np.flatnonzero(known & (bands.side == side))
            if len(mine) == 0:
                continue
            away = bands.distance[mine]
            came = (reach[side, place[mine]] >= away).astype(np.float64)
            base = (reach[side][:usable, None] >= away).mean(axis=0)
            days = bands.born_ms[mine] // DAY_MS
            names = {"map": "zones", "side": label, "mode": name}
            count, blocks = len(mine), len(np.unique(days))
            yield Figure.of(gain(came, count, days), n=count, days=blocks, measure="touched", **names)
            yield Figure.of(
                gain(came - base, count, days), n=count, days=blocks, measure="touched", versus="distance", **names
            )


def masses(bands: Bands, hours: Hours) -> Masses:
    """Money of the zones alive when each hour began, in the part of their bands that the hour's price went through."""
    found = np.zeros((len(hours), 2, 1))
    for index, start in enumerate(hours.start_ms.tolist()):
        alive = (bands.born_ms <= start) & (bands.ended_ms > start)
        width = bands.high - bands.low
        fell = np.clip(bands.high - np.maximum(hours.low[index], bands.low), 0.0, width)
        rose = np.clip(np.minimum(hours.high[index], bands.high) - bands.low, 0.0, width)
        share = np.where(bands.side == 0, fell, rose) / width
        for side in (0, 1):
            mine = alive & (bands.side == side)
            found[index, side, 0] = float((bands.usd * share)[mine].sum())
    return Masses(found, found, np.ones(1))


def _hourly(window: Window) -> tuple[Ints, Floats, Floats, Floats]:
    """Hours with bars: start [ms], first price, extremes."""
    bars = window.bars
    hour = bars["open_time"] // HOUR_MS * HOUR_MS
    first = np.flatnonzero(np.diff(hour, prepend=-1))
    low, high = np.minimum.reduceat(bars["low"], first), np.maximum.reduceat(bars["high"], first)
    return hour[first].astype(np.int64), bars["open"][first], low, high


def _ahead(away: Floats, price: Floats, hours: int, side: int) -> Floats:
    """How far price went against a side within ``hours`` from each hour's first price [ln]; NaN at the end."""
    level = (np.log(price) - away) if side == 0 else (np.log(price) + away)
    found = np.full(len(price), np.nan)
    blocks = np.lib.stride_tricks.sliding_window_view(level, hours)
    base = np.log(price[: len(blocks)])
    found[: len(blocks)] = base - blocks.min(axis=1) if side == 0 else blocks.max(axis=1) - base
    return found
