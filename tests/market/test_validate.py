from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market import series as s
from market.operations.reading import on_the_minute

NOW_MS = 1_768_478_400_000  # 2026-01-15 12:00 UTC
STEP = 300_000
NAN = float("nan")


def make_bars(*, count: int = 3) -> s.Records:
    rows = np.zeros(count, dtype=s.BAR)
    rows["open_time"] = NOW_MS - (count - np.arange(count)) * STEP
    for name, value in {"open": 10, "high": 12, "low": 9, "close": 11, "volume": 5, "quote_volume": 52}.items():
        rows[name] = value
    rows["taker_buy_volume"] = 2
    return rows


def test_validate_believes_good_bars() -> None:
    rows = make_bars()
    checked = s.validate(rows, now_ms=NOW_MS, timeframe=300)
    assert (checked.rows.tolist(), checked.index.tolist(), checked.rejected) == (rows.tolist(), [0, 1, 2], ())


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("open", NAN, "open is not a number"),
        ("high", np.inf, "high is not a number"),
        ("volume", NAN, "volume is not a number"),
        ("quote_volume", np.inf, "quote_volume is not a number"),
        ("low", 0.0, "low is zero or negative"),
        ("close", -1.0, "close is zero or negative"),
        ("low", 1e-320, "low is beyond belief"),
        ("high", 1e308, "high is beyond belief"),
        ("volume", -1.0, "volume is negative"),
        ("volume", 1e15, "volume is beyond belief"),
        ("quote_volume", -1.0, "quote_volume is negative"),
        ("taker_buy_volume", 6.0, "taker_buy_volume is more than volume"),
        ("quote_volume", 44.0, "quote_volume is not volume times a price between low and high"),
        ("quote_volume", 62.0, "quote_volume is not volume times a price between low and high"),
        ("high", 8.0, "high is below low"),
        ("open", 13.0, "open is outside of low to high"),
        ("close", 8.5, "close is outside of low to high"),
        ("open_time", NOW_MS - 2 * STEP + 1, "the time is not on the grid of its timeframe"),
        ("open_time", NOW_MS, "it ends in the future"),
        ("open_time", 1_768_478_400, "the time is before any market"),
    ],
)
def test_validate_rejects_what_a_bar_can_not_be(field: str, value: float, reason: str) -> None:
    rows = make_bars()
    rows[field][1] = value
    checked = s.validate(rows, now_ms=NOW_MS, timeframe=300)
    assert (checked.index.tolist(), checked.rejected) == ([0, 2], ((1, reason),))


def test_validate_leaves_units_to_the_person_who_looked() -> None:
    rows = make_bars()
    rows["quote_volume"][1] = 5
    assert s.validate(rows, now_ms=NOW_MS, timeframe=300, is_vouched=True).rejected == ()


def test_validate_takes_the_bar_that_closes_now() -> None:
    rows = make_bars(count=1)
    assert len(s.validate(rows, now_ms=NOW_MS, timeframe=300).rows) == 1
    assert len(s.validate(rows, now_ms=NOW_MS - 1, timeframe=300).rows) == 0


def test_validate_lets_optional_values_be_unreported() -> None:
    rows = make_bars()
    rows["quote_volume"] = rows["taker_buy_volume"] = NAN
    assert s.validate(rows, now_ms=NOW_MS, timeframe=300).rejected == ()


def test_validate_lets_only_mark_bars_go_without_volume() -> None:
    rows = make_bars(count=1)
    rows["volume"] = NAN
    assert s.validate(rows, now_ms=NOW_MS, timeframe=300, is_mark=True).rejected == ()
    assert s.validate(rows, now_ms=NOW_MS, timeframe=300).rejected == ((0, "volume is not a number"),)


def test_validate_drops_an_equal_repetition_and_rejects_another_value() -> None:
    rows = np.concatenate([make_bars(), make_bars()])
    rows["taker_buy_volume"] = NAN
    rows["close"][4] = 10.5
    checked = s.validate(rows, now_ms=NOW_MS, timeframe=300)
    assert checked.index.tolist() == [0, 1, 2]
    assert checked.rejected == ((4, "the same time came before with other values"),)


def test_validate_takes_rows_in_any_order() -> None:
    rows = make_bars()[::-1]
    assert s.validate(rows, now_ms=NOW_MS, timeframe=300).rows.tolist() == rows.tolist()


