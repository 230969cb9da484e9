"""The driver's own cursor, for what is large and binary: Django's writes every value into its statement as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Sequence


def binary_cursor() -> psycopg.Cursor[Sequence[Any]]:
    """A cursor on Django's connection, in its transaction, that sends values beside the statement and asks for bytes.

    Close it (``with``); the errors that it raises are the driver's.
    """
    connection.ensure_connection()
    cursor: psycopg.Cursor[Sequence[Any]] = psycopg.Cursor(connection.connection)
    cursor.format = psycopg.pq.Format.BINARY
    return cursor
