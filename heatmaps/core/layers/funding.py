"""Funding: the rate in force, beside its own past at the same interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from .base import Hours, Kind, Need, Reading, gauge

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Funding:
    """Percent of notional per interval; the percentile is of the rate per hour, so that intervals may change."""

    slug: ClassVar[str] = "funding"
    title: ClassVar[str] = "Funding"
    kind: ClassVar[Kind] = "gauge"
    unit: ClassVar[str] = "%"
    note: ClassVar[str] = ""
    digits: ClassVar[int] = 4
    is_signed: ClassVar[bool] = True
    rule: ClassVar[str] = "The rate in force; its percentile is of the rate per hour."
    needs: ClassVar[tuple[Need, ...]] = ("funding",)
    rests_on: ClassVar[tuple[str, ...]] = ()
    states: ClassVar[tuple[str, ...]] = ()

    def compute(self, hours: Hours, known: Mapping[str, Reading]) -> Reading:  # noqa: ARG002  # it rests on nothing
        """Return the rate in force at each hour's end."""
        hourly = gauge(hours.funding / hours.funding_hours, reason="not reported, or its interval has passed")
        newest = {"interval_hours": float(hours.funding_hours[-1])} if not hourly.reason else {}
        return Reading(
            values=100.0 * hours.funding,
            percentiles=hourly.percentiles,
            known=hourly.known,
            numbers=newest,
            series={"interval_hours": np.asarray(hours.funding_hours)},
            reason=hourly.reason,
        )
