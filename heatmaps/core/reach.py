"""The chance that a price of this volatility touches a level: past excursions, scaled by a forecast of volatility.

It says how far a price that moves as this one has moved gets within a time. It knows nothing of liquidations, and
nothing here says that they attract it. Distances are in ln(price), variances per five-minute bar in ln(price) squared.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from market.canonical import digest
from market.series import DAY_MS, STEP_MS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from market.series import Records

    from .grid import Floats, Ints

SLUG: Final = "har-excursions"
VERSION: Final = "1"
# Bars of five minutes.
HORIZONS: Final[Mapping[str, int]] = {"4h": 48, "24h": 288, "3d": 864, "7d": 2016}
MEMORIES: Final = (12, 288, 2016)
STRIDE: Final = 6
DAY: Final = DAY_MS // STEP_MS
LEAST_DAYS: Final = 14
LEAST_WINDOWS: Final = 10
MOST_DAYS: Final = 180
MISSING_SHARE: Final = 0.01
PRIOR_WINDOWS: Final = 1
KNOTS: Final = 200
# Frozen: another value is another version.
PARAMETERS: Final[Mapping[str, object]] = {
    "horizons": dict(HORIZONS),
    "memories": list(MEMORIES),
    "stride": STRIDE,
    "least_days": LEAST_DAYS,
    "least_windows": LEAST_WINDOWS,
    "most_days": MOST_DAYS,
    "missing_share": MISSING_SHARE,
    "prior_windows": PRIOR_WINDOWS,
    "knots": KNOTS,
}

FLAT: Final = "the price stood still"
GAPS: Final = "bars are missing in the last week"
# -zeta(1/2) / sqrt(2 pi): how far the extreme of a sampled path falls short [standard deviations of one sample].
_BGK: Final = 0.5826


class UnusableHistoryError(ValueError):
    """The bars of now give no volatility; the message says why."""


@dataclass(frozen=True, slots=True)
class Excursions:
    """What the past says of one horizon.

    coefficients: float64[4], ln(mean variance to come) = b0 + b1 ln v(1 h) + b2 ln v(1 d) + b3 ln v(1 w);
    knots: float64[2, KNOTS + 1], evenly spaced quantiles of excursion / sigma (row 0 down, 1 up); plain: the same of
    the excursion itself [ln price]; windows: how many that do not overlap the fit rests on.
    """

    steps: int
    coefficients: Floats
    knots: Floats
    plain: Floats
    windows: float

    def sigma(self, log_variances: Floats) -> Floats:
        """Forecast standard deviation over the horizon of float64[..., 3] log variances."""
        log_mean = self.coefficients[0] + log_variances @ self.coefficients[1:]
        return np.asarray(np.exp(0.5 * log_mean) * math.sqrt(self.steps))

    def chance(self, log_variances: Floats, distance: Floats, *, is_up: bool) -> Floats:
        """P(touch) at each distance >= 0, whose leading axes are those of the log variances.

        1 - F(distance / sigma), mixed with the closed form as if that were PRIOR_WINDOWS more windows: beyond the
        farthest excursion of the past the chance is small, not nothing.
        """
        scaled = distance / self.sigma(log_variances)[..., None]
        seen = _beyond(scaled, self.knots[int(is_up)])
        mixed = (self.windows * seen + PRIOR_WINDOWS * reflection(scaled)) / (self.windows + PRIOR_WINDOWS)
        return np.asarray(mixed)

    def base(self, distance: Floats, *, is_up: bool) -> Floats:
        """The base rate: the share of past windows that went so far, whatever the volatility."""
        return _beyond(distance, self.plain[int(is_up)])


@dataclass(frozen=True, slots=True)
class Fit:
    """The horizons that the history carries, and why it does not carry the others."""

    horizons: Mapping[str, Excursions]
    refused: Mapping[str, str]

    def chances(self, log_variances: Floats, distance: Floats, *, is_up: bool) -> dict[str, Floats]:
        """P(touch) by horizon, shortest first; never less than that of a shorter one."""
        found: dict[str, Floats] = {}
        least = np.zeros(np.shape(distance))
        for name, past in self.horizons.items():
            least = np.maximum(least, past.chance(log_variances, distance, is_up=is_up))
            found[name] = least
        return found

    def pack(self) -> bytes:
        """The learnt horizons as little-endian float64, exactly as they are."""
        rows = [
            np.concatenate([[past.steps, past.windows], past.coefficients, past.knots.ravel(), past.plain.ravel()])
            for past in self.horizons.values()
        ]
        return np.array(rows, dtype="<f8").tobytes()

    @classmethod
    def unpack(cls, body: bytes, refused: Mapping[str, str]) -> Fit:
        """What ``pack`` wrote."""
        names = {steps: name for name, steps in HORIZONS.items()}
        horizons = {}
        for row in np.frombuffer(body, dtype="<f8").reshape(-1, 2 + 1 + len(MEMORIES) + 4 * (KNOTS + 1)):
            coefficients, quantiles = row[2 : 3 + len(MEMORIES)], row[3 + len(MEMORIES) :].reshape(4, KNOTS + 1)
            past = Excursions(int(row[0]), coefficients, quantiles[:2], quantiles[2:], float(row[1]))
            horizons[names[past.steps]] = past
        return cls(horizons, refused)


@dataclass(frozen=True, slots=True)
class Path:
    """Bars on the even grid of five minutes; NaN where one is missing. All float64[n], natural logarithms."""

    low: Floats
    high: Floats
    close: Floats

    def __len__(self) -> int:
        """The number of slots."""
        return len(self.close)

    @classmethod
    def of(cls, bars: Records) -> Path:
        """BAR[n] of five minutes, ascending, laid on the grid from the first to the last."""
        slots = (bars["open_time"] - (bars["open_time"][0] if len(bars) else 0)) // STEP_MS
        laid = np.full((3, int(slots[-1]) + 1 if len(bars) else 0), np.nan)
        laid[:, slots] = np.log([bars["low"], bars["high"], bars["close"]])
        return cls(*laid)

    def upto(self, count: int) -> Path:
        """The first ``count`` slots."""
        return Path(self.low[:count], self.high[:count], self.close[:count])

    def variance(self) -> Floats:
        """Parkinson (1980), "The extreme value method": ln(high / low)^2 / (4 ln 2), float64[n]."""
        return (self.high - self.low) ** 2 / (4.0 * math.log(2.0))

    def log_variances(self) -> Floats:
        """float64[n, 3]: ln of the mean variance over the MEMORIES up to each bar; NaN for gaps, -inf where flat."""
        variance = self.variance()
        with np.errstate(divide="ignore"):
            return np.stack([np.log(_trailing_mean(variance, steps)) for steps in MEMORIES], axis=1)

    def now(self) -> Floats:
        """float64[3]: the last log variances. Raises UnusableHistoryError where bars are missing or all alike."""
        found = self.log_variances()[-1] if len(self) else np.full(len(MEMORIES), np.nan)
        if np.isnan(found).any():
            raise UnusableHistoryError(GAPS)
        if np.isinf(found).any():
            raise UnusableHistoryError(FLAT)
        return np.asarray(found)

    def excursions(self, starts: Ints, steps: int) -> Floats:
        """float64[2, n]: how far down and up from each start's close the next ``steps`` bars reached, at least 0."""
        ahead = starts + 1
        low = sliding_window_view(np.where(np.isnan(self.low), np.inf, self.low), steps)
        high = sliding_window_view(np.where(np.isnan(self.high), -np.inf, self.high), steps)
        # One start at a time in the inner loop: all windows at once would be copied.
        lowest = np.array([low[i].min() for i in ahead.tolist()])
        highest = np.array([high[i].max() for i in ahead.tolist()])
        close = self.close[starts]
        return np.maximum([close - lowest, highest - close], 0.0)


