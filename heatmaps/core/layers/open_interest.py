"""Open interest: its change over a day, and how its level compares with its past."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from .base import DAY, Hours, Kind, Need, Reading, gauge, percentile_ranks, short_of

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class OpenInterest:
    """Change of contracts over 24 hours [%]; a change of price alone is none."""

    slug: ClassVar[str] = "open-interest"
    title: ClassVar[str] = "Open interest"
    kind: ClassVar[Kind] = "gauge"
    unit: ClassVar[str] = "%"
    note: ClassVar[str] = "24h"
    digits: ClassVar[int] = 1
    is_signed: ClassVar[bool] = True
    rule: ClassVar[str] = "Change of contracts, not of their value."
    needs: ClassVar[tuple[Need, ...]] = ("open_interest",)
    rests_on: ClassVar[tuple[str, ...]] = ()
    states: ClassVar[tuple[str, ...]] = ()

    def compute(self, hours: Hours, known: Mapping[str, Reading]) -> Reading:  # noqa: ARG002  # it rests on nothing
        """Return the change at each hour, with the level's percentile beside it."""
        level = hours.open_interest
        before = np.concatenate((np.full(DAY, np.nan), level))[: len(level)]
        ranks, known_hours = percentile_ranks(level)
        found = gauge(100.0 * (level / before - 1.0), reason=_reason(level), series={"level_percentile": ranks})
        # What the level's percentile is over.
        return replace(found, numbers={"level_hours": float(known_hours[-1])} if len(level) else {})


def _reason(level: np.ndarray[tuple[int], np.dtype[np.float64]]) -> str:
    if len(level) == 0 or np.isnan(level).all():
        return "not reported"
    if np.isnan(level[-1]):
        return "no sample in the last hour"
    return "not reported 24h ago" if len(level) > DAY else short_of(DAY)
