"""The range that the price keeps: its boundaries, and where in it the price is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from heatmaps.core.structure import SPANS, find_range
from market.series import HOUR_MS

from .base import FLAT, Hours, Kind, Need, Reading, short_of

if TYPE_CHECKING:
    from collections.abc import Mapping


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
    needs: ClassVar[tuple[Need, ...]] = ("bars",)
    rests_on: ClassVar[tuple[str, ...]] = ()
    states: ClassVar[tuple[str, ...]] = ()

    def compute(self, hours: Hours, known: Mapping[str, Reading]) -> Reading:  # noqa: ARG002  # it rests on nothing
        """Find the newest hour's range: ``levels`` hold it under ``range`` with the time its first bar opened."""
        values, empty = np.full(len(hours), np.nan), np.full(len(hours), np.nan)
        counts = np.zeros(len(hours), np.int64)
        high, low, close = hours.logs
        found = find_range(high, low, close)
        if found is None:
            return Reading(values, empty, counts, reason=_reason(hours))
        lower = np.log(found.lower.price)
        values[-1] = 100.0 * (close[-1] - lower) / found.width
        levels = {"range": found, "from_ms": int(hours.ends[-1]) - found.bars * HOUR_MS}
        return Reading(values, empty, counts, levels=levels)


def _reason(hours: Hours) -> str:
    """Say whether there is no range or nothing to judge."""
    shortest = hours.close[-SPANS[-1] :]
    if len(shortest) < SPANS[-1] or np.isnan(shortest).any():
        return short_of(SPANS[-1])
    return FLAT if np.ptp(shortest) == 0 else "no range: the price went through, or touched an end once"
