"""A table as fills and closed trades, with what is unsure asked for instead of guessed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .cells import Style
from .layouts import LAYOUTS, Layout, Naming, PassedOverError
from .terms import FileRefusedError, Fill, Reading, Refused, RowRefusedError

if TYPE_CHECKING:
    import datetime as dt

    from .tables import Table
    from .terms import ClosedTrade

SLASHED = re.compile(r"\s*(\d{1,2})[/.](\d{1,2})[/.]\d{4}")
NUMBERED = re.compile(r"[+-]?[\d.,]*\d[.,]\d+")


def find_layout(table: Table) -> Layout | None:
    """Return the venue's layout that a header shows; None for a file whose columns have to be named."""
    named = set(table.header)
    return next((layout for layout in LAYOUTS if layout.columns <= named), None)


def find_order(table: Table) -> str | None:
    """Return what comes first in the file's dates: y, d or m; None where days and months cannot be told apart."""
    firsts, seconds = [0], [0]
    for _, cells in table.rows():
        for cell in cells:
            if found := SLASHED.match(cell):
                firsts.append(int(found[1]))
                seconds.append(int(found[2]))
    if len(firsts) == 1:
        return "y"
    if max(firsts) > 12:  # noqa: PLR2004 # months end there
        return "d"
    return "m" if max(seconds) > 12 else None  # noqa: PLR2004


def find_style(
    table: Table, layout: Layout, *, zone: dt.tzinfo | None = None, order: str | None = None, comma: bool | None = None
) -> Style:
    """Return how the file writes times and numbers; what the user said goes before what the file shows.

    Raises FileRefusedError where neither tells: a zone, the order of day and month, or the decimal mark.
    """
    zone = layout.zone(table.above, table.header) or zone
    if zone is None:
        raise FileRefusedError("The file does not say its time zone: choose the one that it was exported in.")
    order = layout.order or find_order(table) or order
    if order is None:
        raise FileRefusedError("Days and months cannot be told apart in this file: say which comes first.")
    if comma is None:
        comma = table.delimiter != "," and _has_decimal_commas(table)
    return Style(zone=zone, order=order, comma=comma)


def _has_decimal_commas(table: Table) -> bool:
    """Tell whether numbers have decimal commas. Raises FileRefusedError where 1,234 may be either."""
    unsure = False
    for _, cells in table.rows():
        for cell in cells:
            text = cell.strip().split(" ")[0]
            if not NUMBERED.fullmatch(text) or "," not in text:
                continue
            if "." in text:
                return text.rindex(",") > text.rindex(".")
            if text.count(",") == 1 and not re.fullmatch(r"[+-]?\d{1,3},\d{3}", text):
                return True
            unsure = True
    if unsure:
        raise FileRefusedError("1,234 may be a thousand or a fraction in this file: say what its decimal mark is.")
    return False


def read_rows(table: Table, layout: Layout, style: Style, *, now: dt.datetime) -> Reading:
    """Return every row of a table as a fill, a closed trade, a refusal, or a count of what is no trade."""
    reading, naming = Reading(layout=layout.slug), Naming()
    for line, cells in table.rows():
        row = dict(zip(table.header, (cell.strip() for cell in cells), strict=False))
        try:
            _require_width(len(cells), len(table.header))
            _keep(reading, layout.read(line, row, style, naming), now)
        except PassedOverError as error:
            reading.passed_over[str(error)] = reading.passed_over.get(str(error), 0) + 1
        except RowRefusedError as error:
            reading.refused.append(Refused(line, str(error), row))
    return reading


def _require_width(cells: int, columns: int) -> None:
    if cells != columns:
        raise RowRefusedError(f"The line has {cells} cells, the header {columns}.")


def _keep(reading: Reading, one: Fill | ClosedTrade, now: dt.datetime) -> None:
    if (one.at if isinstance(one, Fill) else one.closed_at) > now:
        raise RowRefusedError("The trade lies in the future: is the time zone right?")
    if isinstance(one, Fill):
        reading.fills.append(one)
    else:
        reading.closed.append(one)
