"""Bring all maps of an instrument up to date, by whichever rule makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from heatmaps.core.estimators import BUILT, load_built
from market.queries import find_instruments, load_terms_of_all, stored_spans

from .building import Builder, Built, build_parts
from .summing import sum_members

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

# Parts per job: it stays far below a minute.
PARTS_PER_JOB: Final = 24


def advance_all(*, instrument_ids: Sequence[int], now: dt.datetime) -> tuple[Built, ...]:
    """Bring all heatmaps of some instruments up to their newest bars; long histories take several jobs."""
    found = find_instruments(instrument_ids=instrument_ids)
    single = [pk for pk, one in found.items() if not one.is_pair]
    built = _build_all(single, now)
    pairs = sorted(set(found) - set(single))
    return built + tuple(sum_members(instrument_id=pk, now=now, parts=PARTS_PER_JOB) for pk in pairs)


def advance(*, instrument_id: int, now: dt.datetime) -> tuple[Built, ...]:
    """Bring all heatmaps of an instrument up to its newest bars."""
    return advance_all(instrument_ids=[instrument_id], now=now)


def _build_all(instrument_ids: Sequence[int], now: dt.datetime) -> tuple[Built, ...]:
    """The maps of some instruments by every estimator, in the order of the instruments' ids.

    The first part of all is one transaction: where one fails, none is written.
    """
    builders = _builders(sorted(instrument_ids), now)
    build_parts(builders)
    for builder in builders:
        while not builder.is_complete and builder.parts < PARTS_PER_JOB:
            build_parts([builder])
    return tuple(builder.result() for builder in builders)


def _builders(instrument_ids: Sequence[int], now: dt.datetime) -> list[Builder]:
    spans = stored_spans(instrument_ids=instrument_ids)
    instruments = find_instruments(instrument_ids=list(spans))
    terms = load_terms_of_all(instruments=list(instruments.values()))
    return [
        Builder(instruments[pk], load_built(slug, terms=terms[pk]), spans[pk][0], min(now, spans[pk][1]), now)
        for pk in instrument_ids
        if pk in instruments
        for slug in BUILT
    ]
