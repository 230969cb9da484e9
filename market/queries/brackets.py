"""Leverage brackets by the day on which they changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from market.models import LeverageBracket

if TYPE_CHECKING:
    import datetime as dt


def find_brackets(*, instrument_id: int, date: dt.date | None = None) -> tuple[dt.date | None, list[LeverageBracket]]:
    """Return the table that held on a day (None: the newest) with the day it is from; (None, []) without one."""
    known = LeverageBracket.objects.filter(instrument_id=instrument_id)
    if date is not None:
        known = known.filter(as_of_date__lte=date)
    day = known.order_by("-as_of_date").values_list("as_of_date", flat=True).first()
    return day, list(known.filter(as_of_date=day).order_by("floor")) if day else []
