"""PostgreSQL's binary COPY format as numpy records: rows of fixed width, because nothing in them is ever NULL.

Format: https://www.postgresql.org/docs/current/sql-copy.html (binary format). Each row is a field count and, for
each field, its length and its bytes in network order. A timestamp is the number of microseconds since 2000-01-01.
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


def decode(stream: bytes | bytearray, dtype: np.dtype[np.void], fields: Sequence[str]) -> Records:
    """Read a complete binary COPY stream of NOT NULL int8, float8 and timestamptz columns into records.

    ``fields`` names the stream's columns in order; fields of ``dtype`` that it lacks are NaN (floats) or 0.
    Raises ValueError when the stream isn't of that shape.
    """
    wire_dtype = _wire_dtype(dtype, fields)
    body = memoryview(stream)[len(SIGNATURE) : -len(TRAILER)]
    if len(body) % wire_dtype.itemsize:
        raise ValueError(f"a binary COPY of {len(body)} bytes does not hold rows of {wire_dtype.itemsize} bytes")
    wire = np.frombuffer(body, dtype=wire_dtype)
    if len(wire) and not (wire["field_count"] == len(fields)).all():
        raise ValueError("a binary COPY row has another number of fields")
    rows = np.empty(len(wire), dtype=dtype)
    for field in dtype.names or ():
        if field in TIME_FIELDS:
            rows[field] = wire[field] // 1000 + POSTGRES_EPOCH_MS
        elif field in fields:
            rows[field] = wire[field]
        else:
            rows[field] = np.nan if dtype[field].kind == "f" else 0
    return rows
