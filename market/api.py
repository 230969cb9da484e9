"""The API of the market: instruments and bars. What is not known is null."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ObjectDoesNotExist
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.response import Response

from access.permissions.api import MemberApi
from market import queries

if TYPE_CHECKING:
    from rest_framework.request import Request

    from market.models import Instrument
    from market.queries import Freshness

TIMEFRAMES: Final = {"1m": 60, "5m": 300, "15m": 900, "1h": 3600, "4h": 14_400, "1d": 86_400}
BARS_MOST: Final = 5_000
BARS_USUAL: Final = 500
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_FIELDS: Final = ("open", "high", "low", "close", "volume", "quote_volume", "taker_buy_volume")


class SourceSerializer(serializers.Serializer[Any]):
    """Where values come from and how old they are."""

    instrument = serializers.CharField(help_text="venue:symbol")
    venue = serializers.CharField()
    is_simulated = serializers.BooleanField(help_text="true: invented by a simulation, not reported by an exchange")
    as_of = serializers.DateTimeField(allow_null=True, help_text="end of the newest bar")
    stale_after = serializers.DateTimeField(allow_null=True, help_text="null for instruments that are not fetched live")


class InstrumentSerializer(SourceSerializer):
    """A contract at one venue."""

    symbol = serializers.CharField()
    base = serializers.CharField()
    quote = serializers.CharField()
    contract_type = serializers.ChoiceField(choices=["linear", "inverse"])
    contract_size = serializers.FloatField()
    tick_size = serializers.DecimalField(max_digits=20, decimal_places=10)
    lot_size = serializers.DecimalField(max_digits=20, decimal_places=10)
    is_live = serializers.BooleanField()


class InstrumentPageSerializer(serializers.Serializer[Any]):
    next = serializers.CharField(allow_null=True, help_text="pass as `after` for the next page; null at the end")
    results = InstrumentSerializer(many=True)


class InstrumentQuery(serializers.Serializer[Any]):
    after = serializers.CharField(required=False, max_length=97, help_text="key of the last instrument seen")
    limit = serializers.IntegerField(default=50, min_value=1, max_value=200)


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


def describe_source(instrument: Instrument, freshness: Freshness) -> dict[str, Any]:
    """Return the part that every answer carries."""
    return {
        "instrument": instrument.key,
        "venue": instrument.venue,
        "is_simulated": instrument.is_simulated,
        "as_of": freshness.as_of,
        "stale_after": freshness.stale_after,
    }


def _describe(instrument: Instrument, freshness: Freshness) -> dict[str, Any]:
    names = ("symbol", "base", "quote", "contract_type", "contract_size", "tick_size", "lot_size", "is_live")
    return describe_source(instrument, freshness) | {name: getattr(instrument, name) for name in names}


def _find(key: str) -> Instrument:
    try:
        return queries.get_instrument(key=key)
    except ObjectDoesNotExist as absent:
        raise NotFound from absent


class InstrumentListApi(MemberApi):
    """All instruments, by key."""

    @extend_schema(operation_id="instruments_list", parameters=[InstrumentQuery], responses=InstrumentPageSerializer)
    def get(self, request: Request) -> Response:
        """List instruments."""
        asked = InstrumentQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        after, limit = asked.validated_data.get("after", ""), asked.validated_data["limit"]
        found = sorted((row for row in queries.list_instruments() if row.key > after), key=lambda row: row.key)
        page = found[:limit]
        fresh = queries.freshness_of_all(instruments=page, now=timezone.now())
        body = {
            "next": page[-1].key if len(found) > limit else None,
            "results": [_describe(row, fresh[row.pk]) for row in page],
        }
        return Response(InstrumentPageSerializer(body).data)


class InstrumentApi(MemberApi):
    """One instrument."""

    @extend_schema(operation_id="instruments_read", responses=InstrumentSerializer)
    def get(self, request: Request, key: str) -> Response:  # noqa: ARG002  # DRF's signature
        """Describe an instrument."""
        instrument = _find(key)
        freshness = queries.freshness(instrument=instrument, now=timezone.now())
        return Response(InstrumentSerializer(_describe(instrument, freshness)).data)


class BarsApi(MemberApi):
    """Bars of one instrument."""

    @extend_schema(operation_id="bars_list", parameters=[BarsQuery], responses=BarsSerializer)
    def get(self, request: Request, key: str) -> Response:
        """Return at most 5,000 bars, ascending."""
        instrument, now = _find(key), timezone.now()
        freshness = queries.freshness(instrument=instrument, now=now)
        asked = BarsQuery(data=request.query_params, context={"as_of": freshness.as_of or now})
        asked.is_valid(raise_exception=True)
        seconds = TIMEFRAMES[asked.validated_data["timeframe"]]
        rows = queries.load_bars(
            instrument_id=instrument.pk,
            since=asked.validated_data["since"],
            until=asked.validated_data["until"],
            timeframe=seconds,
        )
        end_ms = freshness.as_of.timestamp() * 1000 if freshness.as_of else 0
        body = describe_source(instrument, freshness) | {
            "timeframe": asked.validated_data["timeframe"],
            "bars": [_bar(row, closed_by=end_ms - seconds * 1000) for row in rows],
        }
        return Response(BarsSerializer(body).data)


def _bar(row: Any, *, closed_by: float) -> dict[str, Any]:  # noqa: ANN401  # one record of numpy
    numbers = {name: float(row[name]) for name in _FIELDS}
    known = {name: value if math.isfinite(value) else None for name, value in numbers.items()}
    open_ms = int(row["open_time"])
    return {
        "open_time": dt.datetime.fromtimestamp(open_ms / 1000, tz=dt.UTC),
        **known,
        "is_closed": open_ms <= closed_by,
    }
