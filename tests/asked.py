"""Counting what is asked of the database, by whichever cursor: Django's own count does not see the driver's."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any
from unittest import mock

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def statements() -> Iterator[list[str]]:
    """Give the statements that are executed meanwhile, but those that only open and close transactions."""
    asked: list[str] = []
    execute = psycopg.Cursor.execute

    def remember(self: psycopg.Cursor[Any], query: Any, *args: Any, **named: Any) -> Any:  # noqa: ANN401  # any call of it
        asked.append(query.decode() if isinstance(query, bytes) else str(query))
        return execute(self, query, *args, **named)

    with mock.patch.object(psycopg.Cursor, "execute", remember):
        yield asked
