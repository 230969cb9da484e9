"""Plans: write a draft, change it, arm it, take that back; what was done with it, and what happened to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ObjectDoesNotExist
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from journal import operations, queries
from journal.api.base import ONCE, JournalApi, PageQuery, Strict, once, owner_of, paged, read_page
from journal.api.terms import (
    DraftSerializer,
    PlanDetailSerializer,
    PlanPageSerializer,
    TermsSerializer,
    bounded_field,
    price_field,
)
from journal.models import JournalEntry

if TYPE_CHECKING:
    from rest_framework.request import Request

_DONE: Final = [one for one in JournalEntry.Kind.values if one not in {"armed", "undone"}]


class PlanListApi(JournalApi):
    """Own plans, newest first."""

    @extend_schema(operation_id="plans_list", parameters=[PageQuery], responses=PlanPageSerializer)
    def get(self, request: Request) -> Response:
        """List own plans."""
        before, limit = read_page(request)
        found = queries.list_plans(owner_id=owner_of(request), before=before, limit=limit + 1)
        return Response(PlanPageSerializer(paged(found, limit, by="number")).data)

    @extend_schema(
        operation_id="plans_create", parameters=[ONCE], request=DraftSerializer, responses={201: PlanDetailSerializer}
    )
    @once
    def post(self, request: Request) -> Response:
        """Write a draft; 400 names each field with what to change."""
        sent = DraftSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        try:
            made = operations.create_draft(
                owner_id=owner_of(request),
                zone_id=sent.validated_data["zone"],
                terms=sent.terms(),
                request_key=None,
                now=timezone.now(),
            )
        except ObjectDoesNotExist as absent:
            raise ValidationError({"zone": ["No zone has this number."]}) from absent
        return Response(PlanDetailSerializer(made).data, status=201)


class PlanApi(JournalApi):
    """One own plan."""

    @extend_schema(operation_id="plans_read", responses=PlanDetailSerializer)
    def get(self, request: Request, number: int) -> Response:
        """Return a plan with its frozen evidence."""
        return Response(PlanDetailSerializer(queries.get_plan(owner_id=owner_of(request), number=number)).data)

    @extend_schema(
        operation_id="plans_update", parameters=[ONCE], request=TermsSerializer, responses=PlanDetailSerializer
    )
    @once
    def put(self, request: Request, number: int) -> Response:
        """Replace the terms of a draft; 409 once it is armed."""
        # Another's plan is as absent as none, whatever is sent.
        queries.get_plan(owner_id=owner_of(request), number=number)
        sent = TermsSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        changed = operations.update_draft(
            owner_id=owner_of(request), number=number, terms=sent.terms(), now=timezone.now()
        )
        return Response(PlanDetailSerializer(changed).data)


class PlanArmApi(JournalApi):
    """Arming."""

    @extend_schema(operation_id="plans_arm", parameters=[ONCE], request=None, responses=PlanDetailSerializer)
    @once
    def post(self, request: Request, number: int) -> Response:
        """Freeze a draft with its evidence; a plan that is armed already comes back unchanged."""
        armed = operations.arm_plan(owner_id=owner_of(request), number=number, now=timezone.now())
        return Response(PlanDetailSerializer(armed).data)


class PlanUndoApi(JournalApi):
    """Taking an arming back."""

    @extend_schema(operation_id="plans_undo", parameters=[ONCE], request=None, responses=PlanDetailSerializer)
    @once
    def post(self, request: Request, number: int) -> Response:
        """Make a plan a draft again in the minute in which it was armed; 409 once that is over."""
        undone = operations.undo_arming(owner_id=owner_of(request), number=number)
        return Response(PlanDetailSerializer(undone).data)


class EntrySerializer(serializers.Serializer[Any]):
    """One link of the owner's chain: what was done with a plan."""

    number = serializers.IntegerField(help_text="of the link, in the owner's chain")
    kind = serializers.ChoiceField(choices=JournalEntry.Kind.choices)
    at = serializers.DateTimeField(help_text="by the database's clock")
    content = serializers.SerializerMethodField(help_text="what it says; for an arming the evidence's schema and hash")
    note = serializers.CharField()
    content_sha256 = serializers.CharField()
    previous_sha256 = serializers.CharField()
    sha256 = serializers.CharField()

    def get_content(self, entry: JournalEntry) -> dict[str, Any]:
        """Return what it says; an arming's evidence is the plan's and is not told again."""
        said: dict[str, Any] = json.loads(entry.content)
        return {"schema": said["schema"]} if entry.kind == JournalEntry.Kind.ARMED else said


class EntriesSerializer(serializers.Serializer[Any]):
    results = EntrySerializer(many=True)


class DoneSerializer(Strict):
    """Something done with an armed plan. A note or cancellation needs words, a press none."""

    kind = serializers.ChoiceField(choices=_DONE)
    price = price_field(help_text="where the stop or the target lies now")
    share_pct = bounded_field(5, "0.01", "100", help_text="of the position that was closed")
    note = serializers.CharField(max_length=4000, required=False, allow_blank=True)


class PlanEntryListApi(JournalApi):
    """What was done with an own plan."""

    @extend_schema(operation_id="plans_entries_list", responses=EntriesSerializer)
    def get(self, request: Request, number: int) -> Response:
        """List what was done, in order."""
        found = queries.entries_of_plan(owner_id=owner_of(request), number=number)
        return Response(EntriesSerializer({"results": found}).data)

    @extend_schema(
        operation_id="plans_entries_create", parameters=[ONCE], request=DoneSerializer, responses={201: EntrySerializer}
    )
    @once
    def post(self, request: Request, number: int) -> Response:
        """Amend, cancel, confirm by hand or note; it touches the execution and never the locked plan."""
        sent = DoneSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        entry = operations.amend_plan(
            owner_id=owner_of(request),
            number=number,
            amendment=operations.Amendment(**sent.validated_data),
            now=timezone.now(),
        )
        return Response(EntrySerializer(entry).data, status=201)


class EventSerializer(serializers.Serializer[Any]):
    """Something that happened to an armed plan on the price path; it never changes."""

    number = serializers.IntegerField()
    kind = serializers.CharField()
    at = serializers.DateTimeField(help_text="end of the bar")
    branch = serializers.CharField(help_text="which of the possible courses; empty while there is one")
    price = serializers.DecimalField(30, 15, allow_null=True)
    result = serializers.DecimalField(20, 8, allow_null=True, help_text="R")
    note = serializers.CharField()
    engine = serializers.CharField()


class EventsSerializer(serializers.Serializer[Any]):
    results = EventSerializer(many=True)


class PlanEventListApi(JournalApi):
    """What happened to an own plan."""

    @extend_schema(operation_id="plans_events_list", responses=EventsSerializer)
    def get(self, request: Request, number: int) -> Response:
        """List what happened, in order."""
        found = queries.events_of_plan(owner_id=owner_of(request), number=number)
        return Response(EventsSerializer({"results": found}).data)


class PlanEventApi(JournalApi):
    """One thing that happened to an own plan."""

    @extend_schema(operation_id="plans_events_read", responses=EventSerializer)
    def get(self, request: Request, number: int, event: int) -> Response:
        """Return one event by its number."""
        found = queries.get_event(owner_id=owner_of(request), number=number, event=event)
        return Response(EventSerializer(found).data)
