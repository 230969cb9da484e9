"""Rows for spreadsheets. No cell of a file that leaves the product is a formula, in whatever room it is written."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# The wide twins are what some programs make of the narrow ones while they open a file.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\x00", "＝", "＋", "－", "＠")  # noqa: RUF001  # meant as they are
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def safe(cell: object) -> object:
    """Return a cell that no spreadsheet runs: text that begins like a formula gets an apostrophe, numbers stay.

    Spaces before it do not hide a formula; a plain number that is written as text stays one; None is empty.
    """
    if cell is None:
        return ""
    if not isinstance(cell, str) or _NUMBER.fullmatch(cell):
        return cell
    text = cell.replace("\x00", "")
    return f"'{text}" if cell.lstrip(" ").startswith(_FORMULA) else text


def lines(rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """Write rows line by line as CSV, each cell safe."""
    for row in rows:
        stream = io.StringIO()
        csv.writer(stream).writerow([safe(cell) for cell in row])
        yield stream.getvalue()
