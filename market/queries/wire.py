"""Numpy records in PostgreSQL's binary formats: COPY on the way in, one array a column on the way out.

Nothing in them is ever NULL, so that all is of fixed width. COPY (https://www.postgresql.org/docs/current/sql-copy.html,
binary format): each row is a field count and, for each field, its length and its bytes in network order. A timestamp
is the number of microseconds since 2000-01-01. Rows are not read by COPY, because the driver hands them over one by
one: a column in one piece costs a quarter of that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from market.series import Records

SIGNATURE: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER: Final = b"\xff\xff"
POSTGRES_EPOCH_MS: Final = 946_684_800_000
TIME_FIELDS: Final = frozenset({"time", "open_time"})
_HEAD: Final = np.dtype([(name, ">i4") for name in ("dimensions", "has_nulls", "type", "count", "lower_bound")])


def _wire_dtype(dtype: np.dtype[np.void], fields: Sequence[str]) -> np.dtype[np.void]:
    columns: list[tuple[str, str]] = [("field_count", ">i2")]
    for field in fields:
        columns += [(f"{field}_length", ">i4"), (field, ">" + dtype[field].str[1:])]
    return np.dtype(columns)


def encode(rows: Records, fields: Sequence[str]) -> bytes:
    """Write records as a complete binary COPY stream; times [ms] become timestamps, NaN stays NaN.

    rows: any record array that has ``fields``; int64 and float64 fields only.
    """
    wire = np.empty(len(rows), dtype=_wire_dtype(rows.dtype, fields))
    wire["field_count"] = len(fields)
    for field in fields:
        wire[f"{field}_length"] = 8
        wire[field] = (rows[field] - POSTGRES_EPOCH_MS) * 1000 if field in TIME_FIELDS else rows[field]
    return SIGNATURE + wire.tobytes() + TRAILER


def from_arrays(columns: Sequence[bytes | list[object] | None], dtype: np.dtype[np.void]) -> Records:
    """Records from one binary array for each field of ``dtype``, in its order; all None where there are no rows.

    A field of objects takes a list that the driver has read already.

    A binary array is a head (dimensions, whether it holds NULLs, type, length, lower bound) and then, for each
    element, its length and its bytes in network order (``array_send`` of PostgreSQL's utils/adt/arrayfuncs.c).
    Raises ValueError where one is not of NOT NULL elements of 8 bytes, as many as the others have.
    """
    fields = dtype.names or ()
    counts = {0 if column is None else _length(column) for column in columns}
    if len(columns) != len(fields) or len(counts) != 1:
        raise ValueError(f"{len(columns)} arrays of {sorted(counts)} elements are no records of {len(fields)} fields")
    rows = np.empty(counts.pop(), dtype=dtype)
    for field, column in zip(fields, columns, strict=True):
        if isinstance(column, list):
            rows[field] = column
        elif column is not None:
            element = np.dtype([("length", ">i4"), ("value", ">" + dtype[field].str[1:])])
            values = np.frombuffer(column, element, offset=_HEAD.itemsize)["value"]
            rows[field] = values // 1000 + POSTGRES_EPOCH_MS if field in TIME_FIELDS else values
    return rows


def _length(column: bytes | list[object]) -> int:
    if isinstance(column, list):
        return len(column)
    head = np.frombuffer(column, _HEAD, count=1)[0]
    count = int(head["count"])
    if head["dimensions"] != 1 or head["has_nulls"] or len(column) != _HEAD.itemsize + 12 * count:
        raise ValueError(
            f"an array of {len(column)} bytes does not hold {count} elements of 8 bytes, none of them NULL"
        )
    return count
