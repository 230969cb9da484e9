"""Series of samples and events through the API: page by page, each with what is missing of its span."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from access.permissions.api import MemberApi
from market.queries.completeness import SeriesKey, completeness, due_after, newest
from market.queries.rows import load_page
from market.series import DEPTH_BPS

from .source import SourceSerializer, describe_completeness, describe_source, find, known, moment

if TYPE_CHECKING:
    import numpy as np
    from rest_framework.request import Request

    from market.series import SeriesName

ROWS_MOST: Final = 5_000
_USUAL: Final = dt.timedelta(days=1)
_LONGEST: Final = dt.timedelta(days=400)
_SIDES: Final = {1: "long", -1: "short"}


class SpanQuery(serializers.Serializer[Any]):
    """Which part of a series."""

    since = serializers.DateTimeField(required=False, help_text="default: a day before `until`")
    until = serializers.DateTimeField(required=False, help_text="default: the end of what is stored")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Fill in the span and bound it."""
        until = attrs.get("until") or self.context["as_of"]
        try:
            since = attrs.get("since") or until - _USUAL
        except OverflowError as error:
            raise serializers.ValidationError({"until": "Choose a later time."}) from error
        if since >= until:
            raise serializers.ValidationError({"since": "Choose a `since` before `until`."})
        if until - since > _LONGEST:
            raise serializers.ValidationError({"since": f"Choose a span of at most {_LONGEST.days} days."})
        return attrs | {"since": since, "until": until}


class PageSerializer(SourceSerializer):
    next_since = serializers.DateTimeField(
        allow_null=True,
        help_text=f"pass as `since` for what follows; null at the end. One answer has about {ROWS_MOST:,} rows.",
    )


class OpenInterestRow(serializers.Serializer[Any]):
    time = serializers.DateTimeField()
    open_interest = serializers.FloatField(help_text="base, one side")
    open_interest_value = serializers.FloatField(allow_null=True, help_text="quote")
    mark_price = serializers.FloatField(allow_null=True)


class OpenInterestSerializer(PageSerializer):
    rows = OpenInterestRow(many=True, help_text="ascending, `since` < time <= `until`")


class FundingRow(serializers.Serializer[Any]):
    time = serializers.DateTimeField()
    rate = serializers.FloatField(help_text="fraction of notional per interval; positive when longs pay")
    interval_s = serializers.FloatField(allow_null=True, help_text="what the rate is paid for, seconds")


class FundingSerializer(PageSerializer):
    rows = FundingRow(many=True, help_text="ascending, `since` < time <= `until`")


class LiquidationRow(serializers.Serializer[Any]):
    time = serializers.DateTimeField()
    position_side = serializers.ChoiceField(choices=["long", "short"], help_text="of the position that was closed")
    price = serializers.FloatField()
    quantity = serializers.FloatField(help_text="base")


class LiquidationsSerializer(PageSerializer):
    sampling = serializers.CharField(
        allow_blank=True, help_text="which of its liquidations the venue publishes; empty: not known"
    )
    is_lower_bound = serializers.BooleanField(
        help_text="there were more: a part of the span is lost, or the venue does not publish all"
    )
    rows = LiquidationRow(many=True, help_text="ascending, `since` <= time < `until`")


class AccountRatioRow(serializers.Serializer[Any]):
    time = serializers.DateTimeField()
    ratio = serializers.FloatField(help_text="accounts that are net long over accounts that are net short")


class AccountRatioSerializer(PageSerializer):
    rows = AccountRatioRow(many=True, help_text="ascending, `since` < time <= `until`")


class DepthSideSerializer(serializers.Serializer[Any]):
    bps = serializers.IntegerField(help_text="distance from the middle in basis points")
    bid = serializers.FloatField(allow_null=True, help_text="quote; null beyond what the venue showed")
    ask = serializers.FloatField(allow_null=True, help_text="quote; null beyond what the venue showed")


class DepthRow(serializers.Serializer[Any]):
    time = serializers.DateTimeField()
    mid = serializers.FloatField()
    within = DepthSideSerializer(many=True, help_text="what rests in the book within each distance")


class DepthSerializer(PageSerializer):
    rows = DepthRow(many=True, help_text="ascending, `since` < time <= `until`")


