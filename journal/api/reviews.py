"""Reviews, and what own plans add up to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ObjectDoesNotExist
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from journal import operations, queries
from journal.api.base import ONCE, ConflictError, JournalApi, PageQuery, Strict, once, owner_of, paged, read_page

if TYPE_CHECKING:
    from rest_framework.request import Request

_ONE: Final = "Give a plan's number or a trade's id, one of them."


class ReviewSerializer(serializers.Serializer[Any]):
    """What a trader took from a plan, or from a trade without one. It is written once; remarks are added."""

    id = serializers.IntegerField()
    plan = serializers.IntegerField(
        source="plan.number", default=None, allow_null=True, help_text="an own plan's number"
    )
    trade = serializers.IntegerField(source="trade_id", allow_null=True)
    what_happened = serializers.CharField(source="words.what_happened")
    early_interest = serializers.CharField(source="words.early_interest", help_text="interest before evidence")
    lesson = serializers.CharField(source="words.lesson")
    mistakes = serializers.ListField(source="words.mistakes", child=serializers.CharField())
    seen = serializers.JSONField(help_text="the verdict as it was when it was reviewed")
    remarks = serializers.ListField(
        source="words.remarks", child=serializers.ListField(child=serializers.CharField()), help_text="time, text"
    )
    reviewed_at = serializers.DateTimeField()


class ReviewPageSerializer(serializers.Serializer[Any]):
    next = serializers.IntegerField(allow_null=True, help_text="pass as `before` for the next page; null at the end")
    results = ReviewSerializer(many=True)


class SaidSerializer(Strict):
    """A review of a plan that has ended, or of a closed trade without a plan."""

    plan = serializers.IntegerField(min_value=1, max_value=2**31 - 1, required=False)
    trade = serializers.IntegerField(min_value=1, max_value=2**63 - 1, required=False)
    what_happened = serializers.CharField(max_length=4000)
    lesson = serializers.CharField(max_length=300, help_text="one")
    early_interest = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    mistakes = serializers.ListField(child=serializers.CharField(max_length=280), required=False, max_length=50)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for one of both."""
        if ("plan" in attrs) == ("trade" in attrs):
            raise ValidationError({"plan": [_ONE]})
        return attrs


class ReviewListApi(JournalApi):
    """Own reviews, newest first."""

    @extend_schema(operation_id="reviews_list", parameters=[PageQuery], responses=ReviewPageSerializer)
    def get(self, request: Request) -> Response:
        """List own reviews."""
        before, limit = read_page(request)
        found = queries.list_reviews(owner_id=owner_of(request), before=before, limit=limit + 1)
        return Response(ReviewPageSerializer(paged(found, limit)).data)

    @extend_schema(
        operation_id="reviews_create", parameters=[ONCE], request=SaidSerializer, responses={201: ReviewSerializer}
    )
    @once
    def post(self, request: Request) -> Response:
        """Write a review; 409 when it is written already, or what it is about has not ended."""
        sent = SaidSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        words = dict(sent.validated_data)
        number, trade_id = words.pop("plan", None), words.pop("trade", None)
        whose: Any = {"owner_id": owner_of(request), "said": operations.Said(**words), "now": timezone.now()}
        name = "trade" if number is None else "plan"
        try:
            if number is None:
                made = operations.review_trade(trade_id=trade_id, **whose)
            else:
                made = operations.review_plan(number=number, **whose)
        except ObjectDoesNotExist as absent:
            raise ValidationError({name: [f"There is no such {name} of yours."]}) from absent
        return Response(ReviewSerializer(made).data, status=201)


class ReviewApi(JournalApi):
    """One own review."""

    @extend_schema(operation_id="reviews_read", responses=ReviewSerializer)
    def get(self, request: Request, review_id: int) -> Response:
        """Return a review."""
        found = queries.get_review_by_id(owner_id=owner_of(request), review_id=review_id)
        return Response(ReviewSerializer(found).data)


class RemarkSerializer(Strict):
    """A later remark."""

    text = serializers.CharField(max_length=1000)


class RemarkListApi(JournalApi):
    """Remarks on an own review."""

    @extend_schema(
        operation_id="reviews_remark", parameters=[ONCE], request=RemarkSerializer, responses={201: ReviewSerializer}
    )
    @once
    def post(self, request: Request, review_id: int) -> Response:
        """Add a remark; the review stays as it is."""
        sent = RemarkSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        try:
            made = operations.add_remark(
                owner_id=owner_of(request), review_id=review_id, text=sent.validated_data["text"], now=timezone.now()
            )
        except ValueError as refusal:
            raise ConflictError(str(refusal)) from refusal
        return Response(ReviewSerializer(made).data, status=201)
