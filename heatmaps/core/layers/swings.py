"""The last turning points of the price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from heatmaps.core.structure import ATR_BARS, REVERSAL, average_true_range, swings

from .base import FLAT, HISTORY, MEMORY, Hours, Kind, Level, Need, Reading, short_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heatmaps.core.structure import Swing


@dataclass(frozen=True, slots=True)
class Swings:
    """A zigzag that turns after 1.5 times the ATR of 14 hours; the value is that distance [%]."""

    slug: ClassVar[str] = "swings"
    title: ClassVar[str] = "Swings"
    kind: ClassVar[Kind] = "levels"
    unit: ClassVar[str] = "%"
    note: ClassVar[str] = "to turn"
    digits: ClassVar[int] = 2
    is_signed: ClassVar[bool] = False
    rule: ClassVar[str] = "A turn is told once the price came back by 1.5 times the mean true range of 14 h."
    needs: ClassVar[tuple[Need, ...]] = ("bars",)
    rests_on: ClassVar[tuple[str, ...]] = ()
    states: ClassVar[tuple[str, ...]] = ()

    def compute(self, hours: Hours, known: Mapping[str, Reading]) -> Reading:  # noqa: ARG002  # it rests on nothing
        """Return the distance at each hour; ``levels`` are the turns of the newest HISTORY."""
        high, low, close = hours.logs
        needed = 100.0 * np.expm1(REVERSAL * average_true_range(high, low, close))
        values = np.where(needed > 0, needed, np.nan)
        is_flat = len(needed) > 0 and needed[-1] == 0
        first = max(0, len(hours) - HISTORY - MEMORY)
        turns = swings(high[first:], low[first:], close[first:])
        told = tuple(
            _level(one, int(hours.ends[first + one.bar])) for one in turns if first + one.bar >= len(hours) - HISTORY
        )
        has_value = len(values) > 0 and np.isfinite(values[-1])
        return Reading(
            values=values,
            percentiles=np.full(len(hours), np.nan),
            known=np.zeros(len(hours), np.int64),
            levels=told if has_value else (),
            reason="" if has_value else FLAT if is_flat else short_of(ATR_BARS + 1),
        )


def _level(one: Swing, at_ms: int) -> Level:
    return Level("High" if one.is_high else "Low", "point", at_ms, one.price, one.price, one.is_high)
