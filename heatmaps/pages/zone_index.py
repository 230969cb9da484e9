"""All zones in one table: where, how much with its doubt, how likely price comes there, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from django.core.paginator import Paginator

from heatmaps import queries
from heatmaps.pages import figures, naming, touches, zones
from market import queries as market

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from heatmaps.models import Heatmap, Zone
    from heatmaps.queries import ZoneChoice

PER_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class Row:
    """One zone of one instrument, ready to print; ``chance_reason`` says why there is no chance."""

    zone: zones.ZoneRow
    key: str
    title: str
    venue: str
    is_pair: bool
    is_simulated: bool
    chance_text: str
    chance_reason: str
    cause_text: str
    ended_text: str
    life_text: str


@dataclass(frozen=True, slots=True)
class ZoneIndex:
    """A page of zones, and the way to the others."""

    rows: tuple[Row, ...]
    horizon_text: str
    previous_query: str
    next_query: str
    page_text: str


def load(*, choice: ZoneChoice, query: Mapping[str, str], page: int, now: dt.datetime) -> ZoneIndex:
    """Read a page. ``query``: what the address said, for the links; raises EmptyPage beyond the last."""
    chosen, maps = queries.choose_zones(choice=choice)
    part = Paginator(chosen, PER_PAGE).page(page)
    found = list(part.object_list)
    lasts = _lasts({maps[zone.heatmap_id] for zone in found}, now)
    kept = {name: text for name, text in query.items() if text and name != "page"}
    return ZoneIndex(
        rows=tuple(_row(zone, maps[zone.heatmap_id], lasts, now) for zone in found),
        horizon_text=touches.WORDS[choice.horizon],
        previous_query=urlencode({**kept, "page": page - 1}) if part.has_previous() else "",
        next_query=urlencode({**kept, "page": page + 1}) if part.has_next() else "",
        page_text=f"{part.start_index()}{figures.EN_DASH}{part.end_index()} of {part.paginator.count:,}",
    )


def _lasts(maps: set[Heatmap], now: dt.datetime) -> dict[int, float | None]:
    """The last price of each instrument on the page."""
    fresh = market.freshness_of_all(instruments=[one.instrument for one in maps], now=now)
    moments = {pk: one.as_of for pk, one in fresh.items() if one.as_of is not None}
    return {pk: day.close for pk, day in market.last_days(moments=moments).items()}


def _row(zone: Zone, heatmap: Heatmap, lasts: Mapping[int, float | None], now: dt.datetime) -> Row:
    instrument = heatmap.instrument
    last = lasts.get(instrument.pk) if zone.is_alive else None
    chance: float | None = zone.chance if zone.is_alive else None  # type: ignore[attr-defined]  # an annotation
    until = zone.ended_at or min(now, heatmap.zones_through or now)
    return Row(
        zone=zones.row(zone=zone, last=last, digits=figures.decimals(instrument.tick_size)),
        key=instrument.key,
        title=f"{instrument.base}-{instrument.quote}",
        venue=naming.venue_label(instrument),
        is_pair=instrument.is_pair,
        is_simulated=instrument.is_simulated,
        chance_text=touches.percent(chance),
        chance_reason="" if chance is not None or not zone.is_alive else _why_no_chance(zone, last),
        cause_text=zone.get_cause_display() if zone.cause else "",
        ended_text=figures.moment(zone.ended_at),
        life_text=figures.age(until - zone.born_at),
    )


def _why_no_chance(zone: Zone, last: float | None) -> str:
    is_inside = last is not None and queries.near_edge(zone, last) is None
    return touches.INSIDE if is_inside else "not stated"
