"""What is known less well has a wider interval: by squares, never narrower, and never for the map's own beginning."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heatmaps.core.bands import OPEN_INTEREST_FACTORS, Banded, Factors
from heatmaps.core.doubts import AGE_HOURS, AGE_SPREADS, LAST_PRICE_SPREAD, STEP_LENGTHS, STEP_SPREADS, Doubt, Doubts
from heatmaps.core.flags import Flag
from heatmaps.core.sums import RECORD, SHARE, in_share
from heatmaps.core.tile import COMMITTED, NO_DATA, SPINE, TILE

FACTORS = Factors.of({"bands": OPEN_INTEREST_FACTORS})


def spine_of(count: int, *, gap: slice = slice(0, 0), last: slice = slice(0, 0), placed: float = 1.0) -> np.ndarray:  # type: ignore[type-arg]  # SPINE
    spine = np.zeros(count, SPINE)
    spine["status"], spine["open_interest"], spine["total"] = COMMITTED, 100.0, 100.0 * placed
    spine["status"][gap] = NO_DATA
    spine["flags"][last] = int(Flag.LAST_PRICE)
    return spine


def test_tables_start_at_no_doubt_and_rise() -> None:
    assert (STEP_LENGTHS[0], STEP_SPREADS[0], AGE_HOURS[0], AGE_SPREADS[0]) == (1.0, 0.0, 0.0, 0.0)
    for table in (STEP_LENGTHS, STEP_SPREADS, AGE_HOURS, AGE_SPREADS):
        assert list(table) == sorted(table)
    assert not Doubt().is_any
    assert Doubt().widen(FACTORS).low == pytest.approx(FACTORS.low)
    assert Doubt().widen(FACTORS).high == pytest.approx(FACTORS.high)


@given(
    st.builds(
        Doubt, slots=st.floats(1, 400), last_price=st.floats(0, 1), whole=st.floats(0, 1), age_hours=st.floats(0, 99)
    ),
    st.floats(1.0, 3.0),
)
def test_more_doubt_is_never_narrower(doubt: Doubt, times: float) -> None:
    more = Doubt(doubt.slots * times, doubt.last_price, doubt.whole / times, doubt.age_hours * times)
    narrow, wide = doubt.widen(FACTORS), more.widen(FACTORS)
    assert (wide.low <= narrow.low + 1e-12).all()
    assert (wide.high >= narrow.high - 1e-12).all()
    assert (narrow.low <= FACTORS.low + 1e-12).all()
    assert (narrow.high >= FACTORS.high - 1e-12).all()


def test_causes_add_in_squares_and_what_is_missing_moves_the_upper_end_alone() -> None:
    both = Doubt(last_price=1.0, age_hours=24.0)
    assert both.spread**2 == pytest.approx(LAST_PRICE_SPREAD**2 + AGE_SPREADS[AGE_HOURS.index(24.0)] ** 2)
    half = Doubt(whole=0.5).widen(FACTORS)
    assert half.low == pytest.approx(FACTORS.low)
    assert half.high == pytest.approx(2.0 * FACTORS.high)
    one = Doubt(whole=0.5).widen_one(Banded(10.0, 8.0, 15.0))
    assert (one.usd, one.low, one.high) == pytest.approx((10.0, 8.0, 30.0))
    assert Doubt(whole=0.5).widen_one(Banded(0.0, 0.0, 0.0)) == Banded(0.0, 0.0, 0.0)


def test_doubt_of_a_column_is_of_the_day_before_it() -> None:
    spine = spine_of(600, gap=slice(200, 344), last=slice(590, 600))
    found = Doubts.of(spine)
    assert (found[199].slots, found[343].slots, found[599].slots) == pytest.approx((1.0, 2.0, 288 / 256))
    assert found[500].slots == pytest.approx(288 / (288 - 131))
    assert found[599].last_price == pytest.approx(10 / 256)
    assert found[0] == Doubt()
    assert Doubts.of(spine_of(3, placed=0.6))[2].whole == pytest.approx(0.6)
    assert Doubts.of(spine_of(3, placed=0.6), present=np.array([1.0, 1.0, 0.5]))[2].whole == pytest.approx(0.3)


def test_columns_before_the_map_count_for_nothing() -> None:
    spine = np.zeros(300, SPINE)
    spine[290:] = spine_of(10)
    assert Doubts.of(spine)[299] == Doubt()


def test_a_missing_member_counts_with_what_it_had_last() -> None:
    record, shares = np.zeros(TILE, RECORD), np.full((TILE, 2), np.nan, SHARE)
    record["present"], record["expected"] = 0b11, 0b11
    record["present"][100:] = 0b01
    shares["open_interest"][:, 0], shares["open_interest"][:100, 1] = 300.0, 100.0
    found = in_share([(record, shares), (record, shares)])
    assert (found[99], found[100], found[TILE + 200]) == pytest.approx((1.0, 0.75, 0.75))
    record["expected"][200:] = 0b01
    assert in_share([(record, shares)])[250] == 1.0
