"""Realised volatility of a day, a year's worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from heatmaps.core.structure import trailing

from .base import DAY, FLAT, Hours, Kind, Need, Reading, gauge, short_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_HOURS_A_YEAR: Final = 24 * 365


@dataclass(frozen=True, slots=True)
class Volatility:
    """Root of the mean squared hourly return of 24 hours, times the root of the hours in a year [%]."""

    slug: ClassVar[str] = "volatility"
    title: ClassVar[str] = "Realised vol"
    kind: ClassVar[Kind] = "gauge"
    unit: ClassVar[str] = "%"
    note: ClassVar[str] = "24h ann."
    digits: ClassVar[int] = 0
    is_signed: ClassVar[bool] = False
    rule: ClassVar[str] = "Root of the mean squared hourly return of 24 h, as of a year."
    needs: ClassVar[tuple[Need, ...]] = ("bars",)
    rests_on: ClassVar[tuple[str, ...]] = ()
    states: ClassVar[tuple[str, ...]] = ()

    def compute(self, hours: Hours, known: Mapping[str, Reading]) -> Reading:  # noqa: ARG002  # it rests on nothing
        """Return the volatility of the day that ends with each hour; a price that stood still has none."""
        squares = np.diff(np.log(hours.close), prepend=np.nan) ** 2
        means = trailing(squares, DAY).mean(axis=1)
        is_flat = len(means) > 0 and means[-1] == 0
        annual = 100.0 * np.sqrt(np.where(means > 0, means, np.nan) * _HOURS_A_YEAR)
        return gauge(annual, reason=FLAT if is_flat else short_of(DAY))
