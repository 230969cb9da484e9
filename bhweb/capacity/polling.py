"""One of the processes that ask the venues during a bench: the ingest of live jobs without their later stages."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final, NoReturn

from django.utils import timezone

from bhweb.pipeline import FEED_PATIENCE
from market.queries import freshness_of_all, list_fetched
from market.series import EPOCH
from market.tasks import ingest

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence

    from market.models import Instrument

logger = logging.getLogger(__name__)

_NAP_S: Final = 0.25


def follow(*, share: int, shares: int) -> NoReturn:
    """Bring every ``shares``-th instrument up to date each minute, for ever."""
    done_at = EPOCH
    while True:
        slot_at = timezone.now().replace(second=0, microsecond=0)
        if slot_at > done_at:
            for one in _as_they_get_ready(_mine(share, shares), slot_at):
                _ingest(one, slot_at)
            done_at = slot_at
        time.sleep(_NAP_S)


def _mine(share: int, shares: int) -> list[Instrument]:
    return [one for one in list_fetched(with_venues=True) if one.pk % shares == share]


def _as_they_get_ready(waiting: Sequence[Instrument], slot_at: dt.datetime) -> Iterator[Instrument]:
    """Yield whose bar the feed has brought, and after a while the others, as the pipeline does."""
    while waiting:
        now = timezone.now()
        fresh = freshness_of_all(instruments=waiting, now=now)
        is_late = now - slot_at >= FEED_PATIENCE
        ready = [one for one in waiting if is_late or (fresh[one.pk].as_of or EPOCH) >= slot_at]
        yield from ready
        chosen = {one.pk for one in ready}
        waiting = [one for one in waiting if one.pk not in chosen]
        if not ready:
            time.sleep(_NAP_S)


def _ingest(instrument: Instrument, slot_at: dt.datetime) -> None:
    try:
        ingest(instrument_id=instrument.pk, now=slot_at)
    except Exception as error:
        if not hasattr(error, "busy_s"):  # the next minute asks again
            logger.exception("%s could not be brought up to date", instrument.key)
