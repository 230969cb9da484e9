"""The API of the journal: own plans, to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.response import Response

from access.permissions.api import PLANS, MemberApi
from journal import queries
from journal.models import Plan

if TYPE_CHECKING:
    from rest_framework.request import Request


class PlanSerializer(serializers.Serializer[Any]):
    """A plan's terms as the trader wrote them; prices are decimal strings."""

    number = serializers.IntegerField()
    label = serializers.CharField()  # type: ignore[assignment]  # DRF collects declared fields elsewhere
    instrument = serializers.CharField(source="zone.heatmap.instrument.key", help_text="venue:symbol")
    venue = serializers.CharField(source="zone.heatmap.instrument.venue")
    is_simulated = serializers.BooleanField(source="zone.heatmap.instrument.is_simulated")
    zone = serializers.IntegerField(source="zone_id")
    direction = serializers.ChoiceField(choices=Plan.Direction.choices)
    more_zones = serializers.ListField(child=serializers.IntegerField(), help_text="further zones that it rests on")
    thesis = serializers.CharField()
    wrong_if = serializers.CharField()
    setups = serializers.ListField(child=serializers.CharField())
    confirmation = serializers.JSONField(help_text="the rule as data; empty for none")
    entry_kind = serializers.ChoiceField(choices=Plan.EntryKind.choices)
    entry = serializers.DecimalField(max_digits=20, decimal_places=8, allow_null=True, help_text="null: observed only")
    max_chase = serializers.DecimalField(max_digits=5, decimal_places=2, allow_null=True, help_text="R")
    invalidation = serializers.DecimalField(max_digits=20, decimal_places=8, allow_null=True)
    targets = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField()), help_text="price and weight, weights make 1"
    )
    management = serializers.ChoiceField(choices=Plan.Management.choices)
    trail_atr = serializers.DecimalField(max_digits=5, decimal_places=2, allow_null=True)
    trigger_source = serializers.ChoiceField(choices=Plan.TriggerSource.choices)
    expires_at = serializers.DateTimeField()
    time_stop_hours = serializers.IntegerField(allow_null=True, help_text="after the entry")
    risk_pct = serializers.DecimalField(max_digits=5, decimal_places=2, allow_null=True)
    equity = serializers.DecimalField(max_digits=20, decimal_places=8, allow_null=True)
    leverage = serializers.DecimalField(max_digits=6, decimal_places=2, allow_null=True)
    belief_pct = serializers.IntegerField(allow_null=True)
    conviction = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()
    armed_at = serializers.DateTimeField(allow_null=True, help_text="by the server's clock; null for a draft")
    evidence_sha256 = serializers.SerializerMethodField(help_text="proves content, not time; null for a draft")
    is_intact = serializers.SerializerMethodField(
        help_text="whether the record matches its hash, computed anew; null for a draft"
    )

    def get_is_intact(self, plan: Plan) -> bool | None:
        """Compute the hash again and compare the plan with its evidence."""
        return None if plan.armed_at is None else queries.is_intact(plan=plan)

    def get_evidence_sha256(self, plan: Plan) -> str | None:
        """Return the hash, or null where there is none."""
        return plan.evidence_sha256 or None


class PlanDetailSerializer(PlanSerializer):
    evidence = serializers.JSONField(
        allow_null=True, help_text="frozen at arming; the hash is over its canonical JSON (RFC 8785)"
    )


class PlanPageSerializer(serializers.Serializer[Any]):
    next = serializers.IntegerField(allow_null=True, help_text="pass as `before` for the next page; null at the end")
    results = PlanSerializer(many=True)


class PlanQuery(serializers.Serializer[Any]):
    before = serializers.IntegerField(required=False, min_value=1, max_value=2**31 - 1, help_text="a plan's number")
    limit = serializers.IntegerField(default=50, min_value=1, max_value=200)


class PlanListApi(MemberApi):
    """Own plans, newest first."""

    scope = PLANS

    @extend_schema(operation_id="plans_list", parameters=[PlanQuery], responses=PlanPageSerializer)
    def get(self, request: Request) -> Response:
        """List own plans."""
        asked = PlanQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        limit = asked.validated_data["limit"]
        before = asked.validated_data.get("before")
        found = queries.list_plans(owner_id=_owner(request), before=before, limit=limit + 1)
        page = found[:limit]
        body = {"next": page[-1].number if len(found) > limit else None, "results": page}
        return Response(PlanPageSerializer(body).data)


class PlanApi(MemberApi):
    """One own plan."""

    scope = PLANS

    @extend_schema(operation_id="plans_read", responses=PlanDetailSerializer)
    def get(self, request: Request, number: int) -> Response:
        """Return a plan with its frozen evidence."""
        try:
            found = queries.get_plan(owner_id=_owner(request), number=number)
        except Plan.DoesNotExist as absent:
            raise NotFound from absent
        return Response(PlanDetailSerializer(found).data)


def _owner(request: Request) -> int:
    if request.user.pk is None:  # the policy lets nobody in without an account
        raise NotFound
    return int(request.user.pk)
