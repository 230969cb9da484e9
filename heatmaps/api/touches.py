"""The API of reachability: the chance that a price of this volatility touches a level; unknown is null."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ObjectDoesNotExist
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.response import Response

from access.permissions.api import MemberApi
from heatmaps import queries
from heatmaps.core.reach import HORIZONS
from market import queries as market_queries

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from rest_framework.request import Request

    from heatmaps.models import Zone
    from heatmaps.queries import Reachability

_INSIDE = "price is inside"
_MOST_LEVELS = 50


class TouchSerializer(serializers.Serializer[Any]):
    horizon = serializers.ChoiceField(choices=list(HORIZONS))
    chance = serializers.FloatField(allow_null=True, help_text="0 to 1")
    reason = serializers.CharField(allow_null=True, help_text="why there is none")


class LevelSerializer(serializers.Serializer[Any]):
    price = serializers.FloatField()
    touches = TouchSerializer(many=True)


class ReachSerializer(serializers.Serializer[Any]):
    """What was learnt of an instrument's price, and what it says of the levels that were asked for."""

    instrument = serializers.CharField(help_text="venue:symbol")
    venue = serializers.CharField()
    is_simulated = serializers.BooleanField(help_text="true: of a simulated market, not of an exchange")
    estimator = serializers.CharField(allow_null=True, help_text="slug and version; null: nothing learnt yet")
    parameters_sha256 = serializers.CharField(allow_null=True)
    learnt_from = serializers.DateTimeField(allow_null=True)
    learnt_through = serializers.DateTimeField(allow_null=True)
    completeness = serializers.FloatField(
        allow_null=True, help_text="share of the time learnt from of which bars are stored now, 0 to 1"
    )
    input_sha256 = serializers.CharField(allow_null=True, help_text="of the bars that were learnt from")
    as_of = serializers.DateTimeField(allow_null=True, help_text="end of the newest five-minute bar in it")
    stale_after = serializers.DateTimeField(
        allow_null=True, help_text="when newer bars are due; null for history and for what is not live"
    )
    price = serializers.FloatField(allow_null=True, help_text="the close from which levels are seen")
    refused = serializers.DictField(child=serializers.CharField(), help_text="why a horizon has no chances, by horizon")
    levels = LevelSerializer(many=True)


class ReachQuery(serializers.Serializer[Any]):
    level = serializers.ListField(
        child=serializers.FloatField(min_value=1e-12, max_value=1e15),
        max_length=_MOST_LEVELS,
        default=list,
        help_text="a price; may be repeated",
    )


class ReachApi(MemberApi):
    """The chance that a price of this volatility touches levels. It knows nothing of liquidations."""

    @extend_schema(operation_id="reach_read", parameters=[ReachQuery], responses=ReachSerializer)
    def get(self, request: Request, key: str) -> Response:
        """Return chances by horizon for each price asked for."""
        asked = ReachQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        try:
            instrument = market_queries.get_instrument(key=key)
        except ObjectDoesNotExist as absent:
            raise NotFound from absent
        fresh = market_queries.freshness(instrument=instrument, now=timezone.now())
        found = queries.reachability(instrument_id=instrument.pk, at=fresh.as_of or timezone.now())
        reach, levels = found.reach, asked.validated_data["level"]
        body = {
            "instrument": instrument.key,
            "venue": instrument.venue,
            "is_simulated": instrument.is_simulated,
            "estimator": str(reach.release) if reach else None,
            "parameters_sha256": reach.release.digest if reach else None,
            "learnt_from": reach.learnt_from if reach else None,
            "learnt_through": reach.learnt_through if reach else None,
            "completeness": queries.share_learnt(instrument=instrument, reach=reach),
            "input_sha256": reach.input_digest if reach else None,
            "as_of": found.at,
            "stale_after": fresh.stale_after if found.at else None,
            "price": found.price,
            "refused": found.refused,
            "levels": [
                {"price": price, "touches": _touches(row, found)}
                for price, row in zip(levels, _rows(found, levels), strict=True)
            ],
        }
        return Response(ReachSerializer(body).data)


def describe_touches(
    instrument_id: int, zones: Sequence[Zone], as_of: dt.datetime | None
) -> dict[int, list[dict[str, Any]]]:
    """Return the chances of each active zone, by its id, seen from the newest five-minute close."""
    active = [zone for zone in zones if zone.ended_at is None]
    if not active or as_of is None:
        return {}
    found = queries.reachability(instrument_id=instrument_id, at=as_of)
    edges = {zone.pk: queries.near_edge(zone, found.price) if found.price else zone.price_peak for zone in active}
    levels = [edge for edge in edges.values() if edge is not None]
    rows = iter(_rows(found, levels))
    return {pk: _touches(None if edge is None else next(rows), found) for pk, edge in edges.items()}


def _rows(found: Reachability, levels: Sequence[float]) -> list[dict[str, float]]:
    """The chances of each level by horizon; empty where nothing can be stated."""
    chances = found.chances(levels)
    return [{name: row[at] for name, row in chances.items()} for at in range(len(levels))]


def _touches(row: Mapping[str, float] | None, found: Reachability) -> list[dict[str, Any]]:
    if row is None:
        return [{"horizon": name, "chance": None, "reason": _INSIDE} for name in HORIZONS]
    return [{"horizon": name, "chance": row.get(name), "reason": found.refused.get(name)} for name in HORIZONS]
