"""How much of a span is there: the pure judging against a slow twin, and what the ledger says."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.models import Coverage, Hole, Instrument
from market.queries.completeness import (
    Ledger,
    Missing,
    SeriesKey,
    completeness,
    count_pending,
    judge,
    load_ledgers,
    newest,
    stale_after,
)
from tests.factories import make_instrument

from .rows import after

if TYPE_CHECKING:
    from pytest_django import Settings

SPAN = (after(0), after(100))


def missing(*parts: tuple[int, int, str]) -> tuple[Missing, ...]:
    return tuple(Missing(after(start), after(end), state) for start, end, state in parts)


@pytest.mark.parametrize(
    ("present", "holes", "share", "expected"),
    [
        ([(0, 100)], [], 1.0, []),
        ([(-50, 500)], [], 1.0, []),
        ([], [], 0.0, [(0, 100, "unknown")]),
        ([], [(-9, 200, "lost")], 0.0, [(0, 100, "lost")]),
        ([(0, 40), (60, 100)], [(40, 60, "waiting")], 0.8, [(40, 60, "waiting")]),
        (
            [(60, 100), (0, 40)],
            [(45, 50, "absent")],
            0.8,
            [(40, 45, "unknown"), (45, 50, "absent"), (50, 60, "unknown")],
        ),
        # Two timeframes: what either has is present, what the other lacks is none of our business.
        ([(0, 70), (30, 100)], [(70, 100, "lost"), (0, 30, "absent")], 1.0, []),
        (
            [(20, 80)],
            [(80, 90, "lost"), (85, 100, "waiting")],
            0.6,
            [(0, 20, "unknown"), (80, 90, "lost"), (90, 100, "waiting")],
        ),
    ],
)
def test_what_is_missing_has_a_state(
    present: list[tuple[int, int]],
    holes: list[tuple[int, int, str]],
    share: float,
    expected: list[tuple[int, int, str]],
) -> None:
    found = judge(span=SPAN, present=[(after(a), after(b)) for a, b in present], holes=missing(*holes))
    assert found.share == pytest.approx(share)
    assert found.missing == missing(*expected)
    assert found.is_lost is any(state == "lost" for *_, state in expected)


minutes = st.integers(-20, 120)
stretch = st.tuples(minutes, minutes).map(sorted).filter(lambda pair: pair[0] < pair[1])


@given(
    st.lists(stretch, max_size=6),
    st.lists(st.tuples(stretch, st.sampled_from(["waiting", "absent", "lost"])), max_size=5),
)
def test_judging_agrees_with_a_count_minute_by_minute(
    present: list[list[int]], holes: list[tuple[list[int], str]]
) -> None:
    given_holes = sorted(missing(*((a, b, state) for (a, b), state in holes)), key=lambda hole: hole.start_at)
    found = judge(span=SPAN, present=[(after(a), after(b)) for a, b in present], holes=given_holes)
    have = {minute for minute in range(100) if any(a <= minute < b for a, b in present)}
    assert found.share == pytest.approx(len(have) / 100)
    told: dict[int, str] = {}
    for one in found.missing:
        first, last = (round((edge - SPAN[0]).total_seconds() / 60) for edge in (one.start_at, one.end_at))
        told |= dict.fromkeys(range(first, last), one.state)
    assert sorted({*told, *have}) == list(range(100))
    assert have.isdisjoint(told)
    for minute, state in told.items():
        covering = [hole.state for hole in given_holes if hole.start_at <= after(minute) < hole.end_at]
        assert state in covering or (state == "unknown" and not covering)


def test_a_span_runs_forward() -> None:
    with pytest.raises(ValueError, match="runs forward"):
        judge(span=(after(5), after(5)), present=[], holes=[])


@pytest.mark.parametrize(
    ("series", "timeframe", "seconds"),
    [
        ("bars", 60, 75),
        ("bars", 300, 315),
        ("open_interest", 300, 900),
        ("funding", 28_800, 32_400),
        ("liquidations", 0, 120),
    ],
)
def test_a_series_is_stale_when_its_next_row_is_overdue(series: str, timeframe: int, seconds: int) -> None:
    found = stale_after(series=series, timeframe=timeframe, as_of=after(0))
    assert found == after(0) + dt.timedelta(seconds=seconds)


def test_a_replay_that_runs_faster_is_given_as_much_wall_time(settings: Settings) -> None:
    # What was surely heard is 15 s of wall time old: a quarter of an hour of a market at sixty times the speed.
    settings.CLOCK_SPEED = 60.0
    assert stale_after(series="liquidations", timeframe=0, as_of=after(0)) == after(120)
    settings.CLOCK_SPEED = 0.5
    assert stale_after(series="liquidations", timeframe=0, as_of=after(0)) == after(2)


def cover(instrument: Instrument, series: str, timeframe: int, *stretches: tuple[int, int]) -> None:
    for start, end in stretches:
        Coverage.objects.create(
            instrument=instrument, series=series, timeframe=timeframe, start_at=after(start), end_at=after(end)
        )


def lack(instrument: Instrument, hole: Missing) -> None:
    values = {"start_at": hole.start_at, "end_at": hole.end_at, "state": hole.state, "reason": hole.reason}
    Hole.objects.create(instrument=instrument, series="bars", timeframe=60, **values)


@pytest.mark.django_db
def test_the_ledger_is_read_for_a_span() -> None:
    instrument, other = make_instrument(), make_instrument(symbol="ETHUSDT")
    cover(instrument, "bars", 60, (-90, -80), (-10, 40), (60, 99))
    hole = Missing(after(40), after(60), "absent", "asked 3 times")
    lack(instrument, hole)
    cover(instrument, "open_interest", 300, (5, 95))
    cover(other, "bars", 60, (0, 100))
    found = load_ledgers(instrument_ids=[instrument.pk], span=SPAN)
    assert found == {
        SeriesKey(instrument.pk, "bars", 60): Ledger(((after(-10), after(40)), (after(60), after(99))), (hole,)),
        # The first sample speaks for the five minutes before it.
        SeriesKey(instrument.pk, "open_interest", 300): Ledger(((after(0), after(95)),)),
    }
    judged = completeness(instrument=instrument, series="bars", span=SPAN)
    assert judged.share == pytest.approx(0.79)
    assert judged.missing == (hole, Missing(after(99), after(100), "unknown"))
    assert newest(instrument_ids=[instrument.pk, other.pk]) == {
        SeriesKey(instrument.pk, "bars", 60): after(99),
        SeriesKey(instrument.pk, "open_interest", 300): after(95),
        SeriesKey(other.pk, "bars", 60): after(100),
    }


@pytest.mark.parametrize(("now", "is_pending"), [(8, True), (9, True), (9.1, False), (5, False)])
def test_the_next_row_of_a_current_series_is_not_missing(now: float, is_pending: bool) -> None:
    ledger = Ledger(((after(0), after(5)),))
    counted = count_pending(ledger, as_of=after(5), due=after(9), now=after(now))
    expected = (*ledger.present, (after(5), after(now))) if is_pending else ledger.present
    assert counted == Ledger(expected)
    assert count_pending(ledger, as_of=after(5), due=None, now=after(now)) == ledger


@pytest.mark.django_db
def test_bars_count_as_present_in_any_timeframe_that_divides_the_one_asked_for() -> None:
    instrument = make_instrument()
    cover(instrument, "bars", 60, (0, 50))
    cover(instrument, "bars", 300, (50, 100))
    assert [
        completeness(instrument=instrument, series="bars", span=SPAN, timeframe=timeframe).share
        for timeframe in (60, 300, 900)
    ] == [0.5, 1.0, 1.0]
