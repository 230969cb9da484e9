"""80 % intervals: the estimate times factors by side and distance, calibrated where the truth is known.

Ensembles over the leverage prior are far too narrow (90 % bands held 2 to 77 %), so the factors are conformal: the
10 % and 90 % quantiles of truth / estimate on simulated markets whose true positions are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from .grid import Floats, Ints

    Bools = npt.NDArray[np.bool_]

# Buckets of distance from the price [%]: from each edge to the next, the last one without end.
EDGES_PCT: Final = (0.0, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0)


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
    def of(cls, parameters: Mapping[str, Any]) -> Factors:
        """The factors frozen in a release's parameters."""
        bands = parameters["bands"]
        return cls(np.array(bands["low"]), np.array(bands["high"]))

    def at(self, position_side: int, distance_pct: float) -> tuple[float, float]:
        """(low, high) for one side (+1 longs, -1 shorts) at a distance from the price [%]."""
        side, bucket = (0 if position_side == 1 else 1), int(buckets(np.array([abs(distance_pct)]))[0])
        return float(self.low[side, bucket]), float(self.high[side, bucket])

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


# Frozen with the estimators' parameters. From `python -m tests.core.calibration 101 102 103 104 105 106`: six seeds of
# each simulated world, 14 days, the first five left out; rows are longs and shorts, columns the buckets of EDGES_PCT.
# Of the pairs of seeds that a table had not seen it held 82.1 % (open-interest) and 81.5 % (path-only).
OPEN_INTEREST_FACTORS: Final = {
    "low": [
        [0.281, 0.347, 0.303, 0.349, 0.409, 0.479, 0.439, 0.649],
        [0.289, 0.342, 0.313, 0.366, 0.423, 0.526, 0.565, 0.797],
    ],
    "high": [
        [1.749, 1.064, 1.0, 1.0, 1.0, 1.119, 1.584, 3.48],
        [1.595, 1.038, 1.0, 1.0, 1.0, 1.063, 1.651, 2.329],
    ],
}
PATH_ONLY_FACTORS: Final = {
    "low": [
        [0.493, 0.438, 0.395, 0.422, 0.392, 0.438, 0.304, 0.58],
        [0.427, 0.471, 0.366, 0.402, 0.344, 0.435, 0.429, 0.673],
    ],
    "high": [
        [4.843, 2.385, 1.727, 1.208, 1.017, 1.205, 1.384, 2.607],
        [3.824, 2.687, 1.437, 1.198, 1.0, 1.081, 1.581, 2.238],
    ],
}
