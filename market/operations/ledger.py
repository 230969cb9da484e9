"""The coverage ledger: from when to when each series is stored without a hole."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from market.models import Coverage
from market.series import epoch_ms, moment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .schema import SeriesKey, Table

Interval: TypeAlias = tuple[int, int]


def stretches_of(table: Table, times: np.ndarray[tuple[int], np.dtype[np.int64]], step_ms: int) -> list[Interval]:
    """Join the times [ms] of stored rows into unbroken stretches.

    A bar covers its period; a sample covers only its moment, and neighbours up to ``step_ms`` apart are joined.
    Events (``step_ms`` 0) say nothing about silence between them: one stretch from the first to the last.
    """
    if len(times) == 0:
        return []
    times = np.unique(times)
    if step_ms == 0:
        return [(int(times[0]), int(times[-1]))]
    breaks = np.flatnonzero(np.diff(times) > step_ms)
    starts = times[np.concatenate(([0], breaks + 1))]
    ends = times[np.concatenate((breaks, [len(times) - 1]))] + (step_ms if table.is_bars else 0)
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def join(intervals: Iterable[Interval], reach_ms: int) -> list[Interval]:
    """Merge intervals that overlap, touch or lie at most ``reach_ms`` apart."""
    joined: list[Interval] = []
    for start, end in sorted(intervals):
        if joined and start <= joined[-1][1] + reach_ms:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def reach_of(table: Table, step_ms: int) -> int:
    """Return how far apart two stretches may lie and still be one."""
    return 0 if table.is_bars else step_ms


def cut(key: SeriesKey, *, since_ms: int, until_ms: int, goes_on: bool) -> None:
    """Take [since, until) out of the ledger. The caller holds the instrument's lock.

    goes_on: somebody is still listening, so that what comes next lies after ``until``.
    """
    near = Coverage.objects.filter(**key.fields, end_at__gt=moment(since_ms), start_at__lt=moment(until_ms))
    spans = [(epoch_ms(row.start_at), epoch_ms(row.end_at)) for row in near]
    near.delete()
    pieces = [(start, since_ms) for start, _ in spans if start < since_ms]
    pieces += [(until_ms, max(end, until_ms)) for _, end in spans if goes_on or end > until_ms]
    Coverage.objects.bulk_create(
        Coverage(**key.fields, start_at=moment(start), end_at=moment(end)) for start, end in join(pieces, 0)
    )


def extend(  # noqa: PLR0913 a ledger entry's key and what it covers
    table: Table, *, instrument_id: int, series: str, timeframe: int, step_ms: int, stretches: Iterable[Interval]
) -> None:
    """Add stretches to the ledger and merge them with what it holds. The caller holds the instrument's lock."""
    reach_ms = reach_of(table, step_ms)
    added = join(stretches, reach_ms)
    if not added:
        return
    ledger = Coverage.objects.filter(instrument_id=instrument_id, series=series, timeframe=timeframe)
    near = ledger.filter(end_at__gte=moment(added[0][0] - reach_ms), start_at__lte=moment(added[-1][1] + reach_ms))
    before = [(epoch_ms(row.start_at), epoch_ms(row.end_at)) for row in near]
    after = join([*before, *added], reach_ms)
    if sorted(before) == after:
        return
    if len(before) == len(after) == 1:  # what goes on where it ended, as most does
        near.update(start_at=moment(after[0][0]), end_at=moment(after[0][1]))
        return
    near.delete()
    Coverage.objects.bulk_create(
        Coverage(
            instrument_id=instrument_id, series=series, timeframe=timeframe, start_at=moment(start), end_at=moment(end)
        )
        for start, end in after
    )
