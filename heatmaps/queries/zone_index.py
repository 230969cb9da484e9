"""Zones of all instruments together, chosen and in order; of each instrument those of the map that is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from django.db.models import F, FloatField, Q
from django.db.models.expressions import RawSQL

from heatmaps.models import ALIVE, Zone
from market import queries as market

from .maps import get_heatmaps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet

    from heatmaps.models import Heatmap

# Which zones: living, past, all, or those in one state.
Lives: TypeAlias = str
ZONE_SORTS: Final[Mapping[str, tuple[str, ...]]] = {
    "nearest": ("-nearness",),
    "newest": ("-born_at",),
    "changed": ("-last_seen_at",),
    "largest": ("-usd",),
    "likeliest": ("-chance",),
}
# A zone's chance stands beside where its instrument stands.
_CHANCE: Final = """(SELECT (s.chances -> heatmaps_zone.id::text ->> %s)::float8
FROM heatmaps_standing s WHERE s.heatmap_id = heatmaps_zone.heatmap_id)"""
# Less far is more; what is over lies nowhere.
_NEARNESS: Final = """(SELECT -abs(heatmaps_zone.price_peak / s.price - 1.0)
FROM heatmaps_standing s WHERE s.heatmap_id = heatmaps_zone.heatmap_id AND heatmaps_zone.ended_at IS NULL)"""


@dataclass(frozen=True, slots=True)
class ZoneChoice:
    """Which zones, in which order; ``least_chance``: of a touch within the horizon, 0 to 1."""

    state: Lives = "living"
    position_side: int | None = None
    text: str = ""
    horizon: str = "24h"
    least_chance: float | None = None
    sort: str = "nearest"


def choose_zones(*, choice: ZoneChoice) -> tuple[QuerySet[Zone], dict[int, Heatmap]]:
    """Return the zones of a choice, each with its ``chance`` (0 to 1; None where none is stated), and their maps by id.

    Where chances are asked for, what has none is left out.
    """
    found = [
        one for one in market.list_followed() if choice.text.lower() in f"{one.key} {one.base}-{one.quote}".lower()
    ]
    maps = {one.pk: one for one in get_heatmaps(instrument_ids=[one.pk for one in found]).values()}
    zones = Zone.objects.filter(_fits(choice), heatmap__in=list(maps)).defer("evidence")
    chance = RawSQL(_CHANCE, (choice.horizon,), output_field=FloatField())  # noqa: S611  # a constant with a parameter
    zones = zones.annotate(chance=chance, nearness=RawSQL(_NEARNESS, (), output_field=FloatField()))  # noqa: S611  # a constant
    if choice.least_chance is not None:
        zones = zones.filter(chance__gte=choice.least_chance)
    first = ZONE_SORTS[choice.sort][0]
    return zones.order_by(F(first.removeprefix("-")).desc(nulls_last=True), "-pk"), maps


def _fits(choice: ZoneChoice) -> Q:
    wanted = Q()
    if choice.state in {"living", "past"}:
        wanted &= Q(state__in=ALIVE) if choice.state == "living" else ~Q(state__in=ALIVE)
    elif choice.state != "all":
        wanted &= Q(state=choice.state)
    if choice.position_side is not None:
        wanted &= Q(position_side=choice.position_side)
    return wanted
