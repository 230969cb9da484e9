"""The API of the alerts: own rules and notices, to read."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.response import Response

from access.permissions.api import MemberApi
from access.reading import with_moment
from alerts import queries
from alerts.models import HORIZONS, NOTICE_KINDS, Notice, Rule

if TYPE_CHECKING:
    from rest_framework.request import Request


class RuleSerializer(serializers.Serializer[Any]):
    """One thing that is asked for."""

    id = serializers.IntegerField()
    instrument = serializers.CharField(source="instrument.key", help_text="venue:symbol")
    kind = serializers.ChoiceField(choices=Rule.Kind.choices)
    threshold_pct = serializers.DecimalField(
        max_digits=5, decimal_places=2, help_text="distance or chance [%]; 0 for the other kinds"
    )
    horizon = serializers.ChoiceField(
        choices=[name for name, _ in HORIZONS], allow_blank=True, help_text="of a chance, else empty"
    )
    by_mail = serializers.BooleanField()
    seen_at = serializers.DateTimeField(allow_null=True, help_text="when it was looked at last")


class RulesSerializer(serializers.Serializer[Any]):
    results = RuleSerializer(many=True)


class NoticeSerializer(serializers.Serializer[Any]):
    """Something that was told; it never changes."""

    id = serializers.IntegerField()
    instrument = serializers.CharField(source="instrument.key", help_text="venue:symbol")
    is_simulated = serializers.BooleanField(source="instrument.is_simulated")
    kind = serializers.ChoiceField(choices=NOTICE_KINDS)
    at = serializers.DateTimeField(help_text="the moment that it is of")
    text = serializers.SerializerMethodField(help_text="a fact with its interval; estimates, not exchange data")
    zone = serializers.IntegerField(source="zone_id", allow_null=True)
    plan = serializers.IntegerField(source="plan_number", allow_null=True, help_text="number of an own plan")
    read_at = serializers.DateTimeField(allow_null=True)

    def get_text(self, notice: Notice) -> str:
        """Write its moment in UTC, whoever reads."""
        return with_moment(notice.text, notice.moment, dt.UTC)


class NoticePageSerializer(serializers.Serializer[Any]):
    unread = serializers.IntegerField()
    next = serializers.IntegerField(allow_null=True, help_text="pass as `before` for the next page; null at the end")
    results = NoticeSerializer(many=True)


class NoticeQuery(serializers.Serializer[Any]):
    before = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1, help_text="a notice's id")
    limit = serializers.IntegerField(default=50, min_value=1, max_value=200)


class RuleListApi(MemberApi):
    """Own alerts."""

    @extend_schema(operation_id="alerts_list", responses=RulesSerializer)
    def get(self, request: Request) -> Response:
        """List own alerts."""
        return Response(RulesSerializer({"results": queries.list_rules(owner_id=_owner(request))}).data)


class NoticeListApi(MemberApi):
    """What was told to the owner, newest first."""

    @extend_schema(operation_id="alerts_notices", parameters=[NoticeQuery], responses=NoticePageSerializer)
    def get(self, request: Request) -> Response:
        """List own notices."""
        asked = NoticeQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        limit, owner_id = asked.validated_data["limit"], _owner(request)
        found = queries.list_notices(owner_id=owner_id, before=asked.validated_data.get("before"), limit=limit + 1)
        page = found[:limit]
        body = {
            "unread": queries.count_unread(owner_id=owner_id),
            "next": page[-1].pk if len(found) > limit else None,
            "results": page,
        }
        return Response(NoticePageSerializer(body).data)


def _owner(request: Request) -> int:
    if request.user.pk is None:  # the policy lets nobody in without an account
        raise NotFound
    return int(request.user.pk)
