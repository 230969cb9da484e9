"""The API of zones: lists, one with its evidence and half-life, and what was told of it. Estimates; unknown is null."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ObjectDoesNotExist
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.response import Response

from access.permissions.api import MemberApi
from heatmaps import queries
from heatmaps.core.lives import LABELS
from heatmaps.models import STATE_FIELDS, Zone, ZoneEvent

from .estimates import EstimateSerializer, EstimatorQuery, describe, find, freshness
from .quality import LeverageSerializer, describe_leverage
from .touches import TouchSerializer, describe_touches

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from rest_framework.request import Request

    from heatmaps.models import Heatmap
    from market.queries import Freshness

_SIDES: Final = {1: "longs", -1: "shorts"}
_ZONE_FIELDS: Final = (
    "id", "label", "number", "born_at", "ended_at", "last_seen_at", "evidence", "evidence_sha256", *STATE_FIELDS,
)  # fmt: skip


class ZoneStateSerializer(serializers.Serializer[Any]):
    """How a zone is at a moment: the band, the estimate, and what became of its contracts since it formed."""

    state = serializers.ChoiceField(choices=Zone.State.choices)
    cause = serializers.ChoiceField(
        choices=[*Zone.Cause.choices, ""], help_text="why it is over, by the ledger of its contracts; empty: it is not"
    )
    other_number = serializers.IntegerField(
        allow_null=True, help_text="number of the zone that it became part of, or that became part of it"
    )
    tested_at = serializers.DateTimeField(allow_null=True, help_text="price first came into the band")
    price_low = serializers.FloatField()
    price_high = serializers.FloatField()
    price_peak = serializers.FloatField()
    usd = serializers.FloatField(help_text="estimate [USD]")
    usd_low = serializers.FloatField(help_text="lower end of the 80 % interval")
    usd_high = serializers.FloatField(help_text="upper end of the 80 % interval")
    usd_peak = serializers.FloatField(help_text="largest estimate so far, in the band as it is drawn")
    deposited = serializers.FloatField(
        help_text="opened since it formed [USD]; usd = usd as it formed + deposited - closed - swept + moved"
    )
    closed = serializers.FloatField(help_text="closed by their holders since it formed [USD]")
    swept = serializers.FloatField(help_text="in bins that price traded through since it formed [USD]")
    moved = serializers.FloatField(help_text="no trade: band drawn anew, zones merged, data corrected [USD]")


class ZoneSerializer(ZoneStateSerializer, EstimateSerializer):
    """A cluster of estimated liquidation levels."""

    id = serializers.IntegerField()
    label = serializers.CharField()  # type: ignore[assignment]  # DRF collects declared fields elsewhere
    number = serializers.IntegerField(help_text="counts up within a map")
    position_side = serializers.ChoiceField(choices=["longs", "shorts"])
    born_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    last_seen_at = serializers.DateTimeField(help_text="when it was as it is told here: its newest event")
    evidence_sha256 = serializers.CharField(help_text="SHA-256 of the canonical JSON of what was frozen at formation")
    touches = TouchSerializer(
        many=True,
        allow_null=True,
        help_text="the chance that a price of this volatility touches the near edge; null for a zone that ended",
    )


class ZonePageSerializer(serializers.Serializer[Any]):
    next = serializers.IntegerField(allow_null=True, help_text="pass as `before` for the next page; null at the end")
    results = ZoneSerializer(many=True)


class HalfLifeSerializer(serializers.Serializer[Any]):
    """By when half of the zones like one had ended: the median of Kaplan and Meier with its 95 % interval."""

    hours = serializers.FloatField(allow_null=True, help_text="null: half have not ended, or there are too few")
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    like = serializers.ChoiceField(choices=list(LABELS), source="label", help_text="how far from the price they formed")
    count = serializers.IntegerField(help_text=f"zones of this instrument and side; below {queries.LEAST} none is told")
    ended = serializers.IntegerField(help_text="of which so many were seen to end other than in another zone")


class ZoneDetailSerializer(ZoneSerializer):
    evidence = serializers.JSONField(help_text="frozen at formation")
    leverage = LeverageSerializer(allow_null=True, help_text="null for a zone that ended, and for a past moment")
    half_life = HalfLifeSerializer()


class ZoneEventSerializer(ZoneStateSerializer):
    """What was told of a zone at a moment; added once, never changed."""

    number = serializers.IntegerField(help_text="counts up within a zone")
    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(choices=ZoneEvent.Kind.choices)


class ZoneEventPageSerializer(serializers.Serializer[Any]):
    next = serializers.IntegerField(allow_null=True, help_text="pass as `before` for the next page; null at the end")
    results = ZoneEventSerializer(many=True)


class MomentQuery(serializers.Serializer[Any]):
    at = serializers.DateTimeField(required=False, help_text="as it was told of then; default: now")


class PageQuery(MomentQuery):
    before = serializers.IntegerField(required=False, min_value=1, max_value=2**31 - 1, help_text="number, not id")
    limit = serializers.IntegerField(default=50, min_value=1, max_value=200)


class ZoneQuery(PageQuery, EstimatorQuery):
    state = serializers.ChoiceField(
        choices=Zone.State.choices,
        required=False,
        help_text="with `at` chosen among those that a page holds, so that a page may be short",
    )


class ZoneListApi(MemberApi):
    """Zones of one instrument, newest first."""

    @extend_schema(operation_id="zones_list", parameters=[ZoneQuery], responses=ZonePageSerializer)
    def get(self, request: Request, key: str) -> Response:
        """List zones; with `at` those that had formed by then, as they were told of."""
        asked = _asked(ZoneQuery, request)
        heatmap, at = find(key, asked["estimator"]), asked.get("at")
        page, following = queries.page_zones(
            heatmap=heatmap, limit=asked["limit"], before=asked.get("before"), state=asked.get("state"), at=at
        )
        body = {"next": following, "results": _describe_zones(page, heatmap, at)}
        return Response(ZonePageSerializer(body).data)


class ZoneApi(MemberApi):
    """One zone."""

    @extend_schema(operation_id="zones_read", parameters=[MomentQuery], responses=ZoneDetailSerializer)
    def get(self, request: Request, zone_id: int) -> Response:
        """Describe a zone with its frozen evidence and how long zones like it lived."""
        at = _asked(MomentQuery, request).get("at")
        zone = _find_zone(zone_id, at)
        body = _describe_zones([zone], zone.heatmap, at)[0] | {
            "half_life": queries.half_life(zone=zone, at=at),
            "leverage": describe_leverage(zone) if at is None else None,
        }
        return Response(ZoneDetailSerializer(body).data)


class ZoneEventListApi(MemberApi):
    """What was told of one zone, newest first."""

    @extend_schema(operation_id="zones_events", parameters=[PageQuery], responses=ZoneEventPageSerializer)
    def get(self, request: Request, zone_id: int) -> Response:
        """List events; with `at` those by then."""
        asked = _asked(PageQuery, request)
        zone = _find_zone(zone_id, asked.get("at"))
        page, following = queries.page_events(
            zone=zone, limit=asked["limit"], before=asked.get("before"), at=asked.get("at")
        )
        return Response(ZoneEventPageSerializer({"next": following, "results": page}).data)


def _asked(query: type[serializers.Serializer[Any]], request: Request) -> Mapping[str, Any]:
    asked = query(data=request.query_params)
    asked.is_valid(raise_exception=True)
    found: Mapping[str, Any] = asked.validated_data
    return found


def _find_zone(zone_id: int, at: dt.datetime | None) -> Zone:
    try:
        return queries.zone_as_of(zone_id=zone_id, at=at) if at else queries.get_zone(zone_id=zone_id)
    except ObjectDoesNotExist as absent:
        raise NotFound("There is no such zone." if at is None else "There was no such zone yet.") from absent


def _describe_zones(zones: list[Zone], heatmap: Heatmap, at: dt.datetime | None) -> list[dict[str, Any]]:
    fresh = freshness(heatmap)
    as_of = min(at, fresh.as_of) if at and fresh.as_of else fresh.as_of
    touches = describe_touches(heatmap.instrument_id, zones, as_of)
    age = queries.age_doubt(heatmap=heatmap, freshness=fresh, now=timezone.now(), at=at)
    shown = queries.aged(zones=zones, age=age)
    return [_describe_zone(zone, heatmap, fresh, at) | {"touches": touches.get(zone.pk)} for zone in shown]


def _describe_zone(zone: Zone, heatmap: Heatmap, fresh: Freshness, at: dt.datetime | None) -> dict[str, Any]:
    through = heatmap.zones_through if zone.is_alive and heatmap.zones_through else zone.last_seen_at
    as_of = min(through, at) if at and zone.is_alive else through
    values = {name: getattr(zone, name) for name in _ZONE_FIELDS} | {"position_side": _SIDES[zone.position_side]}
    return values | describe(heatmap, as_of, fresh, ages=zone.is_alive and at is None)
