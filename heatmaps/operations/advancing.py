"""Bring all maps of an instrument up to date, by whichever rule makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from heatmaps.core.estimators import BUILT
from market.queries import find_instrument

from .building import Built, build
from .summing import sum_members

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

# Parts per job: it stays far below a minute.
PARTS_PER_JOB: Final = 24


def advance_all(*, instrument_ids: Sequence[int], now: dt.datetime) -> None:
    """Bring all heatmaps of some instruments up to their newest bars."""
    for instrument_id in instrument_ids:
        advance(instrument_id=instrument_id, now=now)


def advance(*, instrument_id: int, now: dt.datetime) -> tuple[Built, ...]:
    """Bring all heatmaps of an instrument up to its newest bars; long histories take several jobs."""
    if find_instrument(instrument_id=instrument_id).is_pair:
        return (sum_members(instrument_id=instrument_id, now=now, parts=PARTS_PER_JOB),)
    return tuple(build(instrument_id=instrument_id, estimator=slug, now=now, parts=PARTS_PER_JOB) for slug in BUILT)
