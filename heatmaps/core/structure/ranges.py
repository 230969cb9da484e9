"""Ranges that a price has kept, and whether their boundaries are clean. All in ln(price); a missing bar is NaN."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from .swings import ATR_BARS, average_true_range, trailing

if TYPE_CHECKING:
    import numpy.typing as npt

    from heatmaps.core.grid import Floats, Ints

    Flags = npt.NDArray[np.bool_]

# Bars over which a range is looked for, longest first.
SPANS: Final = (336, 168, 96, 48, 24)
RANGE_EFFICIENCY: Final = 0.25
RANGE_WIDTH: Final = 0.8
# Feller (1951), "The asymptotic distribution of the range": a Brownian path's expected range is 1.596 sigma sqrt(n).
BROWNIAN_RANGE: Final = 2.0 * math.sqrt(2.0 / math.pi)
LEAST_TOUCHES: Final = 2
# Half the width of a boundary: the larger of these shares of the ATR and of the range's width.
EPSILON_ATR: Final = 0.25
EPSILON_WIDTH: Final = 0.1


class Boundary(NamedTuple):
    """One end of a range: where, how often it was touched, bars since the last touch, how far wicks overshot [ln]."""

    price: float
    touches: int
    since: int
    overshoot: float
    is_clean: bool


class Range(NamedTuple):
    """The price kept between two boundaries for ``bars``; epsilon: half a boundary's width [ln]."""

    bars: int
    lower: Boundary
    upper: Boundary
    epsilon: float
    efficiency: float
    width: float
    expected_width: float


@dataclass(frozen=True, slots=True)
class Ranges:
    """The last ``bars`` bars at each place judged as a range: arrays over the places, NaN or False where bars miss.

    lower, upper: boundaries as ln(price), the extremes of closes; is_range: all conditions hold.
    """

    bars: int
    lower: Floats
    upper: Floats
    epsilon: Floats
    efficiency: Floats
    expected_width: Floats
    touches: Ints
    since: Ints
    overshoot: Floats
    is_range: Flags

    def at(self, place: int) -> Range | None:
        """The range that ends at a place; None where there is none."""
        if not self.is_range[place]:
            return None
        ends = (float(self.lower[place]), float(self.upper[place]))
        lower, upper = (self._boundary(side, place, end) for side, end in enumerate(ends))
        return Range(
            bars=self.bars,
            lower=lower,
            upper=upper,
            epsilon=float(self.epsilon[place]),
            efficiency=float(self.efficiency[place]),
            width=ends[1] - ends[0],
            expected_width=float(self.expected_width[place]),
        )

    def _boundary(self, side: int, place: int, end: float) -> Boundary:
        touches, since = int(self.touches[side, place]), int(self.since[side, place])
        overshoot = float(self.overshoot[side, place])
        is_clean = touches >= LEAST_TOUCHES and since < self.bars / 2 and overshoot < float(self.epsilon[place])
        return Boundary(math.exp(end), touches, since, overshoot, is_clean)

    def is_broken(self, close: Floats) -> Flags:
        """Whether each place's close, float64[places], left the range that ended the bar before by over epsilon."""
        beyond = (close[1:] > (self.upper + self.epsilon)[:-1]) | (close[1:] < (self.lower - self.epsilon)[:-1])
        return np.concatenate(([False], self.is_range[:-1] & beyond))


def efficiency(close: Floats, bars: int) -> Floats:
    """Kaufman's ratio at each place: net move over the sum of moves of ``bars`` steps; NaN for holes and flat paths."""
    moves = trailing(np.diff(close, prepend=np.nan), bars)
    path = np.abs(moves).sum(axis=1)
    net = np.abs(close - np.concatenate((np.full(bars, np.nan), close))[: len(close)])
    return np.asarray(np.divide(net, path, out=np.full(len(close), np.nan), where=path > 0))


def judge_ranges(high: Floats, low: Floats, close: Floats, *, bars: int, newest: int) -> Ranges:
    """Judge the last ``bars`` bars at each of the ``newest`` places: float64[n] logarithms in, arrays of newest out.

    A range: efficiency at most RANGE_EFFICIENCY, width at most RANGE_WIDTH of what a Brownian path of these steps
    would span, both boundaries touched at least LEAST_TOUCHES times, in visits that are apart.
    """

    def before(values: Floats) -> Floats:
        return trailing(values, bars)[-newest:]

    closes, lows, highs = before(close), before(low), before(high)
    lower, upper = closes.min(axis=1), closes.max(axis=1)
    width = upper - lower
    epsilon = np.maximum(EPSILON_ATR * average_true_range(high, low, close)[-newest:], EPSILON_WIDTH * width)
    expected = BROWNIAN_RANGE * np.sqrt((before(np.diff(close, prepend=np.nan)) ** 2).mean(axis=1) * bars)
    inside = [lows <= (lower + epsilon)[:, None], highs >= (upper - epsilon)[:, None]]
    touches = np.array([_visits(each) for each in inside])
    ratio = efficiency(close, bars)[-newest:]
    is_range = (ratio <= RANGE_EFFICIENCY) & (width <= RANGE_WIDTH * expected) & (touches >= LEAST_TOUCHES).all(axis=0)
    return Ranges(
        bars=bars,
        lower=lower,
        upper=upper,
        epsilon=epsilon,
        efficiency=ratio,
        expected_width=expected,
        touches=touches,
        since=np.array([np.argmax(each[:, ::-1], axis=1) for each in inside]),
        overshoot=np.array([lower - lows.min(axis=1), highs.max(axis=1) - upper]),
        is_range=is_range,
    )


def _visits(inside: Flags) -> Ints:
    """How many runs of True each row holds."""
    return np.asarray(inside[:, 0].astype(np.int64) + (inside[:, 1:] & ~inside[:, :-1]).sum(axis=1))


def find_range(high: Floats, low: Floats, close: Floats) -> Range | None:
    """The longest of SPANS over which the newest bars are a range; None where none is."""
    for bars in SPANS:
        # What judging the last place needs: its bars, the close before them, and the memory of the ATR.
        part = slice(max(0, len(close) - max(bars, ATR_BARS) - 1), None)
        found = _last_range(high[part], low[part], close[part], bars)
        if found is not None:
            return found
    return None


def _last_range(high: Floats, low: Floats, close: Floats, bars: int) -> Range | None:
    if len(close) <= max(bars, ATR_BARS):
        return None
    return judge_ranges(high, low, close, bars=bars, newest=1).at(-1)
