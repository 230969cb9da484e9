"""80 % intervals: the estimate times factors by side and distance, calibrated where the truth is known.

Ensembles over the leverage prior are far too narrow (90 % bands held 2 to 77 %), so the factors are conformal: they
come from truth / estimate on simulated markets whose true positions are kept (``calibration``).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from .grid import Floats, Ints

    Bools = npt.NDArray[np.bool_]
    Codes = npt.NDArray[np.uint8]

# Buckets of distance from the price [%]: from each edge to the next, the last one without end.
EDGES_PCT: Final = (0.0, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0)

SHOWN_LEVEL: Final = 80
LEVELS: Final = (80, 90)
# Classes of the picture by half the width of the 80 % interval, as a share of the estimate; beyond the last is "wide".
CLASSES: Final = (("narrow", 0.45), ("medium", 0.85))


@dataclass(frozen=True, slots=True)
class Banded:
    """An amount with its 80 % interval [USD]."""

    usd: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Factors:
    """low, high: float64[side, bucket] (side 0 long, 1 short): interval = estimate x (low, high)."""

    low: Floats
    high: Floats

    @classmethod
    def of(cls, parameters: Mapping[str, Any], *, level: int = 80) -> Factors:
        """The factors frozen in a release's parameters, of the 80 % or (since version 2) the 90 % interval."""
        bands, suffix = parameters["bands"], "" if level == SHOWN_LEVEL else f"_{level}"
        return cls(np.array(bands[f"low{suffix}"]), np.array(bands[f"high{suffix}"]))

    def at(self, position_side: int, distance_pct: float) -> tuple[float, float]:
        """(low, high) for one side (+1 longs, -1 shorts) at a distance from the price [%]."""
        side, bucket = (0 if position_side == 1 else 1), int(buckets(np.array([abs(distance_pct)]))[0])
        return float(self.low[side, bucket]), float(self.high[side, bucket])

    def classes(self) -> list[list[str]]:
        """How sure the picture is, [side][bucket]: narrow to 45 % either way, medium to 85 %, wide beyond."""
        half = (self.high - self.low) / 2.0
        return [
            [next((name for name, most in CLASSES if one <= most), "wide") for one in side] for side in half.tolist()
        ]

    def class_at(self, distance_pct: Floats) -> Codes:
        """The class of the interval at distances[side, n] [%]: 0 narrow, 1 medium, 2 wide; uint8[side, n]."""
        half = (self.high - self.low) / 2.0
        number = np.searchsorted([most for _, most in CLASSES], half).astype(np.uint8)
        return np.asarray(np.take_along_axis(number, buckets(distance_pct), axis=1))

    def band(self, usd: float, position_side: int, distance_pct: float) -> Banded:
        """An amount at one distance with its interval."""
        low, high = self.at(position_side, distance_pct)
        return Banded(usd, usd * low, usd * high)

    def band_sum(self, usd: Floats, position_side: int, distance_pct: Floats) -> Banded:
        """The sum of amounts[n] at distances[n] [%]. Errors of neighbours go together, so the ends are summed."""
        side, bucket = (0 if position_side == 1 else 1), buckets(np.abs(distance_pct))
        low, high = float(usd @ self.low[side, bucket]), float(usd @ self.high[side, bucket])
        return Banded(float(usd.sum()), low, high)

    def ends(self, usd: Floats, is_long: Bools, distance_pct: Floats) -> tuple[Floats, Floats]:
        """Lower and upper ends of the intervals of amounts[n] at distances[n] [%], each with its side."""
        side, bucket = np.where(is_long, 0, 1), buckets(np.abs(distance_pct))
        return usd * self.low[side, bucket], usd * self.high[side, bucket]


def buckets(distance_pct: Floats) -> Ints:
    """Index of the bucket of each distance [%] >= 0."""
    return np.searchsorted(EDGES_PCT, distance_pct, side="right").astype(np.int64) - 1


