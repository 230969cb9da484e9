"""How long zones live: the product-limit estimate of Kaplan and Meier (1958), with its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from .grid import Floats

# Distance from the price at which a zone formed [%]: below the first, between them, beyond the last.
EDGES_PCT: Final = (2.0, 5.0)
LABELS: Final = ("within 2 %", "2 to 5 % away", "more than 5 % away")
LEAST: Final = 20
_Z: Final = 1.959964


@dataclass(frozen=True, slots=True)
class HalfLife:
    """The time by which half of the zones like one had ended [hours], with its 95 % interval; None: not reached.

    count: zones, of which ``ended`` were seen to end; of fewer than LEAST nothing is said.
    """

    like: int
    count: int
    ended: int
    hours: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def is_enough(self) -> bool:
        """Whether there are enough zones to say anything."""
        return self.count >= LEAST

    @property
    def label(self) -> str:
        """Which zones these are."""
        return LABELS[self.like]


def distance_class(distance_pct: float) -> int:
    """The class of a zone formed at a distance from the price [%]."""
    return int(np.searchsorted(EDGES_PCT, abs(distance_pct), side="right"))


def measure(hours: Floats, is_end: npt.NDArray[np.bool_], like: int = 0) -> HalfLife:
    """The median of lives float64[n] [hours]; where ``is_end`` is False the end was not seen (censored).

    S(t) = product over ends up to t of (1 - d / n at risk). The interval is of Brookmeyer and Crowley (1982) on the
    scale log(-log S), with Greenwood's variance: all t whose S(t) could be one half.
    """
    count, ended = len(hours), int(is_end.sum())
    if count < LEAST:
        return HalfLife(like, count, ended)
    times = np.unique(hours[is_end])
    at_risk = np.array([(hours >= time).sum() for time in times], np.float64)
    ends = np.array([(hours[is_end] == time).sum() for time in times], np.float64)
    alive = np.asarray(np.cumprod(1.0 - ends / at_risk), np.float64)
    inside = (alive > 0.0) & (alive < 1.0)
    low, high = np.zeros(len(alive)), np.zeros(len(alive))
    variance = np.cumsum(np.where(inside, ends / np.maximum(at_risk * (at_risk - ends), 1.0), 0.0))
    log = np.log(alive[inside])
    spread = _Z * np.sqrt(variance[inside]) / np.abs(log)
    low[inside] = np.exp(log * np.exp(spread))
    high[inside] = np.exp(log * np.exp(-spread))
    return HalfLife(like, count, ended, _first(times, alive), _first(times, low), _first(times, high))


def _first(times: Floats, share: Floats) -> float | None:
    """When a falling share comes down to one half; None where it does not."""
    found = np.flatnonzero(share <= 0.5 + 1e-12)
    return None if len(found) == 0 or math.isnan(share[found[0]]) else float(times[found[0]])
