"""The API's twin of the screener: every pair and instrument beside each other, as numbers; unknown is null."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from access.permissions.api import MemberApi
from heatmaps import queries
from heatmaps.core.layers import load_layer
from heatmaps.core.reach import HORIZONS

from .touches import TouchSerializer

if TYPE_CHECKING:
    import datetime as dt

    from rest_framework.request import Request

    from heatmaps.queries import Line, Near

_CROWDING: Final = load_layer("crowding").states
_STANDING: Final = (
    "coverage_pct", "funding_pct", "funding_percentile", "funding_days", "interest_percentile", "interest_days",
)  # fmt: skip
_ZONE: Final = ("price_low", "price_high", "usd", "usd_low", "usd_high")


class NearSerializer(serializers.Serializer[Any]):
    """The nearest living zone on one side of the price."""

    zone = serializers.IntegerField(help_text="id")
    label = serializers.CharField()  # type: ignore[assignment]  # DRF collects declared fields elsewhere
    price_low = serializers.FloatField()
    price_high = serializers.FloatField()
    usd = serializers.FloatField(help_text="estimate [USD]")
    usd_low = serializers.FloatField(help_text="lower end of the 80 % interval")
    usd_high = serializers.FloatField(help_text="upper end of the 80 % interval")
    distance_pct = serializers.FloatField(help_text="of the near edge from the last price; 0: price is inside")
    touches = TouchSerializer(many=True, help_text="as of `estimate_as_of`; knows nothing of liquidations")


class LeanSerializer(serializers.Serializer[Any]):
    """(shorts − longs) / (shorts + longs) of the estimates within 5 % of the price, −1 to 1."""

    share = serializers.FloatField()
    low = serializers.FloatField(help_text="with both amounts at the ends of their 80 % intervals that lower it most")
    high = serializers.FloatField(help_text="with both amounts at the ends that raise it most")


class LineSerializer(serializers.Serializer[Any]):
    instrument = serializers.CharField(help_text="venue:symbol")
    venue = serializers.CharField()
    is_simulated = serializers.BooleanField(help_text="true: of a simulated market, not of an exchange")
    as_of = serializers.DateTimeField(allow_null=True, help_text="end of the newest bar")
    age_s = serializers.FloatField(allow_null=True, help_text="how long ago that was [s]")
    stale_after = serializers.DateTimeField(allow_null=True, help_text="null for history and for what is not live")
    last = serializers.FloatField(allow_null=True, help_text="last close [quote per base]")
    change_24h_pct = serializers.FloatField(allow_null=True)
    open_interest_usd = serializers.FloatField(allow_null=True)
    above = NearSerializer(allow_null=True, help_text="shorts")
    below = NearSerializer(allow_null=True, help_text="longs")
    estimate_as_of = serializers.DateTimeField(allow_null=True, help_text="of chances, lean and coverage")
    hour_at = serializers.DateTimeField(allow_null=True, help_text="of crowding and percentiles")
    coverage_pct = serializers.FloatField(
        allow_null=True, help_text="of a pair: known open interest of the members in the map; else: of a week's bars"
    )
    lean = LeanSerializer(allow_null=True)
    funding_pct = serializers.FloatField(allow_null=True, help_text="rate in force [%]")
    funding_percentile = serializers.FloatField(allow_null=True)
    funding_days = serializers.IntegerField(allow_null=True, help_text="what the percentile is over")
    interest_percentile = serializers.FloatField(allow_null=True, help_text="of open interest in base units")
    interest_days = serializers.IntegerField(allow_null=True, help_text="what the percentile is over")
    crowding = serializers.ChoiceField(choices=list(_CROWDING), allow_null=True, help_text="a name; no forecast")
    reason = serializers.CharField(allow_null=True, help_text="why the figures are not to be set beside others'")


class LinePageSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    next = serializers.IntegerField(allow_null=True, help_text="pass as `page`; null at the end")
    results = LineSerializer(many=True)


class ScreenerQuery(serializers.Serializer[Any]):
    text = serializers.CharField(default="", max_length=64, help_text="a part of the name")
    kind = serializers.ChoiceField(choices=["all", "pairs", "contracts"], default="all")
    crowding = serializers.ChoiceField(choices=list(_CROWDING), required=False)
    within_pct = serializers.FloatField(required=False, min_value=0.1, max_value=100, help_text="nearest zone [%]")
    horizon = serializers.ChoiceField(choices=list(HORIZONS), default="24h", help_text="for the sort by chance")
    sort = serializers.ChoiceField(
        choices=[sign + name for name in queries.SORTS for sign in ("", "-")], default="-interest"
    )
    page = serializers.IntegerField(default=1, min_value=1, max_value=10_000)
    limit = serializers.IntegerField(default=100, min_value=1, max_value=200)


class ScreenerApi(MemberApi):
    """Every pair and instrument beside each other."""

    @extend_schema(operation_id="screener_read", parameters=[ScreenerQuery], responses=LinePageSerializer)
    def get(self, request: Request) -> Response:
        """List lines; what is thin comes last."""
        asked = ScreenerQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        wish = dict(asked.validated_data)
        page, limit, now = wish.pop("page"), wish.pop("limit"), timezone.now()
        lines = queries.screen(choice=queries.Choice(**wish), now=now)
        part = lines[(page - 1) * limit : page * limit]
        body = {
            "count": len(lines),
            "next": page + 1 if page * limit < len(lines) else None,
            "results": [_describe(line, now) for line in part],
        }
        return Response(LinePageSerializer(body).data)


def _describe(line: Line, now: dt.datetime) -> dict[str, Any]:
    standing, lean = line.standing, line.lean
    return {
        "instrument": line.instrument.key,
        "venue": line.instrument.venue,
        "is_simulated": line.instrument.is_simulated,
        "as_of": line.freshness.as_of,
        "age_s": (now - line.freshness.as_of).total_seconds() if line.freshness.as_of else None,
        "stale_after": line.freshness.stale_after,
        "last": line.last,
        "change_24h_pct": line.change_pct,
        "open_interest_usd": line.interest_usd,
        "above": _describe_near(line.above),
        "below": _describe_near(line.below),
        "estimate_as_of": standing.as_of if standing else None,
        "hour_at": standing.hour_at if standing else None,
        **{name: getattr(standing, name, None) for name in _STANDING},
        "lean": {"share": lean.share, "low": lean.low, "high": lean.high} if lean else None,
        "crowding": (standing.crowding or None) if standing else None,
        "reason": line.reason or None,
    }


def _describe_near(near: Near | None) -> dict[str, Any] | None:
    if near is None:
        return None
    return {
        "zone": near.zone.pk,
        "label": near.zone.label,
        **{name: getattr(near.zone, name) for name in _ZONE},
        "distance_pct": near.away_pct,
        "touches": [
            {"horizon": name, "chance": near.chances.get(name), "reason": near.refused.get(name)} for name in HORIZONS
        ],
    }
