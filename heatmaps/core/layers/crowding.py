"""The crowding state: how much is open, who pays for it, and how much the price moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from .base import Hours, Kind, Need, Reading, state

if TYPE_CHECKING:
    from collections.abc import Mapping

# Percentiles, of 90 days or what is stored.
CROWDED: Final = 80.0
PAYING: Final = 80.0
QUIET: Final = 20.0
THIN: Final = 20.0
PAYING_CROWD, NEUTRAL_CROWD, QUIET_THIN, ORDINARY = range(4)


@dataclass(frozen=True, slots=True)
class Crowding:
    """A name for three percentiles; not a forecast.

    Crowded: open interest at or above its CROWDED-th percentile. Paying: funding above zero and at or above its
    PAYING-th percentile (longs pay), or below zero and at or below the mirrored one (shorts pay). Quiet and thin:
    volatility at or below QUIET and open interest at or below THIN.
    """

    slug: ClassVar[str] = "crowding"
    title: ClassVar[str] = "Crowding"
    kind: ClassVar[Kind] = "state"
    unit: ClassVar[str] = ""
    note: ClassVar[str] = ""
    digits: ClassVar[int] = 0
    is_signed: ClassVar[bool] = False
    rule: ClassVar[str] = (
        "Crowded: open interest at its 80th percentile or above. Paying: funding above zero at its 80th or above "
        "(longs pay), or below zero at its 20th or below (shorts pay). Quiet and thin: volatility and open interest "
        "at their 20th or below. Conventions, not fitted; no forecast."
    )
    needs: ClassVar[tuple[Need, ...]] = ("bars", "open_interest", "funding")
    rests_on: ClassVar[tuple[str, ...]] = ("funding", "open-interest", "volatility")
    states: ClassVar[tuple[str, ...]] = (
        "crowded and paying",
        "crowded, neutral funding",
        "quiet and thin",
        "ordinary",
    )

    def compute(self, hours: Hours, known: Mapping[str, Reading]) -> Reading:
        """Name each of the newest hours for which all three percentiles are known."""
        funding, interest, volatility = known["funding"], known["open-interest"], known["volatility"]
        rate, paid = funding.values, funding.percentiles
        level, moved = interest.series["level_percentile"], volatility.percentiles
        is_paying = ((rate > 0) & (paid >= PAYING)) | ((rate < 0) & (paid <= 100.0 - PAYING))
        words = np.full(len(hours), float(ORDINARY))
        words[(moved <= QUIET) & (level <= THIN)] = QUIET_THIN
        words[level >= CROWDED] = NEUTRAL_CROWD
        words[(level >= CROWDED) & is_paying] = PAYING_CROWD
        words[np.isnan(paid + level + moved)] = np.nan
        names = ("funding_percentile", "open_interest_percentile", "volatility_percentile")
        newest = {name: float(of[-1]) for name, of in zip(names, (paid, level, moved), strict=True) if len(of)}
        return state(words, newest, reason=_reason(newest, known))


def _reason(newest: Mapping[str, float], known: Mapping[str, Reading]) -> str:
    """Say which of the three is missing and why."""
    for name, slug in zip(newest, ("funding", "open-interest", "volatility"), strict=False):
        if np.isnan(newest[name]):
            why = known[slug].reason or "less than 14 d stored to compare with"
            return f"{slug.replace('-', ' ')}: {why}"
    return "nothing stored"
