"""A trader's own executions from the files that venues hand out: pure, every row accounted for, nothing guessed.

``tables`` turns bytes into rows, ``layouts`` knows the venues' columns, ``cells`` what one cell says, ``reading`` puts
them together.
"""

from .cells import Style
from .layouts import FIELDS, LAYOUTS, NEEDED, Layout, mapped
from .reading import find_layout, find_order, find_style, read_rows
from .tables import MOST_BYTES, MOST_ROWS, Table, read_table
from .terms import BUY, SELL, ClosedTrade, FileRefusedError, Fill, Reading, Refused, RowRefusedError

__all__ = [
    "BUY",
    "FIELDS",
    "LAYOUTS",
    "MOST_BYTES",
    "MOST_ROWS",
    "NEEDED",
    "SELL",
    "ClosedTrade",
    "FileRefusedError",
    "Fill",
    "Layout",
    "Reading",
    "Refused",
    "RowRefusedError",
    "Style",
    "Table",
    "find_layout",
    "find_order",
    "find_style",
    "mapped",
    "read_rows",
    "read_table",
]
