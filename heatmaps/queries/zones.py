"""Zones: lists of them, one of them, and what the journal freezes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from django.db.models import Case, IntegerField, Q, Value, When

from heatmaps.models import Zone

if TYPE_CHECKING:
    import datetime as dt

    from heatmaps.models import Heatmap


def list_zones(*, heatmap: Heatmap, limit: int = 40) -> list[Zone]:
    """List active zones, largest first, then those that ended, newest first."""
    is_over = Case(When(state=Zone.State.ACTIVE, then=Value(0)), default=Value(1), output_field=IntegerField())
    zones = Zone.objects.filter(heatmap=heatmap).annotate(is_over=is_over)
    return list(zones.order_by("is_over", "-ended_at", "-usd", "number")[:limit])


def page_zones(
    *, heatmap: Heatmap, limit: int, before: int | None = None, state: str | None = None
) -> tuple[list[Zone], int | None]:
    """Return zones numbered below ``before``, newest first, and the ``before`` of the next page, None at the end."""
    wanted = {"number__lt": before, "state": state}
    zones = Zone.objects.filter(heatmap=heatmap, **{name: value for name, value in wanted.items() if value is not None})
    found = list(zones.order_by("-number")[: limit + 1])
    return found[:limit], found[limit - 1].number if len(found) > limit else None


def zones_between(*, heatmap: Heatmap, since: dt.datetime, until: dt.datetime) -> list[Zone]:
    """List the zones that were alive at some moment of a span, in order of birth."""
    alive = Q(ended_at__isnull=True) | Q(ended_at__gte=since)
    return list(Zone.objects.filter(alive, heatmap=heatmap, born_at__lte=until).order_by("number"))


def get_zone(*, zone_id: int) -> Zone:
    """Return a zone with its map, release and instrument; raise Zone.DoesNotExist."""
    return Zone.objects.select_related("heatmap__release", "heatmap__instrument").get(pk=zone_id)


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
        },
    }


def decimal_text(value: float) -> str:
    """A number as text that every reader hashes alike: ten significant digits, no exponent."""
    return f"{np.format_float_positional(float(f'{value:.10g}'), trim='-')}"