def _trailing_mean(values: Floats, steps: int) -> Floats:
    """The mean of the known among the last ``steps`` values at each place; NaN where too many are missing."""
    is_known = ~np.isnan(values)
    sums = np.cumsum(np.concatenate(([0.0], np.where(is_known, values, 0.0))))
    counts = np.cumsum(np.concatenate(([0], is_known)))
    means = np.full(len(values), np.nan)
    if len(values) >= steps:
        count = counts[steps:] - counts[:-steps]
        total = np.maximum(sums[steps:] - sums[:-steps], 0.0)
        moves = np.cumsum(np.concatenate(([0], is_known & (values != 0.0))))
        # The rounding of a running sum leaves dust where nothing moved.
        total[moves[steps:] == moves[:-steps]] = 0.0
        enough = count >= steps * (1.0 - MISSING_SHARE)
        means[steps - 1 :] = np.where(enough, total / np.maximum(count, 1), np.nan)
    return means


def least_days(steps: int) -> int:
    """Days of bars below which a horizon is refused: the longest memory, then windows that do not overlap."""
    return MEMORIES[-1] // DAY + max(LEAST_DAYS, math.ceil(LEAST_WINDOWS * steps / DAY))


def windows_of(path: Path, steps: int) -> tuple[Ints, Floats, Floats]:
    """Every STRIDE-th start that has its memory behind it and its horizon before it, both known and not flat.

    (starts int64[n], log_variances float64[n, 3], ln of the mean variance to come float64[n]).
    """
    starts = np.arange(MEMORIES[-1] - 1, len(path) - steps, STRIDE)
    behind = path.log_variances()[starts]
    with np.errstate(divide="ignore"):
        ahead = np.log(_trailing_mean(path.variance(), steps)[starts + steps])
    used = np.isfinite(behind).all(axis=1) & np.isfinite(ahead)
    return starts[used], behind[used], ahead[used]


