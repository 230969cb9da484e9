"""Liquidity: what rests in the order book near its middle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from .base import Hours, Kind, Need, Reading, gauge

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Depth:
    """Bids and asks within 1 % of the middle together, at the end of the hour [quote]."""

    slug: ClassVar[str] = "depth"
    title: ClassVar[str] = "Book depth"
    kind: ClassVar[Kind] = "gauge"
    unit: ClassVar[str] = "USD"
    note: ClassVar[str] = "within ±1%"
    digits: ClassVar[int] = 0
    is_signed: ClassVar[bool] = False
    rule: ClassVar[str] = "Bids and asks within 1% of the middle, at the end of the hour."
    needs: ClassVar[tuple[Need, ...]] = ("depth",)
    rests_on: ClassVar[tuple[str, ...]] = ()
    states: ClassVar[tuple[str, ...]] = ()

    def compute(self, hours: Hours, known: Mapping[str, Reading]) -> Reading:  # noqa: ARG002  # it rests on nothing
        """Return what rests there; a hole where the venue shows less of its book."""
        both = np.asarray(hours.depth["bid_100"] + hours.depth["ask_100"])
        is_told = len(both) > 0 and not np.isnan(hours.depth["mid"][-1])
        reason = "the venue shows less than 1% of its book" if is_told else "not reported in the last hour"
        return gauge(both, reason=reason)
