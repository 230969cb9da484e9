"""Strict reading: what Python would take for a number is not what a venue meant."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.series import ACCOUNT_RATIO
from market.sources import strict
from market.sources.base import SourceError
from market.sources.strict import Row, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
READERS: dict[str, Callable[[Row, str], Any]] = {
    "decimal": Row.decimal,
    "amount": Row.amount,
    "time": Row.time,
    "whole": Row.whole,
    "text": Row.text,
    "flag": Row.flag,
    "row": Row.row,
    "rows": Row.rows,
}


@given(st.decimals(min_value=-(10**17), max_value=10**17, places=8, allow_nan=False).filter(bool))
def test_decimal_reads_what_it_says(number: object) -> None:
    assert Row({"p": f"{number:f}"}).decimal("p") == float(f"{number:f}")


@pytest.mark.parametrize(
    "value",
    [
        "1_000", "\uff11\uff12", "\u0661\u0662", "\u00b2", "NaN", "nan", "inf", "-inf", "Infinity", "1e308", "1E5",
        "1e-320", "-0.0", "-0", "", " ", " 1", "1 ", "1\n", "+1", "1.", ".5", "0x10", "1,5", "--1", "1.2.3", "\u22121",
        "1\u00a0000", "1" * 30, "1." + "3" * 30, "1" * 19, None, True, False, 1, 1.5, [], ["1"], {}, {"p": "1"},
    ],
)  # fmt: skip
def test_decimal_refuses_everything_else(value: object) -> None:
    with pytest.raises(UnreadableError, match=r"^p is not a decimal number in quotes but "):
        Row({"p": value}).decimal("p")


@pytest.mark.parametrize(("text", "number"), [("0", 0.0), ("0.000", 0.0), ("-1.5", -1.5), ("0012", 12.0)])
def test_decimal_takes_zero_and_less(text: str, number: float) -> None:
    found = Row({"p": text}).decimal("p")
    assert (found, math.copysign(1, found)) == (number, math.copysign(1, number))


@pytest.mark.parametrize("value", [1e308, math.nan, math.inf, -math.inf, -0.0, 1e-320, 10**30, True, "1", None, []])
def test_amount_refuses_what_can_not_be_meant(value: object) -> None:
    with pytest.raises(UnreadableError, match=r"^p is not a number"):
        Row({"p": value}).amount("p")


@pytest.mark.parametrize(("value", "number"), [(0, 0.0), (0.0, 0.0), (3, 3.0), (-1.5, -1.5)])
def test_amount_reads_json_numbers(value: float, number: float) -> None:
    assert Row({"p": value}).amount("p") == number


@pytest.mark.parametrize("value", [1_765_411_200_000, "1765411200000"])
def test_time_reads_ms_and_their_digits(value: object) -> None:
    assert Row({"t": value}).time("t") == 1_765_411_200_000


@pytest.mark.parametrize(
    "value", [True, None, 1.5e12, "1.5", "-1", -1, 10**14, "\uff11", "1_000", "", "1" * 16, [], "2025-12-11T00:00:00Z"]
)
def test_time_refuses_everything_else(value: object) -> None:
    with pytest.raises(UnreadableError, match=r"^t is not a time in ms but "):
        Row({"t": value}).time("t")


@pytest.mark.parametrize("reader", READERS)
def test_missing_field_is_named(reader: str) -> None:
    with pytest.raises(UnreadableError, match=r"^volume is missing$"):
        READERS[reader](Row({"volum": "1"}), "volume")


@pytest.mark.parametrize("reader", READERS)
@given(value=JSON)
def test_reading_returns_its_type_or_refuses(reader: str, value: object) -> None:
    refused, found = "", None
    try:
        found = READERS[reader](Row({"x": value}), "x")
    except UnreadableError as error:
        refused = str(error)
    if refused:
        assert (refused[0], len(refused) < 200) == ("x", True)
    else:
        types = {"decimal": float, "amount": float, "time": int, "whole": int, "text": str, "flag": bool, "row": Row}
        assert type(found) is types.get(reader, list)
        assert not isinstance(found, float) or math.isfinite(found)


def test_places_of_a_list_have_names_and_more_of_them_are_let_through() -> None:
    row = Row([5, "1.5", "new"], ("time", "price"))
    assert (row.time("time"), row.decimal("price")) == (5, 1.5)
    short = Row([5], ("time", "price"))
    with pytest.raises(UnreadableError, match=r"^price is missing$"):
        short.decimal("price")


@pytest.mark.parametrize(
    ("raw", "names", "said"),
    [
        ({"a": 1}, ("a",), "not a list but an object"),
        ([1], (), "not an object but a list"),
        (None, (), "not an object but null"),
        ("x", ("a",), "not a list but a text"),
    ],
)
def test_row_of_another_shape_is_refused(raw: object, names: tuple[str, ...], said: str) -> None:
    with pytest.raises(UnreadableError, match=f"^{said}$"):
        Row(raw, names)


def test_answer_about_somebody_else_is_refused() -> None:
    Row({"s": "BTCUSDT"}).only("s", "BTCUSDT")
    with pytest.raises(UnreadableError, match=r"^s is not 'BTCUSDT' but 'ETHUSDT'$"):
        Row({"s": "ETHUSDT"}).only("s", "BTCUSDT")


def ratio(raw: object) -> tuple[float, ...] | None:
    row = Row(raw)
    return None if "skip" in row.fields else (row.time("t"), row.decimal("r"))


def test_records_ascend_and_keep_what_can_not_be_read_as_faults() -> None:
    raws = [{"t": 3, "r": "1"}, {"t": 1, "r": "2"}, {"t": 2, "r": 2}, {"skip": 1}, "x", {"t": 3, "r": "4"}]
    rows, faults = strict.records(raws, ACCOUNT_RATIO, ratio)
    assert rows.tolist() == [(1, 2.0), (3, 1.0), (3, 4.0)]
    assert [(fault.raw, fault.reason) for fault in faults] == [
        ('{"t": 2, "r": 2}', "r is not a decimal number in quotes but 2"),
        ("x", "not an object but a text"),
    ]
    nothing, none = strict.records([], ACCOUNT_RATIO, ratio)
    assert (nothing.dtype, len(nothing), none) == (ACCOUNT_RATIO, 0, ())


def test_fault_keeps_a_thousand_letters() -> None:
    assert len(strict.fault_of("x" * 5000, "why").raw) == 1000
    (fault,) = strict.part_of({"t": 1, "r": "9" * 5000}, ACCOUNT_RATIO, ratio).faults
    assert (len(fault.raw), len(fault.reason) < 120) == (1000, True)


@given(JSON)
def test_any_rubbish_is_rows_and_faults_and_no_exception(raw: object) -> None:
    rows, faults = strict.records([raw], ACCOUNT_RATIO, ratio)
    assert len(rows) + len(faults) <= 1


def test_whole_answer_of_another_shape_is_an_error() -> None:
    answers: list[object] = [{}, None, "x", 5]
    for answer in answers:
        with pytest.raises(SourceError, match="klines came as") as caught:
            strict.rows_of(answer, "klines")
        assert (caught.value.permanent, caught.value.is_outage) == (False, False)
    with pytest.raises(SourceError, match="book: not an object but a list"):
        strict.row_of([], "book")


@pytest.mark.parametrize(
    "text", ["", "<html>", '{"a":', "NaN", '{"a": NaN}', "[Infinity]", "[" * 100_000, "9" * 10_000, "\ud800", b"\xff{}"]
)
def test_what_is_no_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 whatever the reason
        strict.parse(text)


@given(JSON.filter(lambda value: "NaN" not in json.dumps(value) and "Infinity" not in json.dumps(value)))
def test_json_is_read_as_it_is(value: object) -> None:
    assert strict.parse(json.dumps(value)) == value


def test_records_of_many_fields_are_typed() -> None:
    rows, _ = strict.records([{"t": 1, "r": "2"}], ACCOUNT_RATIO, ratio)
    assert [rows[name].dtype for name in rows.dtype.names or ()] == [np.dtype("<i8"), np.dtype("<f8")]