def test_validate_lets_a_bad_row_not_hide_the_good_one() -> None:
    rows = np.concatenate([make_bars(count=1), make_bars(count=1)])
    rows["close"][0] = NAN
    checked = s.validate(rows, now_ms=NOW_MS, timeframe=300)
    assert (checked.index.tolist(), checked.rejected) == ([1], ((0, "close is not a number"),))


def test_validate_needs_the_timeframe_of_bars() -> None:
    with pytest.raises(ValueError, match="timeframe"):
        s.validate(make_bars(), now_ms=NOW_MS)


def test_validate_compares_open_interest_value_with_its_mark_price() -> None:
    rows = np.array(
        [
            (NOW_MS - STEP, 100.0, 101.9 * 50, 50.0),
            (NOW_MS, 100.0, 102.1 * 50, 50.0),
            (NOW_MS + STEP, 100.0, NAN, NAN),
            (NOW_MS - 2 * STEP + 2, 100.0, NAN, NAN),
            (NOW_MS - 3 * STEP, -1.0, NAN, NAN),
        ],
        dtype=s.OPEN_INTEREST,
    )
    assert s.validate(rows, now_ms=NOW_MS).rejected == (
        (1, "open_interest_value is not open_interest times mark_price"),
        (2, "the time is in the future"),
        (3, "the time is not on the grid of its timeframe"),
        (4, "open_interest is negative"),
    )


def test_validate_checks_funding() -> None:
    rows = np.array([(NOW_MS, 1e-4, NAN), (NOW_MS - 60_000, 1.0, NAN), (NOW_MS - 120_000, NAN, NAN)], dtype=s.FUNDING)
    assert s.validate(rows, now_ms=NOW_MS).rejected == ((1, "rate is not a fraction"), (2, "rate is not a number"))


def test_validate_checks_liquidations_and_tells_equal_prints_apart() -> None:
    rows = np.array(
        [
            (NOW_MS - 1, 1, 50.0, 2.0, 0),
            (NOW_MS - 1, 1, 50.0, 2.0, 1),
            (NOW_MS - 1, 1, 50.0, 2.0, 1),
            (NOW_MS - 1, 0, 50.0, 2.0, 0),
            (NOW_MS - 1, -1, 50.0, 0.0, 0),
            (NOW_MS - 1, -1, 0.0, 2.0, 0),
        ],
        dtype=s.LIQUIDATION,
    )
    checked = s.validate(rows, now_ms=NOW_MS)
    assert checked.index.tolist() == [0, 1]
    assert checked.rejected == (
        (3, "position_side is neither long nor short"),
        (4, "quantity is zero"),
        (5, "price is zero or negative"),
    )


def test_validate_checks_liquidation_totals() -> None:
    rows = np.array([(NOW_MS - 3_600_000, 0.0, 5.0), (NOW_MS - 7_200_000, -1.0, 5.0)], dtype=s.LIQUIDATION_TOTAL)
    checked = s.validate(rows, now_ms=NOW_MS, timeframe=3600)
    assert (checked.index.tolist(), checked.rejected) == ([0], ((1, "long_usd is negative"),))


@given(st.lists(st.tuples(st.integers(1, 6), st.sampled_from([1e-4, 2e-4, NAN, 3.0])), max_size=12))
def test_validate_agrees_with_a_plain_loop(given_rows: list[tuple[int, float]]) -> None:
    rows = np.array([(NOW_MS - back * 60_000, rate, NAN) for back, rate in given_rows], dtype=s.FUNDING)
    kept, rejected, first = [], [], dict[int, float]()
    for index, (time, rate, _) in enumerate(rows.tolist()):
        if not abs(rate) < 1:
            rejected.append(index)
        elif time not in first:
            kept.append(index)
            first[time] = rate
        elif first[time] != rate:
            rejected.append(index)
    checked = s.validate(rows, now_ms=NOW_MS)
    assert (checked.index.tolist(), [index for index, _ in checked.rejected]) == (kept, rejected)


def test_samples_that_are_stamped_a_little_late_belong_to_their_minute() -> None:
    rows = np.array([(NOW_MS + 999, 1e-4, NAN), (NOW_MS + 1_001, 1e-4, NAN), (NOW_MS - 3, 1e-4, NAN)], dtype=s.FUNDING)
    settled = on_the_minute(rows, series="funding")
    assert (settled["time"] - NOW_MS).tolist() == [0, 1_001, 0]
    prints = np.array([(NOW_MS + 1, 1, 1.0, 1.0, 0)], dtype=s.LIQUIDATION)
    assert on_the_minute(prints, series="liquidations")["time"].tolist() == [NOW_MS + 1]
