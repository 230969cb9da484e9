"""The scored hours: what the price did in each of them and how much was traded, which every map has to be better than.

A map is scored given the path that price took. Whatever it says about liquidations therefore has to be more than the
hour's excursion, range, variation and volume say by themselves: those are the control.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from market.series import DAY_MS, HOUR_MS

if TYPE_CHECKING:
    from heatmaps.core.grid import Floats, Ints
    from market.series import Records

# Logarithms of what may be zero are taken of at least this: an excursion of one basis point, one unit of money.
_LEAST_MOVE: Final = 1e-4
_LEAST_MONEY: Final = 1.0
_LEAST_VARIATION: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours with bars, ascending, all arrays [hour].

    start_ms; price: the first open; low, high: extremes [quote per base]; money: volume times close [quote];
    variation: root of the summed squared log returns; moves: float64[hour, side], the summed falls and rises.
    """

    start_ms: Ints
    price: Floats
    low: Floats
    high: Floats
    money: Floats
    variation: Floats
    moves: Floats

    def __len__(self) -> int:
        return len(self.start_ms)

    @property
    def days(self) -> Ints:
        """The day of each hour, counted from the first."""
        day = self.start_ms // DAY_MS
        return day - day[0] if len(day) else day

    def excursion(self, side: int) -> Floats:
        """How far price went against longs (0: down) or shorts (1: up) from the hour's first price [ln]."""
        return np.log(self.price / self.low) if side == 0 else np.log(self.high / self.price)

    def control(self, side: int) -> Floats:
        """What the log of liquidations is predicted from without any map: float64[hour, 7]."""
        away = self.excursion(side)
        columns = (
            away,
            np.sqrt(away),
            away**2,
            np.log(np.maximum(self.money, _LEAST_MONEY)),
            np.log(self.high / self.low),
            np.log(np.maximum(self.variation, _LEAST_VARIATION)),
            self.moves[:, side],
        )
        return np.stack(columns, axis=1)

    def control_of_levels(self, side: int) -> Floats:
        """What liquidations in money are predicted from without any map: float64[hour, 4], logarithms."""
        columns = (
            np.log(self.excursion(side) + _LEAST_MOVE),
            np.log(np.maximum(self.money, _LEAST_MONEY)),
            np.log(self.variation + _LEAST_MOVE),
            np.log(self.high / self.low + _LEAST_MOVE),
        )
        return np.stack(columns, axis=1)


def hours_of(bars: Records, wanted_ms: Ints) -> Hours:
    """Those of the hours that begin at ``wanted_ms`` in which there is any bar; bars: BAR[n], ascending."""
    hour = bars["open_time"] // HOUR_MS * HOUR_MS
    returns = np.diff(np.log(bars["close"]), prepend=np.log(bars["open"][:1]))
    first = np.flatnonzero(np.diff(hour, prepend=-1))
    used = np.isin(hour[first], wanted_ms)
    if len(first) == 0 or not used.any():
        none = np.empty(0)
        return Hours(np.empty(0, np.int64), none, none, none, none, none, np.empty((0, 2)))

    def total(values: Floats) -> Floats:
        return np.asarray(np.add.reduceat(values, first)[used])

    falls, rises = total(np.minimum(returns, 0.0)), total(np.maximum(returns, 0.0))
    return Hours(
        start_ms=hour[first][used].astype(np.int64),
        price=bars["open"][first][used],
        low=np.minimum.reduceat(bars["low"], first)[used],
        high=np.maximum.reduceat(bars["high"], first)[used],
        money=total(np.nan_to_num(bars["volume"]) * bars["close"]),
        variation=np.sqrt(total(returns**2)),
        moves=np.stack([falls, rises], axis=1),
    )
