"""Leverage brackets by the day on which they changed, and the terms that estimators read them as."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np

from market.contracts import FEE_RATES, Brackets, rule_for
from market.models import LeverageBracket
from market.series import epoch_ms
from market.terms import DatedBrackets, Terms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from market.models import Instrument


def find_brackets(*, instrument_id: int, date: dt.date | None = None) -> tuple[dt.date | None, list[LeverageBracket]]:
    """Return the table that held on a day (None: the newest) with the day it is from; (None, []) without one."""
    known = LeverageBracket.objects.filter(instrument_id=instrument_id)
    if date is not None:
        known = known.filter(as_of_date__lte=date)
    day = known.order_by("-as_of_date").values_list("as_of_date", flat=True).first()
    return day, list(known.filter(as_of_date=day).order_by("floor")) if day else []


def load_terms(*, instrument: Instrument) -> Terms:
    """Return the rule by which an instrument is liquidated, and its tables of brackets by the day they were seen on.

    A table counts from the end of its day (UTC) on, so that one which comes in the middle of a day rewrites no part of
    it. A table that no venue can have is left out.
    """
    return load_terms_of_all(instruments=[instrument])[instrument.pk]


def load_terms_of_all(*, instruments: Sequence[Instrument]) -> dict[int, Terms]:
    """Return the same of many instruments, by id, with one question."""
    rows: dict[int, dict[dt.date, list[LeverageBracket]]] = {one.pk: {} for one in instruments}
    for row in LeverageBracket.objects.filter(instrument__in=list(rows)).order_by("as_of_date", "floor"):
        rows[row.instrument_id].setdefault(row.as_of_date, []).append(row)
    return {one.pk: _terms(one, rows[one.pk]) for one in instruments}


def _terms(instrument: Instrument, rows: Mapping[dt.date, list[LeverageBracket]]) -> Terms:
    tables = (_dated(day, table) for day, table in rows.items())
    return Terms(
        rule=rule_for(venue=instrument.venue, contract_type=instrument.contract_type),
        fee_rate=FEE_RATES.get(instrument.venue, 0.0),
        tables=tuple(table for table in tables if table is not None),
    )


def _dated(day: dt.date, rows: list[LeverageBracket]) -> DatedBrackets | None:
    columns = ([getattr(row, name) for row in rows] for name in ("floor", "max_leverage", "maintenance_rate"))
    ends = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), dt.UTC)
    try:
        return DatedBrackets(epoch_ms(ends), Brackets(*(np.array(column) for column in columns)))
    except ValueError:
        return None
