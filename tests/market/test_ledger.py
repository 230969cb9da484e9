from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.models import Coverage
from market.operations import ledger
from market.operations.schema import TABLES, SeriesKey
from market.series import epoch_ms
from tests.factories import make_instrument

BARS, SAMPLES, EVENTS = TABLES["bars"], TABLES["open_interest"], TABLES["liquidations"]
T0 = 1_768_435_200_000  # 2026-01-15 00:00 UTC
STEP = 300_000


def at(*steps: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return T0 + np.array(steps, dtype=np.int64) * STEP


def steps(intervals: list[ledger.Interval]) -> list[tuple[float, float]]:
    return [((start - T0) / STEP, (end - T0) / STEP) for start, end in intervals]


def test_stretches_of_bars_end_with_the_last_bar() -> None:
    assert steps(ledger.stretches_of(BARS, at(3, 0, 1, 1, 5), STEP)) == [(0, 2), (3, 4), (5, 6)]


def test_stretches_of_samples_end_with_the_last_sample() -> None:
    assert steps(ledger.stretches_of(SAMPLES, at(0, 1, 3), STEP)) == [(0, 1), (3, 3)]


def test_stretches_of_events_know_no_holes() -> None:
    assert steps(ledger.stretches_of(EVENTS, at(0, 1, 90), 0)) == [(0, 90)]


def test_stretches_of_nothing_are_none() -> None:
    assert ledger.stretches_of(BARS, at(), STEP) == []


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 6)), max_size=12), st.integers(0, 3))
def test_join_agrees_with_marking_cells(spans: list[tuple[int, int]], reach: int) -> None:
    intervals = [(start, start + length) for start, length in spans]
    # Half cells: even ones are moments, odd ones what lies between; a hole of up to `reach` counts as filled.
    cells = {2 * moment + part for start, end in intervals for moment in range(start, end + 1) for part in (0, 1)}
    cells -= {2 * end + 1 for start, end in intervals if all(not (s <= end < e) for s, e in intervals)}
    moments = sorted(cell // 2 for cell in cells if cell % 2 == 0)
    expected: list[tuple[int, int]] = []
    for moment in moments:
        held = expected and (2 * (moment - 1) + 1 in cells or moment - expected[-1][1] <= reach)
        if held:
            expected[-1] = (expected[-1][0], moment)
        else:
            expected.append((moment, moment))
    assert ledger.join(intervals, reach) == expected


def extend(pk: int, *intervals: tuple[int, int]) -> None:
    """Extend the ledger; what it says that it holds then is what is stored."""
    key, before = SeriesKey(pk, "bars", 300), ledger.stretches(SeriesKey(pk, "bars", 300))
    more = [(T0 + start * STEP, T0 + end * STEP) for start, end in intervals]
    assert ledger.extend(key, reach_ms=0, before=before, more=more) == ledger.stretches(key)


def stored(pk: int) -> list[tuple[float, float]]:
    rows = Coverage.objects.filter(instrument_id=pk, series="bars", timeframe=300).order_by("start_at")
    return steps([(epoch_ms(row.start_at), epoch_ms(row.end_at)) for row in rows])


@pytest.mark.django_db
def test_extend_merges_what_touches_and_keeps_holes() -> None:
    pk = make_instrument().pk
    extend(pk, (0, 2), (8, 9))
    extend(pk, (4, 5))
    assert stored(pk) == [(0, 2), (4, 5), (8, 9)]
    extend(pk, (2, 4))
    assert stored(pk) == [(0, 5), (8, 9)]
    extend(pk, (-1, 20))
    assert stored(pk) == [(-1, 20)]


@pytest.mark.django_db
def test_extend_does_not_write_what_is_known() -> None:
    pk = make_instrument().pk
    extend(pk, (0, 9))
    before = list(Coverage.objects.values_list("pk", flat=True))
    extend(pk, (2, 4))
    assert list(Coverage.objects.values_list("pk", flat=True)) == before