def fit(path: Path) -> Fit:
    """Learn volatility and excursions from one instrument's bars; a horizon without enough of them is refused."""
    horizons: dict[str, Excursions] = {}
    refused: dict[str, str] = {}
    for name, steps in HORIZONS.items():
        starts, behind, ahead = windows_of(path, steps)
        needed = least_days(steps)
        usable = len(starts) * STRIDE
        if usable < (needed * DAY - MEMORIES[-1] - steps) * (1.0 - MISSING_SHARE):
            refused[name] = f"not enough history: it takes {needed} days of bars"
        else:
            horizons[name] = _learn(path, steps, starts, behind, ahead)
    return Fit(horizons, refused)


def _learn(path: Path, steps: int, starts: Ints, behind: Floats, ahead: Floats) -> Excursions:
    """Least squares after Corsi (2009), HAR-RV, on logarithms; then quantiles of what its sigma leaves."""
    design = np.column_stack([np.ones(len(behind)), behind])
    coefficients = np.asarray(np.linalg.lstsq(design, ahead, rcond=None)[0], dtype=np.float64)
    sigma = np.exp(0.5 * (design @ coefficients)) * math.sqrt(steps)
    reached = path.excursions(starts, steps)
    return Excursions(
        steps, coefficients, _quantiles(reached / sigma), _quantiles(reached), (len(starts) * STRIDE) / steps
    )


def _quantiles(values: Floats) -> Floats:
    """float64[2, KNOTS + 1] of float64[2, n]: evenly spaced, the first 0, rising."""
    knots = np.quantile(values, np.linspace(0.0, 1.0, KNOTS + 1), axis=1).T
    # The chance that nothing is touched at no distance is none: the law starts at 0, and rises.
    knots[:, 0] = 0.0
    return np.asarray(np.maximum.accumulate(knots + np.arange(KNOTS + 1) * 1e-12, axis=1), dtype=np.float64)


def _beyond(distance: Floats, knots: Floats) -> Floats:
    """The share of a law given by evenly spaced quantiles that lies beyond each distance."""
    return np.asarray(1.0 - np.interp(distance, knots, np.linspace(0.0, 1.0, KNOTS + 1)))


def reflection(scaled: Floats) -> Floats:
    """P(a driftless Brownian motion touches a level at this many standard deviations, >= 0): 2 Phi(-x)."""
    tail = np.frompyfunc(math.erfc, 1, 1)(np.asarray(scaled) / math.sqrt(2.0))
    return np.asarray(tail, dtype=np.float64)


def sampled_reflection(distance: Floats, *, step_sigma: float, steps: int) -> Floats:
    """The same for a walk seen only at its ``steps`` samples of deviation ``step_sigma``.

    Broadie, Glasserman and Kou (1997), "A continuity correction for discrete barrier options": the barrier lies
    0.5826 step_sigma farther.
    """
    return reflection((np.asarray(distance) + _BGK * step_sigma) / (step_sigma * math.sqrt(steps)))


def release_digest() -> str:
    """SHA-256 of the frozen parameters."""
    return digest(dict(PARAMETERS), is_exact=False)
