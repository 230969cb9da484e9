"""The market's regime: trend, range, squeeze, expansion, each with its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from heatmaps.core.structure import ATR_BARS, efficiency, judge_ranges, trailing

from .base import FLAT, HISTORY, LEAST, Hours, Kind, Need, Reading, percentile_ranks, short_of, state

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heatmaps.core.grid import Floats

BARS: Final = 48
TREND_EFFICIENCY: Final = 0.35
TREND_T: Final = 2.0
BAND_BARS: Final = 20
SQUEEZE: Final = 15.0
SLOW: Final = 168
EXPANSION: Final = 85.0
# So many hours after it broke, a range counts as just broken.
BROKEN_FOR: Final = 6
TREND, RANGE, SQUEEZED, EXPANDING = range(4)


@dataclass(frozen=True, slots=True)
class Regime:
    """Checked in this order: trend, expansion, squeeze; what is none of them is a range."""

    slug: ClassVar[str] = "regime"
    title: ClassVar[str] = "Regime"
    kind: ClassVar[Kind] = "state"
    unit: ClassVar[str] = ""
    note: ClassVar[str] = "48 h"
    digits: ClassVar[int] = 0
    is_signed: ClassVar[bool] = False
    rule: ClassVar[str] = (
        "Trend: efficiency of 48 h above .35 and the mean hourly return more than 2 standard errors from 0. "
        "Expansion: the hour's volatility over that of 7 d above its 85th percentile and a range left within 6 h. "
        "Squeeze: width of the 20 h band below its 15th percentile. Else range."
    )
    needs: ClassVar[tuple[Need, ...]] = ("bars",)
    rests_on: ClassVar[tuple[str, ...]] = ()
    states: ClassVar[tuple[str, ...]] = ("trend", "range", "squeeze", "expansion")

    def compute(self, hours: Hours, known: Mapping[str, Reading]) -> Reading:  # noqa: ARG002  # it rests on nothing
        """Name each of the newest hours that has all it takes."""
        high, low, close = hours.logs
        recent = close[-HISTORY - BARS :]
        ratio = _padded(efficiency(recent, BARS), len(hours))
        drift = _padded(drift_t(trailing(np.diff(recent, prepend=np.nan), BARS)), len(hours))
        width, _ = percentile_ranks(band_width(close))
        pace, _ = percentile_ranks(pace_of(high, low))
        newest = slice(-HISTORY - BROKEN_FOR - BARS - ATR_BARS, None)
        broken = _padded(_broken(high[newest], low[newest], close[newest]), len(hours))
        words = np.full(len(hours), float(RANGE))
        words[width < SQUEEZE] = SQUEEZED
        words[(pace > EXPANSION) & (broken > 0)] = EXPANDING
        words[(ratio > TREND_EFFICIENCY) & (np.abs(drift) > TREND_T)] = TREND
        words[np.isnan(ratio + drift + width + pace + broken)] = np.nan
        names = ("efficiency", "drift_t", "band_width_percentile", "pace_percentile", "range_broken")
        series = dict(zip(names, (ratio, drift, width, pace, broken), strict=True))
        numbers = {name: float(values[-1]) for name, values in series.items() if len(values)}
        return state(words, numbers, reason=_reason(close))


def _padded(values: Floats, count: int) -> Floats:
    """Put holes before the newest values, so that there are ``count``."""
    return np.concatenate((np.full(count - len(values), np.nan), values))


def _reason(close: Floats) -> str:
    recent = close[-BARS:]
    return FLAT if len(recent) == BARS and np.ptp(recent) == 0 else short_of(LEAST + SLOW)


def drift_t(steps: Floats) -> Floats:
    """The mean step over its standard error, of float64[n, bars]; NaN where steps do not differ.

    Not the slope of prices on time: on a walk without drift that one is beyond 2 four times in five (Granger and
    Newbold 1974, "Spurious regressions in econometrics").
    """
    bars = steps.shape[1]
    mean = steps.mean(axis=1)
    error = np.sqrt(((steps - mean[:, None]) ** 2).sum(axis=1) / (bars - 1) / bars)
    return np.asarray(np.divide(mean, error, out=np.full(len(steps), np.nan), where=error > 0))


def band_width(close: Floats) -> Floats:
    """Width of Bollinger's band: four standard deviations of BAND_BARS closes [ln]."""
    windows = trailing(close, BAND_BARS)
    middle = windows.mean(axis=1)
    return np.asarray(4.0 * np.sqrt(((windows - middle[:, None]) ** 2).mean(axis=1)))


def pace_of(high: Floats, low: Floats) -> Floats:
    """Parkinson's volatility of the hour over that of SLOW hours; NaN for holes and where nothing moved."""
    squares = (high - low) ** 2
    slow = trailing(squares, SLOW).mean(axis=1)
    return np.asarray(np.sqrt(np.divide(squares, slow, out=np.full(len(squares), np.nan), where=slow > 0)))


def _broken(high: Floats, low: Floats, close: Floats) -> Floats:
    """1 where a range of BARS was left within BROKEN_FOR hours, else 0; NaN before the newest HISTORY hours."""
    found = np.full(len(close), np.nan)
    places = min(HISTORY + BROKEN_FOR, len(close))
    if places > BROKEN_FOR:
        left = judge_ranges(high, low, close, bars=BARS, newest=places).is_broken(close[-places:])
        newest = places - BROKEN_FOR
        found[-newest:] = trailing(left.astype(np.float64), BROKEN_FOR)[-newest:].max(axis=1)
    return found
