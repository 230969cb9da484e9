"""Whether a row that is held could be stored after all: a pure look at it, without a table.

What no table can hold stays refused. What only did not fit together (the value of open interest), or came twice, or
leapt too far, is for a person to decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from market.series import DTYPES, epoch_ms, from_fields, validate

if TYPE_CHECKING:
    import datetime as dt

    import numpy as np

    from market.models import Quarantine
    from market.series import Records, SeriesName


def why_not(*, row: Quarantine, now: dt.datetime) -> str:
    """Say why a row can't be released; empty when it can."""
    records, reason = read_row(row)
    if records is None:
        return reason
    return next((fault for _, fault in judge_rows(row, records, now)[1]), "")


def read_row(row: Quarantine) -> tuple[Records | None, str]:
    """Return a held row as one record of its series, or None and why it isn't one."""
    if row.instrument is None or row.series not in DTYPES:
        return None, "it is not a row of a series"
    dtype = DTYPES[row.series]
    if row.row is None:
        return None, "what came could not be read as numbers"
    if _has_period(dtype) and row.timeframe <= 0:
        return None, "the length of its period is not known"
    try:
        return from_fields(row.row, dtype=dtype), ""
    except ValueError as error:
        return None, str(error)


def judge_rows(row: Quarantine, records: Records, now: dt.datetime) -> tuple[list[int], list[tuple[int, str]]]:
    """Return which records of the row's series can be held by its table, and (index, reason) of the others."""
    dtype = DTYPES[cast("SeriesName", row.series)]
    checked = validate(
        records,
        now_ms=epoch_ms(now),
        timeframe=row.timeframe if _has_period(dtype) else 0,
        is_mark=row.series == "mark_bars",
        is_vouched=True,
    )
    times = records[(dtype.names or ())[0]]
    late = {int(i) for i in checked.index if times[i] > epoch_ms(now)}
    rejected = [*checked.rejected, *((i, "the time is in the future") for i in sorted(late))]
    return [int(i) for i in checked.index if int(i) not in late], rejected


def _has_period(dtype: np.dtype[np.void]) -> bool:
    return (dtype.names or ())[0] == "open_time"
