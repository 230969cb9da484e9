"""Work of the alerts that the pipeline asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alerts import operations

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from alerts.operations.telling import PlanNews


def look(*, instrument_id: int, now: dt.datetime) -> None:
    """Tell what began to hold of an instrument, and write to those who may be written to."""
    operations.look_and_write(instrument_id=instrument_id, now=now)


def look_for_outages(*, instrument_id: int, now: dt.datetime) -> None:
    """Tell where data stopped coming, and write to those who may be written to."""
    operations.look_and_write(instrument_id=instrument_id, now=now, for_outages=True)


def tell_of_plans(*, instrument_id: int, news: Sequence[PlanNews], now: dt.datetime) -> None:
    """Tell members what became of their plans."""
    operations.tell_of_plans(instrument_id=instrument_id, news=news, now=now)
