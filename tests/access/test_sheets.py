"""The one guard of cells that spreadsheets could run."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest

from access import sheets


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("@x", "'@x"),
        ("-2+3", "'-2+3"),
        ("-cmd|' /C calc'!A0", "'-cmd|' /C calc'!A0"),
        ("\tx", "'\tx"),
        ("\n=x", "'\n=x"),
        ("  =x", "'  =x"),
        ("\x00=x", "'=x"),
        ("＝x", "'＝x"),  # noqa: RUF001  # the wide twin
        ("-5", "-5"),
        ("-0.50", "-0.50"),
        (-5, -5),
        (Decimal("-1.5"), Decimal("-1.5")),
        ("a=1", "a=1"),
        (None, ""),
    ],
)
def test_no_cell_is_a_formula(cell: object, safe: object) -> None:
    assert sheets.safe(cell) == safe


def test_rows_are_read_back_as_they_were() -> None:
    rows = [["a", "b"], ['say "x", then', "two\nlines"], ["ü", ""]]
    assert list(csv.reader(io.StringIO("".join(sheets.lines(rows)), newline=""))) == rows
