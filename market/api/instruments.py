"""Instruments through the API: their terms, and how fresh and complete their bars are."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from access.permissions.api import MemberApi
from market import queries
from market.queries.completeness import count_pending, judge_series, load_ledgers

from .source import SourceSerializer, describe_completeness, describe_source, find

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rest_framework.request import Request

    from market.models import Instrument

# Over which the completeness of a live instrument's bars is told.
_DAY: Final = dt.timedelta(days=1)
_NAMES: Final = (
    "symbol",
    "base",
    "quote",
    "underlying",
    "multiple",
    "contract_type",
    "contract_size",
    "tick_size",
    "lot_size",
    "liquidation_sampling",
    "is_live",
    "ended_at",
)


class InstrumentSerializer(SourceSerializer):
    """A contract at one venue."""

    symbol = serializers.CharField()
    base = serializers.CharField()
    quote = serializers.CharField()
    contract_type = serializers.ChoiceField(choices=["linear", "inverse"])
    contract_size = serializers.FloatField()
    tick_size = serializers.DecimalField(max_digits=20, decimal_places=10)
    lot_size = serializers.DecimalField(max_digits=20, decimal_places=10)
    underlying = serializers.CharField(allow_blank=True, help_text="the asset, where the base is a multiple of it")
    multiple = serializers.IntegerField(help_text="units of the underlying in one base unit")
    liquidation_sampling = serializers.CharField(
        allow_blank=True, help_text="which of its liquidations the venue publishes; empty: not known"
    )
    is_live = serializers.BooleanField(help_text="fetched, unless it has ended")
    ended_at = serializers.DateTimeField(allow_null=True, help_text="since when it is no longer traded")


class InstrumentPageSerializer(serializers.Serializer[Any]):
    next = serializers.CharField(allow_null=True, help_text="pass as `after` for the next page; null at the end")
    results = InstrumentSerializer(many=True)


class InstrumentQuery(serializers.Serializer[Any]):
    after = serializers.CharField(required=False, max_length=97, help_text="key of the last instrument seen")
    limit = serializers.IntegerField(default=50, min_value=1, max_value=200)


def _describe_all(instruments: Sequence[Instrument], now: dt.datetime) -> list[dict[str, Any]]:
    """Describe instruments; of fetched ones with the completeness of the last day's bars."""
    span = (now - _DAY, now)
    fresh = queries.freshness_of_all(instruments=instruments, now=now)
    ledgers = load_ledgers(instrument_ids=[row.pk for row in instruments if row.is_fetched], span=span)
    described = []
    for row in instruments:
        own = {
            key: count_pending(ledger, as_of=fresh[row.pk].as_of, due=fresh[row.pk].stale_after, now=now)
            for key, ledger in ledgers.items()
            if key.instrument_id == row.pk
        }
        judged = judge_series(ledgers=own, series="bars", span=span) if row.is_fetched else None
        source = describe_source(
            row,
            as_of=fresh[row.pk].as_of,
            stale_after=fresh[row.pk].stale_after,
            completeness=describe_completeness(judged, span) if judged else None,
        )
        described.append(source | {name: getattr(row, name) for name in _NAMES})
    return described


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
        body = {
            "next": page[-1].key if len(found) > limit else None,
            "results": _describe_all(page, timezone.now()),
        }
        return Response(InstrumentPageSerializer(body).data)


class InstrumentApi(MemberApi):
    """One instrument."""

    @extend_schema(operation_id="instruments_read", responses=InstrumentSerializer)
    def get(self, request: Request, key: str) -> Response:  # noqa: ARG002  # DRF's signature
        """Describe an instrument."""
        (described,) = _describe_all([find(key)], timezone.now())
        return Response(InstrumentSerializer(described).data)
