"""The API of the heatmaps: a slice of density, tiles and zones. Estimates, not exchange data; unknown is null."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ObjectDoesNotExist
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.response import Response

from access.permissions.api import MemberApi
from heatmaps import queries
from heatmaps.models import Zone
from market import queries as market_queries

from .layers import LayersApi as LayersApi
from .members import MemberSerializer, describe_members
from .quality import LeverageSerializer, QualitySerializer, describe_leverage, describe_quality
from .touches import ReachApi as ReachApi
from .touches import TouchSerializer, describe_touches

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from rest_framework.request import Request

    from heatmaps.models import Heatmap
    from market.queries import Freshness

# Density is stated per 0.1 % of price, whatever the width of a bin.
_UNIT_BPS: Final = 10.0
_SIDES: Final = {1: "longs", -1: "shorts"}
_ZONE_FIELDS: Final = (
    "id", "label", "state", "born_at", "tested_at", "ended_at", "price_low", "price_high", "price_peak",
    "usd", "usd_low", "usd_high", "usd_peak", "evidence", "evidence_sha256",
)  # fmt: skip
_TILE_PATH: Final = [OpenApiParameter(name, int, OpenApiParameter.PATH) for name in ("level", "row", "col")]


class EstimatorSerializer(serializers.Serializer[Any]):
    slug = serializers.CharField()
    version = serializers.CharField()
    parameters_sha256 = serializers.CharField(help_text="SHA-256 of the frozen parameters as canonical JSON")


class EstimateSerializer(serializers.Serializer[Any]):
    """Where an estimate comes from and how old it is."""

    instrument = serializers.CharField(help_text="venue:symbol")
    venue = serializers.CharField()
    is_simulated = serializers.BooleanField(help_text="true: of a simulated market, not of an exchange")
    estimator = EstimatorSerializer()
    as_of = serializers.DateTimeField(
        allow_null=True, help_text="end of the newest data in the estimate, never later than the newest bar"
    )
    stale_after = serializers.DateTimeField(
        allow_null=True, help_text="when newer bars are due; null for history and for what is not live"
    )


class BinSerializer(serializers.Serializer[Any]):
    price_low = serializers.FloatField()
    price_high = serializers.FloatField()
    position_side = serializers.ChoiceField(choices=["longs", "shorts"])
    usd = serializers.FloatField(help_text="estimate of this bin [USD]")
    usd_low = serializers.FloatField(help_text="lower end of the 80 % interval, calibrated on simulated markets")
    usd_high = serializers.FloatField(help_text="upper end of the 80 % interval")
    usd_per_tenth_pct = serializers.FloatField(help_text="the estimate as a density: USD per 0.1 % of price")


class SliceSerializer(EstimateSerializer):
    close = serializers.FloatField(allow_null=True)
    is_partial = serializers.BooleanField(help_text="true: members of an asset pair are missing from this sum")
    coverage_pct = serializers.FloatField(
        allow_null=True,
        help_text="known open interest that is in an asset pair's sum, 0 to 100; null for one instrument",
    )
    members = MemberSerializer(many=True, allow_null=True, help_text="of an asset pair; null for one instrument")
    is_provisional = serializers.BooleanField(allow_null=True, help_text="true while the five-minute step runs")
    quality = QualitySerializer(allow_null=True, help_text="what the column rests on; null: no data")
    bins = BinSerializer(
        many=True, allow_null=True, help_text="ascending; a bin without an estimate is absent; null: no data"
    )


class SliceQuery(serializers.Serializer[Any]):
    at = serializers.DateTimeField(required=False, help_text="default: the newest estimate")
    estimator = serializers.CharField(default=queries.DEFAULT_ESTIMATOR, max_length=40)


class TileSerializer(EstimateSerializer):
    level = serializers.IntegerField()
    row = serializers.IntegerField(help_text="floor(bin / 256)")
    col = serializers.IntegerField(help_text="floor(step / 256)")
    bin_bps = serializers.FloatField(help_text="bin width at level 0 [basis points of log price]")
    code_floor_usd = serializers.FloatField(help_text="USD per 0.1 % of price of code 1; 16 codes double it")
    is_closed = serializers.BooleanField(help_text="true: these bytes stay as long as `revision` does")
    revision = serializers.IntegerField(help_text="counts up when closed tiles are rewritten after a correction")
    etag = serializers.CharField()
    encoding = serializers.CharField(
        help_text="base64 of gzip of 65,536 bytes, price-major, each row delta coded along time (modulo 256); "
        "0 = below the floor, 255 = no data"
    )
    body = serializers.CharField()


class EstimatorQuery(serializers.Serializer[Any]):
    estimator = serializers.CharField(default=queries.DEFAULT_ESTIMATOR, max_length=40)


class ZoneSerializer(EstimateSerializer):
    """A cluster of estimated liquidation levels."""

    id = serializers.IntegerField()
    label = serializers.CharField()  # type: ignore[assignment]  # DRF collects declared fields elsewhere
    position_side = serializers.ChoiceField(choices=["longs", "shorts"])
    state = serializers.ChoiceField(choices=Zone.State.choices)
    born_at = serializers.DateTimeField()
    tested_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    price_low = serializers.FloatField()
    price_high = serializers.FloatField()
    price_peak = serializers.FloatField()
    usd = serializers.FloatField(help_text="estimate [USD]")
    usd_low = serializers.FloatField(help_text="lower end of the 80 % interval")
    usd_high = serializers.FloatField(help_text="upper end of the 80 % interval")
    usd_peak = serializers.FloatField(help_text="largest estimate so far")
    evidence_sha256 = serializers.CharField(help_text="SHA-256 of the canonical JSON of what was frozen at formation")
    touches = TouchSerializer(
        many=True,
        allow_null=True,
        help_text="the chance that a price of this volatility touches the near edge; null for a zone that ended",
    )


class ZonePageSerializer(serializers.Serializer[Any]):
    next = serializers.IntegerField(allow_null=True, help_text="pass as `before` for the next page; null at the end")
    results = ZoneSerializer(many=True)


class ZoneDetailSerializer(ZoneSerializer):
    evidence = serializers.JSONField(help_text="frozen at formation")
    leverage = LeverageSerializer(allow_null=True, help_text="null for a zone that ended")


class ZoneQuery(EstimatorQuery):
    state = serializers.ChoiceField(choices=Zone.State.choices, required=False)
    before = serializers.IntegerField(required=False, min_value=1, max_value=2**31 - 1, help_text="number, not id")
    limit = serializers.IntegerField(default=50, min_value=1, max_value=200)


def _find(key: str, estimator: str) -> Heatmap:
    if not key.isprintable():  # PostgreSQL has no NUL
        raise NotFound
    try:
        instrument = market_queries.get_instrument(key=key)
    except ObjectDoesNotExist as absent:
        raise NotFound from absent
    found = queries.get_heatmap(instrument_id=instrument.pk, estimator=estimator)
    if found is None:
        raise NotFound("There is no heatmap of this instrument by this estimator.")
    return found


def _describe(heatmap: Heatmap, at: dt.datetime | None, fresh: Freshness, *, ages: bool = True) -> dict[str, Any]:
    instrument, release = heatmap.instrument, heatmap.release
    # A step is named after its end; while it runs, its end is still to come.
    as_of = min(at, fresh.as_of) if at and fresh.as_of else at
    return {
        "instrument": instrument.key,
        "venue": instrument.venue,
        "is_simulated": instrument.is_simulated,
        "estimator": {"slug": release.slug, "version": release.version, "parameters_sha256": release.digest},
        "as_of": as_of,
        "stale_after": fresh.stale_after if as_of and ages else None,
    }


def _freshness(heatmap: Heatmap) -> Freshness:
    return market_queries.freshness(instrument=heatmap.instrument, now=timezone.now())


class HeatmapApi(MemberApi):
    """Density by price at one moment."""

    @extend_schema(operation_id="heatmap_read", parameters=[SliceQuery], responses=SliceSerializer)
    def get(self, request: Request, key: str) -> Response:
        """Return the newest slice, or the one at a moment."""
        asked = SliceQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        at = asked.validated_data.get("at")
        heatmap = _find(key, asked.validated_data["estimator"])
        found = queries.latest_slice(heatmap=heatmap, at=at)
        fresh = _freshness(heatmap)
        body = _describe(heatmap, found.at if found else None, fresh, ages=at is None) | {
            **describe_members(heatmap, at),
            "quality": describe_quality(heatmap, at, fresh),
            "close": found.close if found else None,
            "is_provisional": found.provisional if found else None,
            "bins": _bins(found) if found else None,
        }
        return Response(SliceSerializer(body).data)


def _bins(found: queries.Slice) -> list[dict[str, Any]]:
    edges, is_long, (low, high) = found.edges, found.is_long, found.ends()
    return [
        {
            "price_low": edges[j],
            "price_high": edges[j + 1],
            "position_side": "longs" if is_long[j] else "shorts",
            "usd": float(usd),
            "usd_low": low[j],
            "usd_high": high[j],
            "usd_per_tenth_pct": float(usd) * _UNIT_BPS / found.bin_bps,
        }
        for j, usd in enumerate(found.usd)
        if usd > 0
    ]


class TileApi(MemberApi):
    """One tile of the picture."""

    @extend_schema(operation_id="tiles_read", parameters=[EstimatorQuery, *_TILE_PATH], responses=TileSerializer)
    def get(self, request: Request, key: str, **path: str) -> Response:
        """Return 256 columns of 256 bins."""
        level, row, col = (int(path[name]) for name in ("level", "row", "col"))
        asked = EstimatorQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        heatmap = _find(key, asked.validated_data["estimator"])
        tile = queries.read_tile(heatmap=heatmap, level=level, row=row, col=col)
        if tile is None:
            raise NotFound("This tile lies outside what is built.")
        as_of = heatmap.provisional_through or heatmap.built_through
        body = _describe(heatmap, as_of, _freshness(heatmap), ages=not tile.is_closed) | {
            "level": level,
            "row": row,
            "col": col,
            "bin_bps": heatmap.bin_bps,
            "code_floor_usd": heatmap.code_floor_usd,
            "is_closed": tile.is_closed,
            "revision": heatmap.revision,
            "etag": tile.etag,
            "encoding": "base64+gzip+time-delta",
            "body": base64.b64encode(tile.body).decode(),
        }
        return Response(TileSerializer(body).data)


class ZoneListApi(MemberApi):
    """Zones of one instrument, newest first."""

    @extend_schema(operation_id="zones_list", parameters=[ZoneQuery], responses=ZonePageSerializer)
    def get(self, request: Request, key: str) -> Response:
        """List zones."""
        asked = ZoneQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        heatmap, limit = _find(key, asked.validated_data["estimator"]), asked.validated_data["limit"]
        wanted = {name: asked.validated_data.get(name) for name in ("before", "state")}
        page, following = queries.page_zones(heatmap=heatmap, limit=limit, **wanted)
        fresh = _freshness(heatmap)
        touches = describe_touches(heatmap.instrument_id, page, fresh.as_of)
        results = [_describe_zone(zone, heatmap, fresh, touches) for zone in page]
        body = {"next": following, "results": results}
        return Response(ZonePageSerializer(body).data)


class ZoneApi(MemberApi):
    """One zone."""

    @extend_schema(operation_id="zones_read", responses=ZoneDetailSerializer)
    def get(self, request: Request, zone_id: int) -> Response:  # noqa: ARG002  # DRF's signature
        """Describe a zone with its frozen evidence."""
        try:
            zone = queries.get_zone(zone_id=zone_id)
        except ObjectDoesNotExist as absent:
            raise NotFound from absent
        fresh = _freshness(zone.heatmap)
        touches = describe_touches(zone.heatmap.instrument_id, [zone], fresh.as_of)
        body = _describe_zone(zone, zone.heatmap, fresh, touches) | {"leverage": describe_leverage(zone)}
        return Response(ZoneDetailSerializer(body).data)


def _describe_zone(zone: Zone, heatmap: Heatmap, fresh: Freshness, touches: Mapping[int, object]) -> dict[str, Any]:
    is_active = zone.is_alive
    age = queries.age_doubt(heatmap=heatmap, freshness=fresh, now=timezone.now())
    [zone] = queries.aged(zones=[zone], age=age)
    as_of = heatmap.zones_through if is_active and heatmap.zones_through else zone.last_seen_at
    values = {name: getattr(zone, name) for name in _ZONE_FIELDS} | {"touches": touches.get(zone.pk)}
    return values | _describe(heatmap, as_of, fresh, ages=is_active) | {"position_side": _SIDES[zone.position_side]}