def distance_names() -> list[str]:
    """The buckets of EDGES_PCT in words, nearest first: "0 to 1 %" and so on."""
    ends = [f"{low:g} to {high:g} %" for low, high in itertools.pairwise(EDGES_PCT)]
    return [*ends, f"{EDGES_PCT[-1]:g} % and more"]


# Frozen with the estimators' parameters; rows are longs and shorts, columns the buckets of EDGES_PCT.
# Since version 2, from `python3 manage.py calibrate --seeds 101-106`: the second half of 60 days in each world of
# ``heatmaps.core.worlds``. How much they hold on other seeds, `python3 manage.py score simulator` says.
OPEN_INTEREST_FACTORS: Final = {
    "low": [
        [0.796, 0.745, 0.682, 0.709, 0.642, 0.661, 0.586, 0.199],
        [0.803, 0.751, 0.708, 0.7, 0.648, 0.638, 0.602, 0.24],
    ],
    "high": [
        [4.026, 2.83, 2.321, 1.919, 1.743, 1.45, 1.284, 1.208],
        [3.965, 2.732, 2.227, 1.862, 1.586, 1.175, 1.282, 1.16],
    ],
    "low_90": [
        [0.7, 0.655, 0.63, 0.648, 0.601, 0.619, 0.543, 0.199],
        [0.712, 0.674, 0.666, 0.657, 0.604, 0.613, 0.303, 0.24],
    ],
    "high_90": [
        [4.599, 3.235, 2.532, 2.159, 1.85, 1.654, 1.564, 1.572],
        [4.556, 3.056, 2.361, 1.965, 1.695, 1.432, 1.282, 1.411],
    ],
}
PATH_ONLY_FACTORS: Final = {
    "low": [
        [1.0, 0.813, 0.745, 0.747, 0.703, 0.699, 0.565, 0.278],
        [1.0, 0.831, 0.798, 0.759, 0.673, 0.67, 0.239, 0.28],
    ],
    "high": [
        [11.633, 7.99, 5.935, 4.295, 3.211, 1.906, 2.11, 1.165],
        [11.292, 7.052, 5.159, 3.739, 1.95, 1.413, 1.0, 1.12],
    ],
    "low_90": [
        [0.863, 0.722, 0.675, 0.7, 0.649, 0.653, 0.161, 0.221],
        [0.854, 0.714, 0.712, 0.696, 0.642, 0.632, 0.239, 0.237],
    ],
    "high_90": [
        [13.446, 9.147, 7.124, 5.018, 3.817, 2.369, 2.11, 1.377],
        [13.195, 8.675, 5.952, 4.267, 3.069, 1.695, 1.149, 1.351],
    ],
}
# Of version 1: six seeds of each instrument of the simulated venue, 14 days, the first five left out.
OPEN_INTEREST_FACTORS_1: Final = {
    "low": [
        [0.281, 0.347, 0.303, 0.349, 0.409, 0.479, 0.439, 0.649],
        [0.289, 0.342, 0.313, 0.366, 0.423, 0.526, 0.565, 0.797],
    ],
    "high": [
        [1.749, 1.064, 1.0, 1.0, 1.0, 1.119, 1.584, 3.48],
        [1.595, 1.038, 1.0, 1.0, 1.0, 1.063, 1.651, 2.329],
    ],
}
PATH_ONLY_FACTORS_1: Final = {
    "low": [
        [0.493, 0.438, 0.395, 0.422, 0.392, 0.438, 0.304, 0.58],
        [0.427, 0.471, 0.366, 0.402, 0.344, 0.435, 0.429, 0.673],
    ],
    "high": [
        [4.843, 2.385, 1.727, 1.208, 1.017, 1.205, 1.384, 2.607],
        [3.824, 2.687, 1.437, 1.198, 1.0, 1.081, 1.581, 2.238],
    ],
}
