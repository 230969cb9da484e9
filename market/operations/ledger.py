"""The coverage ledger: from when to when each series is stored without a hole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from django.db import connection

from market.models import Coverage
from market.series import epoch_ms, moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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


_STRETCHES: Final = """SELECT start_at, end_at FROM market_coverage
    WHERE instrument_id = %s AND series = %s AND timeframe = %s ORDER BY start_at"""


def stretches(key: SeriesKey) -> list[Interval]:
    """Return what the ledger holds of a series [ms], ascending."""
    with connection.cursor() as cursor:
        cursor.execute(_STRETCHES, key)
        return [(epoch_ms(start_at), epoch_ms(end_at)) for start_at, end_at in cursor.fetchall()]


def extend(key: SeriesKey, *, reach_ms: int, before: Sequence[Interval], more: Iterable[Interval]) -> list[Interval]:
    """Add to what the ledger holds of a series, and return what it holds then. The caller has the instrument's lock.

    before: what it holds; more: what comes to it [ms]. Stretches that lie ``reach_ms`` apart or less become one.
    """
    added = join(more, reach_ms)
    if not added:
        return list(before)
    first, last = added[0][0] - reach_ms, added[-1][1] + reach_ms
    near = [one for one in before if one[1] >= first and one[0] <= last]
    after = join([*near, *added], reach_ms)
    if near == after:
        return list(before)
    rows = Coverage.objects.filter(**key.fields, start_at__in=[moment(start) for start, _ in near])
    if len(near) == len(after) == 1:  # what goes on where it ended, as most does
        rows.update(start_at=moment(after[0][0]), end_at=moment(after[0][1]))
    else:
        rows.delete()
        Coverage.objects.bulk_create(
            Coverage(**key.fields, start_at=moment(start), end_at=moment(end)) for start, end in after
        )
    return sorted({*before}.difference(near).union(after))
