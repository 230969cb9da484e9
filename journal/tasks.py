"""Work of the journal that the pipeline asks for; each is one call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journal import operations

if TYPE_CHECKING:
    import datetime as dt


def settle(*, instrument_id: int, now: dt.datetime) -> None:
    """Judge the armed plans of an instrument."""
    operations.settle(instrument_id=instrument_id, now=now)
