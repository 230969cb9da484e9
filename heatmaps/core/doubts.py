"""How much wider an interval gets where the map knows less: thin samples, the last price, age, and what is not on it.

Errors that have nothing to do with each other add in squares, so a cause that moves the estimate by a spread e [ln]
makes of an interval [estimate * low, estimate * high]

    ln low' = -sqrt(ln(low)^2 + sum of e^2)        ln high' = sqrt(ln(high)^2 + sum of e^2) - ln(whole)

e is the 80th percentile of |ln(map told less / map told all)| in slices of 1 % of price, measured on the simulated
worlds by ``calibrate --doubts`` (``thinned``); whole is the share of what there is that the map holds: contracts that
are not placed, and members of a pair that are missing, can only add to it. That they lie as those that are known is
an assumption.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from market.series import DAY_MS, STEP_MS

from .bands import Banded, Factors
from .flags import Flag
from .tile import COMMITTED, NO_DATA, PROVISIONAL

if TYPE_CHECKING:
    import numpy.typing as npt

    from .grid import Floats
    from .tile import Spine

    Bools = npt.NDArray[np.bool_]

NAME: Final = "widening 1"
# From `python3 manage.py calibrate --doubts --seeds 201-202 --days 40`, each the mean of three worlds and two seeds.
# Mean length of a step in the last day, in slots of five minutes, and the spread that comes of it.
STEP_LENGTHS: Final = (1.0, 2.0, 3.0, 6.0, 12.0, 288.0)
STEP_SPREADS: Final = (0.0, 0.035, 0.053, 0.08, 0.104, 0.104)
# Hours since the newest column, and the spread of what was not traded through since then. Measured to three days; the
# last point is an assumption: beyond, it grows with the root of time.
AGE_HOURS: Final = (0.0, 3.0, 6.0, 12.0, 24.0, 48.0, 72.0, 720.0)
AGE_SPREADS: Final = (0.0, 0.054, 0.096, 0.169, 0.279, 0.438, 0.555, 1.755)
# All of the last day swept by the last price.
LAST_PRICE_SPREAD: Final = 0.007
# Less is not believed to be known: the interval says no more than "ten times as much".
_LEAST_WHOLE: Final = 0.1
_EXACT: Final = 0.02
_DAY: Final = DAY_MS // STEP_MS


@dataclass(frozen=True, slots=True)
class Doubt:
    """How much less is known of a column than of one that the intervals were calibrated for.

    slots: mean length of a step in the last day [five minutes]; last_price: share of the last day's steps that were
    swept by the last price; whole: share of all that there is that the map holds; age_hours: since the column's end.
    """

    slots: float = 1.0
    last_price: float = 0.0
    whole: float = 1.0
    age_hours: float = 0.0

    @property
    def spread(self) -> float:
        """The spreads of all causes together [ln]."""
        thin = float(np.interp(np.log(max(self.slots, 1.0)), np.log(STEP_LENGTHS), STEP_SPREADS))
        old = float(np.interp(max(self.age_hours, 0.0), AGE_HOURS, AGE_SPREADS))
        return float(np.sqrt(thin**2 + old**2 + (self.last_price * LAST_PRICE_SPREAD) ** 2))

    @property
    def stretch(self) -> float:
        """What the upper end is multiplied by because the map does not hold all."""
        return 1.0 / min(max(self.whole, _LEAST_WHOLE), 1.0)

    @property
    def is_any(self) -> bool:
        """Whether it widens an interval by 2 % or more."""
        return self.spread >= _EXACT or self.stretch >= 1.0 + _EXACT

    def widen(self, factors: Factors) -> Factors:
        """The factors of such a column."""
        low, high = (
            np.exp(sign * np.sqrt(np.log(one) ** 2 + self.spread**2))
            for sign, one in ((-1, factors.low), (1, factors.high))
        )
        return Factors(low, high * self.stretch)

    def widen_one(self, banded: Banded) -> Banded:
        """An amount with the wider interval."""
        if banded.usd <= 0.0 or banded.low <= 0.0:
            return banded
        single = Factors(np.array([[banded.low / banded.usd]]), np.array([[banded.high / banded.usd]]))
        wider = self.widen(single)
        return Banded(banded.usd, banded.usd * float(wider.low[0, 0]), banded.usd * float(wider.high[0, 0]))


@dataclass(frozen=True, slots=True)
class Doubts:
    """The doubt about each of many columns; arrays [column] as in ``Doubt``."""

    slots: Floats
    last_price: Floats
    whole: Floats

    @classmethod
    def of(cls, spine: Spine, *, present: Floats | None = None) -> Doubts:
        """From the day before each column: SPINE[n] of five-minute columns that follow each other.

        present: the share of a pair's known open interest that is in each column. Columns from before the map began
        count for nothing.
        """
        is_step = spine["status"] == COMMITTED
        is_last = is_step & ((spine["flags"] & Flag.LAST_PRICE) != 0)
        marks = is_step, is_step | (spine["status"] == NO_DATA), is_last
        steps, known, last = (_sum_of_day(one) for one in marks)
        interest = spine["open_interest"]
        is_drawn = (is_step | (spine["status"] == PROVISIONAL)) & (interest > 0.0)
        placed = np.divide(spine["total"], interest, out=np.ones(len(spine)), where=is_drawn)
        whole = np.minimum(placed, 1.0) * (1.0 if present is None else present)
        return cls(np.maximum(known, 1.0) / np.maximum(steps, 1.0), last / np.maximum(steps, 1.0), whole)

    def __getitem__(self, place: int) -> Doubt:
        """The doubt about one column."""
        return Doubt(float(self.slots[place]), float(self.last_price[place]), float(self.whole[place]))

    def part(self, chosen: slice) -> Doubts:
        """Those of some columns."""
        return Doubts(self.slots[chosen], self.last_price[chosen], self.whole[chosen])


def _sum_of_day(marks: Bools) -> Floats:
    sums = np.concatenate([np.zeros(1), np.cumsum(marks, dtype=np.float64)])
    ends = np.arange(1, len(sums))
    return np.asarray(sums[ends] - sums[np.maximum(ends - _DAY, 0)])
