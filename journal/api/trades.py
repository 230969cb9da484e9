"""Fills that are typed, the trades that fills make, and the plan that each belongs to."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ObjectDoesNotExist
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from journal import operations, queries
from journal.api.base import ONCE, ConflictError, JournalApi, PageQuery, Strict, once, owner_of, paged, read_page
from market.queries import get_instrument

if TYPE_CHECKING:
    from rest_framework.request import Request

_SIDES: Final[dict[str, Any]] = {"min_value": -1, "max_value": 1, "help_text": "1 bought, -1 sold"}
_MATCHES: Final = [("", "not said yet"), ("sure", "found"), ("chosen", "chosen"), ("none", "no plan")]


def _told(**more: Any) -> serializers.DecimalField:  # noqa: ANN401  # DRF's own arguments
    return serializers.DecimalField(max_digits=38, decimal_places=18, **more)


def _typed(**more: Any) -> serializers.DecimalField:  # noqa: ANN401  # DRF's own arguments
    return serializers.DecimalField(max_digits=30, decimal_places=12, **more)


class FillSerializer(serializers.Serializer[Any]):
    """One execution."""

    id = serializers.IntegerField()
    venue = serializers.CharField()
    symbol = serializers.CharField()
    at = serializers.DateTimeField()
    side = serializers.IntegerField(**_SIDES)
    price = _told()
    quantity = _told(help_text="base")
    fee = _told(help_text="in `fee_unit`; below 0: a rebate")
    fee_unit = serializers.CharField()
    is_maker = serializers.BooleanField(allow_null=True)
    is_typed = serializers.BooleanField(help_text="no file has brought it")
    venue_fill_id = serializers.CharField()
    order_id = serializers.CharField()


class FillPageSerializer(serializers.Serializer[Any]):
    next = serializers.IntegerField(allow_null=True, help_text="pass as `before` for the next page; null at the end")
    results = FillSerializer(many=True)


class TypedFillSerializer(Strict):
    """A fill, as the venue's history shows it."""

    instrument = serializers.CharField(max_length=100, help_text="venue:symbol of a linear contract")
    at = serializers.DateTimeField()
    side = serializers.ChoiceField(choices=[1, -1], help_text="1 bought, -1 sold")
    price = _typed(min_value=Decimal("1e-12"))
    quantity = _typed(min_value=Decimal("1e-12"), help_text="base, not contracts")
    fee = _typed(help_text="quote; 0 if there was none, below 0 for a rebate")

    def validate_instrument(self, key: str) -> Any:  # noqa: ANN401  # another room's row
        """Return the contract."""
        try:
            return get_instrument(key=key)
        except ObjectDoesNotExist as absent:
            raise ValidationError("No contract of that name is known here: write it like binance:BTCUSDT.") from absent


class FillListApi(JournalApi):
    """Own fills, newest first."""

    @extend_schema(operation_id="fills_list", parameters=[PageQuery], responses=FillPageSerializer)
    def get(self, request: Request) -> Response:
        """List own fills."""
        before, limit = read_page(request)
        found = queries.list_fills(owner_id=owner_of(request), before=before, limit=limit + 1)
        return Response(FillPageSerializer(paged(found, limit)).data)

    @extend_schema(
        operation_id="fills_create", parameters=[ONCE], request=TypedFillSerializer, responses={201: FillSerializer}
    )
    @once
    def post(self, request: Request) -> Response:
        """Type a fill; it makes its trade."""
        sent = TypedFillSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        typed = operations.TypedFill(**sent.validated_data)
        try:
            made = operations.add_fill(
                owner_id=owner_of(request), typed=typed, request_key=uuid.uuid4(), now=timezone.now()
            )
        except operations.FillRefusedError as refusal:
            raise ValidationError({"non_field_errors": [str(refusal)]}) from refusal
        return Response(FillSerializer(made).data, status=201)


class FillApi(JournalApi):
    """One own fill."""

    @extend_schema(operation_id="fills_read", responses=FillSerializer)
    def get(self, request: Request, fill_id: int) -> Response:
        """Return a fill."""
        return Response(FillSerializer(queries.get_fill(owner_id=owner_of(request), fill_id=fill_id)).data)

    @extend_schema(operation_id="fills_delete", parameters=[ONCE], responses={204: None})
    @once
    def delete(self, request: Request, fill_id: int) -> Response:
        """Take away a fill that was typed; 409 where a review rests on it."""
        try:
            operations.drop_fill(owner_id=owner_of(request), fill_id=fill_id)
        except operations.FillRefusedError as refusal:
            raise ConflictError(str(refusal)) from refusal
        return Response(status=204)


class TradeSerializer(serializers.Serializer[Any]):
    """A position from flat to flat."""

    id = serializers.IntegerField()
    venue = serializers.CharField()
    symbol = serializers.CharField()
    side = serializers.IntegerField(**_SIDES)
    size = _told(help_text="base")
    left = _told(help_text="base that is still open")
    entry = _told()
    exit = _told(allow_null=True)
    fees = _told(allow_null=True, help_text="quote; null where one was paid in something of unknown worth")
    result = _told(allow_null=True, help_text="quote, after fees where they are known; null while it is open")
    opened_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    plan = serializers.IntegerField(
        source="plan.number", default=None, allow_null=True, help_text="an own plan's number"
    )
    matched = serializers.ChoiceField(choices=_MATCHES, help_text="how it found its plan")


class TradePageSerializer(serializers.Serializer[Any]):
    next = serializers.IntegerField(allow_null=True, help_text="pass as `before` for the next page; null at the end")
    results = TradeSerializer(many=True)


class TradeListApi(JournalApi):
    """Own trades, newest first."""

    @extend_schema(operation_id="trades_list", parameters=[PageQuery], responses=TradePageSerializer)
    def get(self, request: Request) -> Response:
        """List own trades."""
        before, limit = read_page(request)
        found = queries.list_trades(owner_id=owner_of(request), before=before, limit=limit + 1)
        return Response(TradePageSerializer(paged(found, limit)).data)


class ChosenSerializer(Strict):
    """Which plan a trade belongs to."""

    plan = serializers.IntegerField(
        min_value=1, max_value=2**31 - 1, allow_null=True, help_text="number of an armed plan; null: there was none"
    )


class TradeApi(JournalApi):
    """One own trade."""

    @extend_schema(operation_id="trades_read", responses=TradeSerializer)
    def get(self, request: Request, trade_id: int) -> Response:
        """Return a trade."""
        return Response(TradeSerializer(queries.get_trade(owner_id=owner_of(request), trade_id=trade_id)).data)

    @extend_schema(
        operation_id="trades_choose_plan", parameters=[ONCE], request=ChosenSerializer, responses=TradeSerializer
    )
    @once
    def put(self, request: Request, trade_id: int) -> Response:
        """Say which plan a trade belongs to."""
        sent = ChosenSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        try:
            chosen = operations.choose_plan(
                owner_id=owner_of(request), trade_id=trade_id, number=sent.validated_data["plan"]
            )
        except operations.NoSuchPlanError as refusal:
            raise ValidationError({"plan": [str(refusal)]}) from refusal
        return Response(TradeSerializer(chosen).data)