def _plain(row: np.void) -> dict[str, Any]:
    time, *names = row.dtype.names or ()
    return {"time": moment(int(row[time]))} | {name: known(float(row[name])) for name in names}


def _liquidation(row: np.void) -> dict[str, Any]:
    return _plain(row) | {"position_side": _SIDES[int(row["position_side"])]}


def _depth(row: np.void) -> dict[str, Any]:
    values = _plain(row)
    within = [{"bps": bps, "bid": values[f"bid_{bps}"], "ask": values[f"ask_{bps}"]} for bps in DEPTH_BPS]
    return {"time": values["time"], "mid": values["mid"], "within": within}


class _SeriesApi(MemberApi):
    """One series of one instrument."""

    series: ClassVar[SeriesName]
    answer: ClassVar[type[PageSerializer]]

    def describe(self, row: np.void) -> dict[str, Any]:
        """Return one row as its serializer takes it."""
        return _plain(row)

    def respond(self, request: Request, key: str) -> Response:
        """Read a page and say how complete it is."""
        instrument, now = find(key), timezone.now()
        ends = {one: end for one, end in newest(instrument_ids=[instrument.pk]).items() if one.series == self.series}
        one = max(ends, key=ends.__getitem__, default=SeriesKey(instrument.pk, self.series, 0))
        as_of = ends.get(one)
        asked = SpanQuery(data=request.query_params, context={"as_of": as_of or now})
        asked.is_valid(raise_exception=True)
        since, until = asked.validated_data["since"], asked.validated_data["until"]
        page = load_page(instrument_id=instrument.pk, series=self.series, since=since, until=until, most=ROWS_MOST)
        span = (since, page.next_since or until)
        judged = completeness(instrument=instrument, series=self.series, span=span)
        body = describe_source(
            instrument,
            as_of=as_of,
            stale_after=due_after(instrument=instrument, key=one, as_of=as_of),
            completeness=describe_completeness(judged, span),
        )
        body |= {"next_since": page.next_since, "rows": [self.describe(row) for row in page.rows]}
        if self.series == "liquidations":
            sampling = instrument.liquidation_sampling
            body |= {"sampling": sampling, "is_lower_bound": judged.is_lost or sampling not in {"", "all"}}
        return Response(self.answer(body).data)


class OpenInterestApi(_SeriesApi):
    """Open interest of one instrument."""

    series, answer = "open_interest", OpenInterestSerializer

    @extend_schema(operation_id="open_interest_list", parameters=[SpanQuery], responses=OpenInterestSerializer)
    def get(self, request: Request, key: str) -> Response:
        """Return open interest, ascending."""
        return self.respond(request, key)


class FundingApi(_SeriesApi):
    """Funding rates of one instrument."""

    series, answer = "funding", FundingSerializer

    @extend_schema(operation_id="funding_list", parameters=[SpanQuery], responses=FundingSerializer)
    def get(self, request: Request, key: str) -> Response:
        """Return funding rates, ascending."""
        return self.respond(request, key)


class LiquidationsApi(_SeriesApi):
    """Observed liquidations of one instrument."""

    series, answer = "liquidations", LiquidationsSerializer

    def describe(self, row: np.void) -> dict[str, Any]:
        """Name the side."""
        return _liquidation(row)

    @extend_schema(operation_id="liquidations_list", parameters=[SpanQuery], responses=LiquidationsSerializer)
    def get(self, request: Request, key: str) -> Response:
        """Return forced closes that the venue published, ascending."""
        return self.respond(request, key)


class DepthApi(_SeriesApi):
    """What rested in the order book of one instrument."""

    series, answer = "depth", DepthSerializer

    def describe(self, row: np.void) -> dict[str, Any]:
        """Put both sides of each distance together."""
        return _depth(row)

    @extend_schema(operation_id="depth_list", parameters=[SpanQuery], responses=DepthSerializer)
    def get(self, request: Request, key: str) -> Response:
        """Return depth near the middle, ascending."""
        return self.respond(request, key)


class AccountRatioApi(_SeriesApi):
    """Long/short ratios of accounts of one instrument."""

    series, answer = "account_ratio", AccountRatioSerializer

    @extend_schema(operation_id="account_ratio_list", parameters=[SpanQuery], responses=AccountRatioSerializer)
    def get(self, request: Request, key: str) -> Response:
        """Return ratios, ascending."""
        return self.respond(request, key)
