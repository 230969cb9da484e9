"""The journal knows what becomes of plans, the alerts how members are told: the word goes from one to the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alerts.tasks import tell_of_plans
from journal.tasks import settle as settle_plans

if TYPE_CHECKING:
    import datetime as dt


def settle(*, instrument_id: int, now: dt.datetime) -> None:
    """Judge the armed plans of an instrument and tell their owners what is new."""
    if news := settle_plans(instrument_id=instrument_id, now=now):
        tell_of_plans(instrument_id=instrument_id, news=news, now=now)
