"""The range that the price keeps: its boundaries, and where in it the price is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from heatmaps.core.structure import SPANS, find_range
from market.series import HOUR_MS

from .base import FLAT, Hours, Kind, Level, Need, Reading, short_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heatmaps.core.structure import Boundary, Range


@dataclass(frozen=True, slots=True)
class Ranges:
    """The longest range that the newest hours keep; the value is the place of the close between its ends [%]."""

    slug: ClassVar[str] = "range"
    title: ClassVar[str] = "Range"
    kind: ClassVar[Kind] = "levels"
    unit: ClassVar[str] = "%"
    note: ClassVar[str] = "of the range"
    digits: ClassVar[int] = 0
    is_signed: ClassVar[bool] = False
    rule: ClassVar[str] = (
        "The longest of 14, 7, 4, 2 and 1 d that is a range; clean: touched of late, and no wick beyond."
    )
    needs: ClassVar[tuple[Need, ...]] = ("bars",)
    rests_on: ClassVar[tuple[str, ...]] = ()
    states: ClassVar[tuple[str, ...]] = ()

    def compute(self, hours: Hours, known: Mapping[str, Reading]) -> Reading:  # noqa: ARG002  # it rests on nothing
        """Find the newest hour's range: ``levels`` are its ends, strong where they are clean."""
        values, empty = np.full(len(hours), np.nan), np.full(len(hours), np.nan)
        counts = np.zeros(len(hours), np.int64)
        high, low, close = hours.logs
        found = find_range(high, low, close)
        if found is None:
            return Reading(values, empty, counts, reason=_reason(hours))
        lower = np.log(found.lower.price)
        values[-1] = 100.0 * (close[-1] - lower) / found.width
        since = int(hours.ends[-1]) - found.bars * HOUR_MS
        levels = (_level("Range high", found.upper, since), _level("Range low", found.lower, since))
        return Reading(values, empty, counts, _numbers(found), levels=levels, found=found)


def _level(label: str, boundary: Boundary, since: int) -> Level:
    is_clean, price = boundary.is_clean, boundary.price
    return Level(f"{label}, clean" if is_clean else label, "line", since, price, price, is_clean)


def _numbers(found: Range) -> dict[str, float]:
    return {
        "hours": float(found.bars),
        "efficiency": found.efficiency,
        "width_pct": 100.0 * found.width,
        "expected_width_pct": 100.0 * found.expected_width,
        "upper_touches": float(found.upper.touches),
        "lower_touches": float(found.lower.touches),
    }


def _reason(hours: Hours) -> str:
    """Say whether there is no range or nothing to judge."""
    shortest = hours.close[-SPANS[-1] :]
    if len(shortest) < SPANS[-1] or np.isnan(shortest).any():
        return short_of(SPANS[-1])
    return FLAT if np.ptp(shortest) == 0 else "none now: the price moved through, or touched an end only once"
