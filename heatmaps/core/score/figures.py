"""One figure of a score run, as it is stored and shown."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .chances import Interval


@dataclass(frozen=True, slots=True)
class Figure:
    """One number with what it is of; low and high are its 95 % interval, None where there is none.

    measure: such as "rank", "r2", "deviance", "brier-skill"; map: the estimator, or "control"; side: "long", "short"
    or "both"; mode: "frozen" (what the map held when the interval began), "live" (with what came in it) or "";
    versus: what the value is a gain over, "" for the value itself; n: intervals, touches or prints scored;
    days: blocks that were resampled.
    """

    measure: str
    map: str
    side: str
    mode: str
    versus: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    days: int

    @classmethod
    def of(cls, interval: Interval, *, n: int, days: int, **names: str) -> Figure:
        """A figure from an interval; what is not a number is None."""
        value, low, high = (None if math.isnan(one) else one for one in (interval.value, interval.low, interval.high))
        named = {"side": "both", "mode": "", "versus": "", **names}
        return cls(**named, value=value, low=low, high=high, n=n, days=days)

    def as_row(self) -> Mapping[str, object]:
        """As JSON keeps it."""
        return asdict(self)
