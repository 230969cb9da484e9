"""What the composition root asks of access."""

from __future__ import annotations

from typing import TYPE_CHECKING

from access import operations

if TYPE_CHECKING:
    import datetime as dt


def make_operator_link(*, now: dt.datetime) -> str:
    """Return the path of a fresh one-time login for the local operator."""
    return operations.make_operator_link(now=now)
