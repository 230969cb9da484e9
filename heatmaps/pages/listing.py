"""All instruments in one table: what is known about each, how old it is, and what is missing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heatmaps import queries
from heatmaps.models import ALIVE, Zone
from heatmaps.pages import figures, naming, outages, state, zones
from market import queries as market

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from heatmaps.models import Heatmap
    from market.models import Instrument
    from market.queries import Day, Freshness, VenueHealth


@dataclass(frozen=True, slots=True)
class InstrumentRow:
    """One instrument, ready to print."""

    instrument: Instrument
    title: str
    venue: str
    status: state.Status
    last_text: str
    change_text: str
    interest_text: str
    above: zones.ZoneRow | None
    below: zones.ZoneRow | None
    reason: str
    # Why there is nothing, or nothing newer.
    note: str


@dataclass(frozen=True, slots=True)
class Listing:
    """All rows, and what is wrong with venues that some of them wait for."""

    rows: list[InstrumentRow]
    outages: list[str]


def instruments(*, now: dt.datetime) -> Listing:
    """Return what has data, pairs first, then what waits for its first bars; by as many statements for all."""
    found = market.list_followed()
    health = {slug: one for slug, one in market.venue_health(now=now).items() if one.is_away}
    waiting = sorted({instrument.venue for instrument in found if instrument.is_fetched} & set(health))
    fresh = market.freshness_of_all(instruments=found, now=now)
    moments = {pk: freshness.as_of for pk, freshness in fresh.items() if freshness.as_of is not None}
    days = market.last_days(moments=moments)
    maps = queries.get_heatmaps(instrument_ids=[instrument.pk for instrument in found])
    active = _active_zones([heatmap.pk for heatmap in maps.values()])
    rows = [
        _row(
            instrument=instrument,
            freshness=fresh[instrument.pk],
            day=days.get(instrument.pk),
            zones_=active[maps[instrument.pk].pk] if _is_built(maps.get(instrument.pk)) else None,
            outage=health.get(instrument.venue) if instrument.is_fetched else None,
            now=now,
        )
        for instrument in sorted(found, key=lambda one: (one.pk not in moments, not one.is_pair))
    ]
    return Listing(rows, [f"{market.venue_name(slug)} {outages.say(health[slug])}" for slug in waiting])


def _note(freshness: Freshness, outage: VenueHealth | None) -> str:
    if outage is not None and (freshness.as_of is None or freshness.is_stale):
        return f"venue {outages.say(outage)}"
    return "the first bars have not arrived" if freshness.as_of is None and freshness.is_live else ""


def _is_built(heatmap: Heatmap | None) -> bool:
    return heatmap is not None and heatmap.built_through is not None


def _active_zones(heatmap_ids: Sequence[int]) -> defaultdict[int, list[Zone]]:
    grouped: defaultdict[int, list[Zone]] = defaultdict(list)
    for zone in Zone.objects.filter(heatmap_id__in=heatmap_ids, state__in=ALIVE).order_by("pk"):
        grouped[zone.heatmap_id].append(zone)
    return grouped


def _row(  # noqa: PLR0913  # what was read for all at once
    *,
    instrument: Instrument,
    freshness: Freshness,
    day: Day | None,
    zones_: list[Zone] | None,
    outage: VenueHealth | None,
    now: dt.datetime,
) -> InstrumentRow:
    digits = figures.decimals(instrument.tick_size)
    last = day.close if day else None
    near = zones.clusters(zones=zones_, last=last, digits=digits)
    return InstrumentRow(
        instrument=instrument,
        title=f"{instrument.base}-{instrument.quote}",
        venue=naming.venue_label(instrument),
        status=state.describe(freshness=freshness, now=now),
        last_text=figures.price(last, digits),
        change_text=figures.signed(_change(last, day.close_before if day else None)),
        interest_text=_interest(day, is_pair=instrument.is_pair),
        above=near.above[-1].row if near.above else None,
        below=near.below[0].row if near.below else None,
        reason="" if zones_ is not None else "no estimate yet",
        note=_note(freshness, outage),
    )


def _change(now: float | None, before: float | None) -> float | None:
    return None if now is None or not before else (now / before - 1.0) * 100.0


def _interest(day: Day | None, *, is_pair: bool) -> str:
    if day is None or day.open_interest is None or day.close is None:
        return figures.DASH
    value = day.open_interest_value
    amount = figures.usd(value if value is not None else day.open_interest * day.close)
    change = _change(day.open_interest, day.open_interest_before)
    # A day ago the sum may have been of other members.
    return amount if change is None or is_pair else f"{amount} {figures.signed(change, digits=1)}"
