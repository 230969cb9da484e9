"""What is stored of an instrument and what is missing, and its leverage brackets by their day."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from access.permissions.api import MemberApi
from market.queries.brackets import find_brackets
from market.queries.completeness import Ledger, count_pending, due_after, judge, load_ledgers, newest

from .source import CompletenessSerializer, SourceSerializer, describe_completeness, describe_source, find

if TYPE_CHECKING:
    from rest_framework.request import Request

    from market.models import Instrument
    from market.queries.completeness import SeriesKey, Span

DAYS_MOST: Final = 90


class CoverageQuery(serializers.Serializer[Any]):
    days = serializers.IntegerField(default=7, min_value=1, max_value=DAYS_MOST, help_text="up to now")


class SeriesCoverageSerializer(serializers.Serializer[Any]):
    series = serializers.CharField()
    timeframe = serializers.IntegerField(help_text="seconds between rows; 0 for events")
    as_of = serializers.DateTimeField(allow_null=True)
    stale_after = serializers.DateTimeField(allow_null=True)
    completeness = CompletenessSerializer()


class CoverageSerializer(SourceSerializer):
    sampling = serializers.CharField(allow_blank=True, help_text="which of its liquidations the venue publishes")
    series = SeriesCoverageSerializer(many=True, help_text="by name")


class CoverageApi(MemberApi):
    """The ledger of one instrument."""

    @extend_schema(operation_id="coverage_read", parameters=[CoverageQuery], responses=CoverageSerializer)
    def get(self, request: Request, key: str) -> Response:
        """Say of each series what is stored and what is missing."""
        instrument, now = find(key), timezone.now()
        asked = CoverageQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        span = (now - dt.timedelta(days=asked.validated_data["days"]), now)
        ledgers, ends = load_ledgers(instrument_ids=[instrument.pk], span=span), newest(instrument_ids=[instrument.pk])
        body = describe_source(instrument, as_of=max(ends.values(), default=None), stale_after=None) | {
            "sampling": instrument.liquidation_sampling,
            "series": [
                _describe(instrument, one, ledgers.get(one, Ledger()), ends.get(one), span)
                for one in sorted({**ledgers, **ends})
            ],
        }
        return Response(CoverageSerializer(body).data)


def _describe(
    instrument: Instrument, one: SeriesKey, ledger: Ledger, as_of: dt.datetime | None, span: Span
) -> dict[str, Any]:
    due = due_after(instrument=instrument, key=one, as_of=as_of)
    ledger = count_pending(ledger, as_of=as_of, due=due, now=span[1])
    judged = judge(span=span, present=ledger.present, holes=ledger.holes)
    return {
        "series": one.series,
        "timeframe": one.timeframe,
        "as_of": as_of,
        "stale_after": due,
        "completeness": describe_completeness(judged, span),
    }


class BracketsQuery(serializers.Serializer[Any]):
    date = serializers.DateField(required=False, help_text="as they were that day; default: the newest")


class BracketSerializer(serializers.Serializer[Any]):
    floor = serializers.FloatField(help_text="notional from which it holds: quote, of inverse contracts base")
    max_leverage = serializers.FloatField()
    maintenance_rate = serializers.FloatField()


class BracketsSerializer(SourceSerializer):
    as_of_date = serializers.DateField(allow_null=True, help_text="the day on which the venue showed them first")
    brackets = BracketSerializer(many=True, help_text="smallest positions first; empty where the venue shows none")


class BracketsApi(MemberApi):
    """Leverage brackets of one instrument."""

    @extend_schema(operation_id="brackets_read", parameters=[BracketsQuery], responses=BracketsSerializer)
    def get(self, request: Request, key: str) -> Response:
        """Return a table of leverage brackets."""
        instrument = find(key)
        asked = BracketsQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        day, rows = find_brackets(instrument_id=instrument.pk, date=asked.validated_data.get("date"))
        as_of = dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC) if day else None
        body = describe_source(instrument, as_of=as_of, stale_after=None)
        return Response(BracketsSerializer(body | {"as_of_date": day, "brackets": rows}).data)
