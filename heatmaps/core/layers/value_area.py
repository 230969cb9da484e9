"""The value area: where most of the volume of two weeks was traded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from heatmaps.core.structure import value_area, volume_profile
from market.series import HOUR_MS

from .base import DAY, FLAT, Hours, Kind, Level, Need, Reading, short_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heatmaps.core.structure import ValueArea as Area

BARS: Final = 14 * DAY
# Of the hours of the profile, at most so many may be missing.
MISSING: Final = BARS // 100


@dataclass(frozen=True, slots=True)
class ValueArea:
    """The fewest price bins that hold 70 % of 14 days' volume; the value is their point of control."""

    slug: ClassVar[str] = "value-area"
    title: ClassVar[str] = "Value area"
    kind: ClassVar[Kind] = "levels"
    unit: ClassVar[str] = "price"
    note: ClassVar[str] = "14 d"
    digits: ClassVar[int] = 0
    is_signed: ClassVar[bool] = False
    rule: ClassVar[str] = "The fewest prices that hold 70% of 14 days' volume."
    needs: ClassVar[tuple[Need, ...]] = ("bars",)
    rests_on: ClassVar[tuple[str, ...]] = ()
    states: ClassVar[tuple[str, ...]] = ()

    def compute(self, hours: Hours, known: Mapping[str, Reading]) -> Reading:  # noqa: ARG002  # it rests on nothing
        """Find the newest hour's value area: ``levels`` are its pieces, point of control and nodes."""
        values, empty = np.full(len(hours), np.nan), np.full(len(hours), np.nan)
        counts = np.zeros(len(hours), np.int64)
        high, low, volume = (each[-BARS:] for each in (*hours.logs[:2], hours.volume))
        is_known = ~np.isnan(high + low + volume)
        if np.count_nonzero(is_known) < BARS - MISSING or not is_known[-1:].all():
            return Reading(values, empty, counts, reason=short_of(BARS))
        profile = volume_profile(high, low, volume)
        if profile is None or np.nanmax(high) == np.nanmin(low):
            return Reading(values, empty, counts, reason="no volume in 14 d" if profile is None else FLAT)
        area = value_area(profile)
        values[-1] = area.poc
        since = int(hours.ends[-1]) - BARS * HOUR_MS
        numbers = {
            "low": area.low,
            "high": area.high,
            "share_pct": 100.0 * area.share,
            "pieces": float(len(area.spans)),
        }
        return Reading(values, empty, counts, numbers, levels=_levels(area, since), found=area)


def _levels(area: Area, since: int) -> tuple[Level, ...]:
    return (
        *(Level("Value area", "band", since, low, high, is_strong=False) for low, high in area.spans),
        Level("Point of control", "line", since, area.poc, area.poc, is_strong=True),
        *(Level("Low-volume node", "line", since, node, node, is_strong=False) for node in area.nodes),
    )
