"""Zones: lists of them, one of them, and what the journal freezes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from django.db.models import Case, IntegerField, Q, Value, When

from heatmaps.core.lives import HalfLife, distance_class, measure
from heatmaps.models import ALIVE, Zone, ZoneEvent

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from heatmaps.models import Heatmap


def list_zones(*, heatmap: Heatmap, limit: int = 40, at: dt.datetime | None = None) -> list[Zone]:
    """List zones that are alive, largest first, then those that ended, newest first; as they were told of by ``at``."""
    zones = Zone.objects.filter(heatmap=heatmap)
    if at is None:
        is_over = Case(When(state__in=ALIVE, then=Value(0)), default=Value(1), output_field=IntegerField())
        return list(zones.annotate(is_over=is_over).order_by("is_over", "-ended_at", "-usd", "number")[:limit])
    alive = list(zones.filter(_alive_at(at)).order_by("number"))
    ended = list(zones.filter(ended_at__lte=at).order_by("-ended_at", "-usd", "number")[:limit])
    return [*sorted(_take_back(alive, at), key=lambda zone: (-zone.usd, zone.number)), *ended][:limit]


def page_zones(
    *, heatmap: Heatmap, limit: int, before: int | None = None, state: str | None = None, at: dt.datetime | None = None
) -> tuple[list[Zone], int | None]:
    """Return zones numbered below ``before``, newest first, and the ``before`` of the next page, None at the end.

    With ``at`` they are as they were told of then; a state is chosen among those that a page holds.
    """
    wanted = {"number__lt": before, "born_at__lte": at, "state": None if at else state}
    zones = Zone.objects.filter(heatmap=heatmap, **{name: value for name, value in wanted.items() if value is not None})
    found = list(zones.order_by("-number")[: limit + 1])
    page, following = found[:limit], found[limit - 1].number if len(found) > limit else None
    if at is not None:
        page = [zone for zone in _take_back(page, at) if state in {None, zone.state}]
    return page, following


def zones_between(
    *, heatmap: Heatmap, since: dt.datetime, until: dt.datetime, at: dt.datetime | None = None
) -> list[Zone]:
    """List the zones that were alive at some moment of a span, in order of birth; as they were told of ``at`` then."""
    alive = Q(ended_at__isnull=True) | Q(ended_at__gte=since)
    zones = list(Zone.objects.filter(alive, heatmap=heatmap, born_at__lte=min(until, at or until)).order_by("number"))
    return zones if at is None else _take_back(zones, at)


def _alive_at(at: dt.datetime) -> Q:
    return Q(born_at__lte=at) & (Q(ended_at__isnull=True) | Q(ended_at__gt=at))


def _take_back(zones: Sequence[Zone], at: dt.datetime) -> list[Zone]:
    """Zones as they were told of at a moment: what their newest event by then says, and nothing later."""
    later = [zone.pk for zone in zones if zone.last_seen_at > at]
    events = ZoneEvent.objects.filter(zone__in=later, at__lte=at).order_by("zone", "-number").distinct("zone")
    told = {event.zone_id: event for event in events}
    for zone in zones:
        if zone.pk in told:
            zone.take(told[zone.pk])
    return list(zones)


def zone_as_of(*, zone_id: int, at: dt.datetime) -> Zone:
    """Return a zone as it was told of at a moment; raise Zone.DoesNotExist where it had not formed."""
    zone = get_zone(zone_id=zone_id)
    if zone.born_at > at:
        raise Zone.DoesNotExist
    return _take_back([zone], at)[0]


def zone_events(*, zone: Zone, at: dt.datetime | None = None) -> list[ZoneEvent]:
    """List what was told of a zone, oldest first; by a moment, if one is given."""
    events = ZoneEvent.objects.filter(zone=zone) if at is None else ZoneEvent.objects.filter(zone=zone, at__lte=at)
    return list(events.order_by("number"))


def page_events(
    *, zone: Zone, limit: int, before: int | None = None, at: dt.datetime | None = None
) -> tuple[list[ZoneEvent], int | None]:
    """Return events numbered below ``before`` (told by ``at``), newest first, and the ``before`` of the next page."""
    wanted = {"number__lt": before, "at__lte": at}
    events = ZoneEvent.objects.filter(zone=zone, **{name: value for name, value in wanted.items() if value is not None})
    found = list(events.order_by("-number")[: limit + 1])
    return found[:limit], found[limit - 1].number if len(found) > limit else None


def events_between(
    *, heatmap: Heatmap, since: dt.datetime, until: dt.datetime
) -> tuple[list[ZoneEvent], dict[int, ZoneEvent]]:
    """List what was told of a map's zones in (since, until], oldest first, with their zones.

    And by zone what had been told last by ``since``, of those that had formed by then.
    """
    told = ZoneEvent.objects.filter(zone__heatmap=heatmap, at__gt=since, at__lte=until)
    events = list(told.select_related("zone").order_by("at", "zone__number", "number"))
    earlier = ZoneEvent.objects.filter(zone__in={event.zone_id for event in events}, at__lte=since)
    former = earlier.order_by("zone", "-number").distinct("zone")
    return events, {event.zone_id: event for event in former}


def half_life(*, zone: Zone, at: dt.datetime | None = None) -> HalfLife:
    """Return how long zones like this one lived: of its instrument and side, formed as far from the price.

    Zones that are alive, and those that became part of another one, count as far as they were seen.
    """
    until = at or zone.heatmap.zones_through or zone.last_seen_at
    side = Zone.objects.filter(heatmap=zone.heatmap_id, position_side=zone.position_side, born_at__lte=until)
    like, lives = distance_class(_distance(zone.evidence.get("distance_pct"))), []
    for born, ended, state, away in side.values_list("born_at", "ended_at", "state", "evidence__distance_pct"):
        if distance_class(_distance(away)) == like:
            last = until if ended is None else min(ended, until)
            is_over = last == ended
            life = (last - born).total_seconds() / 3600.0
            lives.append((life, is_over and state != Zone.State.MERGED))
    hours, is_end = np.array([life for life, _ in lives]), np.array([over for _, over in lives], np.bool_)
    return measure(hours, is_end, like)


def _distance(text: str | None) -> float:
    return float(text) if text is not None else 0.0


def get_zone(*, zone_id: int) -> Zone:
    """Return a zone with its map, release and instrument; raise Zone.DoesNotExist."""
    return Zone.objects.select_related("heatmap__release", "heatmap__instrument").get(pk=zone_id)


def zones_by_id(*, heatmap_id: int, zone_ids: Sequence[int]) -> list[Zone]:
    """Return those of the zones that are of a map, by number."""
    return list(Zone.objects.filter(heatmap_id=heatmap_id, pk__in=zone_ids).order_by("number"))


def zone_evidence(*, zone: Zone) -> dict[str, Any]:
    """Return what a zone was at formation and is now, in values that canonical JSON keeps: strings, integers, None."""
    return {
        "number": zone.number,
        "at_formation": zone.evidence,
        "at_formation_sha256": zone.evidence_sha256,
        "now": {
            "state": str(zone.state),
            "price_low": decimal_text(zone.price_low),
            "price_high": decimal_text(zone.price_high),
            "price_peak": decimal_text(zone.price_peak),
            "usd": decimal_text(zone.usd),
            "usd_low": decimal_text(zone.usd_low),
            "usd_high": decimal_text(zone.usd_high),
            "seen_at": zone.last_seen_at.isoformat(),
            "tested_at": zone.tested_at.isoformat() if zone.tested_at else None,
            **{name: decimal_text(getattr(zone, name)) for name in ("deposited", "closed", "swept", "moved")},
        },
    }


def decimal_text(value: float) -> str:
    """A number as text that every reader hashes alike: ten significant digits, no exponent."""
    return f"{np.format_float_positional(float(f'{value:.10g}'), trim='-')}"
