"""The API of the heatmaps: a slice of density, and tiles. Estimates, not exchange data; unknown is null."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.response import Response

from access.permissions.api import MemberApi
from heatmaps import queries

from .estimates import EstimateSerializer, EstimatorQuery, describe, find, freshness
from .layers import LayersApi as LayersApi
from .members import MemberSerializer, describe_members
from .quality import QualitySerializer, describe_quality
from .touches import ReachApi as ReachApi
from .zones import ZoneApi as ZoneApi
from .zones import ZoneEventListApi as ZoneEventListApi
from .zones import ZoneListApi as ZoneListApi

if TYPE_CHECKING:
    from rest_framework.request import Request

# Density is stated per 0.1 % of price, whatever the width of a bin.
_UNIT_BPS: Final = 10.0
_TILE_PATH: Final = [OpenApiParameter(name, int, OpenApiParameter.PATH) for name in ("level", "row", "col")]


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


class HeatmapApi(MemberApi):
    """Density by price at one moment."""

    @extend_schema(operation_id="heatmap_read", parameters=[SliceQuery], responses=SliceSerializer)
    def get(self, request: Request, key: str) -> Response:
        """Return the newest slice, or the one at a moment."""
        asked = SliceQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        at = asked.validated_data.get("at")
        heatmap = find(key, asked.validated_data["estimator"])
        found = queries.latest_slice(heatmap=heatmap, at=at)
        fresh = freshness(heatmap)
        body = describe(heatmap, found.at if found else None, fresh, ages=at is None) | {
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
        heatmap = find(key, asked.validated_data["estimator"])
        tile = queries.read_tile(heatmap=heatmap, level=level, row=row, col=col)
        if tile is None:
            raise NotFound("This tile lies outside what is built.")
        as_of = heatmap.drawn_through()
        body = describe(heatmap, as_of, freshness(heatmap), ages=not tile.is_closed) | {
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
