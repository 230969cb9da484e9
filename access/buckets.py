"""Buckets that leak, kept in PostgreSQL, so that all processes share them and no flush of a cache fills them again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from django.db import connection

if TYPE_CHECKING:
    import datetime as dt

Table: TypeAlias = Literal["access_allowance", "access_loginallowance"]
_TAKE: Final = """
INSERT INTO {table} AS held (digest, tokens, updated_at) VALUES (%(digest)s, %(most)s - 1, %(now)s)
ON CONFLICT (digest) DO UPDATE SET
    updated_at = %(now)s,
    tokens = LEAST(%(most)s, held.tokens + EXTRACT(EPOCH FROM %(now)s - held.updated_at) / %(seconds)s) - 1
WHERE LEAST(%(most)s, held.tokens + EXTRACT(EPOCH FROM %(now)s - held.updated_at) / %(seconds)s) >= 1
RETURNING tokens
"""


def take(table: Table, digest: str, *, most: float, seconds: float, now: dt.datetime) -> bool:
    """Take one out of a bucket of ``most`` that gains one in so many seconds; False where it is empty.

    Concurrent takers wait for each other on its row.
    """
    values: dict[str, str | float | dt.datetime] = {
        "digest": digest,
        "most": float(most),
        "seconds": float(seconds),
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_TAKE.format(table=table), values)
        return cursor.fetchone() is not None
