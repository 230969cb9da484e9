"""Bars through the API."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from access.permissions.api import MemberApi
from market import queries
from market.queries.completeness import completeness

from .source import SourceSerializer, describe_completeness, describe_source, find, known, moment

if TYPE_CHECKING:
    from rest_framework.request import Request

TIMEFRAMES: Final = {"1m": 60, "5m": 300, "15m": 900, "1h": 3600, "4h": 14_400, "1d": 86_400}
BARS_MOST: Final = 5_000
BARS_USUAL: Final = 500
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_FIELDS: Final = ("open", "high", "low", "close", "volume", "quote_volume", "taker_buy_volume")


class BarSerializer(serializers.Serializer[Any]):
    open_time = serializers.DateTimeField(help_text="left edge, UTC")
    open = serializers.FloatField()
    high = serializers.FloatField()
    low = serializers.FloatField()
    close = serializers.FloatField()
    volume = serializers.FloatField(allow_null=True, help_text="base")
    quote_volume = serializers.FloatField(allow_null=True)
    taker_buy_volume = serializers.FloatField(allow_null=True, help_text="base")
    is_closed = serializers.BooleanField(help_text="false while the period is still running")


class BarsSerializer(SourceSerializer):
    timeframe = serializers.ChoiceField(choices=list(TIMEFRAMES))
    bars = BarSerializer(many=True, help_text="ascending; a period without data has no row")


class BarsQuery(serializers.Serializer[Any]):
    """Which bars."""

    timeframe = serializers.ChoiceField(choices=list(TIMEFRAMES), default="5m")
    since = serializers.DateTimeField(required=False, help_text=f"default: {BARS_USUAL} bars before `until`")
    until = serializers.DateTimeField(required=False, help_text="default: the end of what is stored")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Fill in the span and bound it."""
        step = dt.timedelta(seconds=TIMEFRAMES[attrs["timeframe"]])
        until = attrs.get("until") or self.context["as_of"]
        try:
            since = attrs.get("since") or until - BARS_USUAL * step
            whole = since - (since - _EPOCH) % step  # as the first period comes
        except OverflowError as error:
            raise serializers.ValidationError({"until": "Choose a later time."}) from error
        attrs |= {"since": whole, "until": until}
        if since >= until:
            raise serializers.ValidationError({"since": "Choose a `since` before `until`."})
        count = -((whole - until) // step)
        if count > BARS_MOST:
            advice = "Choose a later `since`, an earlier `until` or a longer `timeframe`."
            raise serializers.ValidationError(
                {"since": f"That is {count:,} bars; one answer has at most {BARS_MOST:,}. {advice}"}
            )
        return attrs


class BarsApi(MemberApi):
    """Bars of one instrument."""

    @extend_schema(operation_id="bars_list", parameters=[BarsQuery], responses=BarsSerializer)
    def get(self, request: Request, key: str) -> Response:
        """Return at most 5,000 bars, ascending."""
        instrument, now = find(key), timezone.now()
        freshness = queries.freshness(instrument=instrument, now=now)
        asked = BarsQuery(data=request.query_params, context={"as_of": freshness.as_of or now})
        asked.is_valid(raise_exception=True)
        seconds = TIMEFRAMES[asked.validated_data["timeframe"]]
        span = asked.validated_data["since"], asked.validated_data["until"]
        rows = queries.load_bars(instrument_id=instrument.pk, since=span[0], until=span[1], timeframe=seconds)
        judged = completeness(instrument=instrument, series="bars", span=span, timeframe=seconds)
        end_ms = freshness.as_of.timestamp() * 1000 if freshness.as_of else 0
        body = describe_source(
            instrument,
            as_of=freshness.as_of,
            stale_after=freshness.stale_after,
            completeness=describe_completeness(judged, span),
        ) | {
            "timeframe": asked.validated_data["timeframe"],
            "bars": [_bar(row, closed_by=end_ms - seconds * 1000) for row in rows],
        }
        return Response(BarsSerializer(body).data)


def _bar(row: Any, *, closed_by: float) -> dict[str, Any]:  # noqa: ANN401  # one record of numpy
    open_ms = int(row["open_time"])
    numbers = {name: known(float(row[name])) for name in _FIELDS}
    return {"open_time": moment(open_ms), **numbers, "is_closed": open_ms <= closed_by}
