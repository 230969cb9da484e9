"""What every page of the journal asks first."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404

from heatmaps import queries as heatmap_queries
from journal import queries
from journal.models import Plan

if TYPE_CHECKING:
    from django.http import HttpRequest, QueryDict

# What an integer and a key column hold.
NUMBER_DIGITS: Final = 9
KEY_DIGITS: Final = 18
WRONG: Final = HTTPStatus.UNPROCESSABLE_ENTITY
SAFE_OR_POST: Final = ["GET", "HEAD", "POST"]


def owner_of(request: HttpRequest) -> int:
    """Return whose pages these are."""
    if request.user.pk is None:  # the policy lets nobody in without an account
        raise Http404
    return int(request.user.pk)


def own_plan(request: HttpRequest, number: int) -> Plan:
    """Return an own plan; any other is absent."""
    try:
        return queries.get_plan(owner_id=owner_of(request), number=number)
    except Plan.DoesNotExist as absent:
        raise Http404 from absent


def asked_number(request: HttpRequest, name: str, digits: int) -> int | None:
    """Return a number of the address, None where it is not asked for; what is no number is absent."""
    asked = request.GET.get(name, "")
    if asked and not (asked.isdecimal() and len(asked) <= digits):
        raise Http404
    return int(asked) if asked else None


def asked_zone(request: HttpRequest) -> Any:  # noqa: ANN401  # another room's row
    """Return the zone of the address."""
    asked = request.GET.get("zone", "")
    try:
        return heatmap_queries.get_zone(zone_id=int(asked) if asked.isdecimal() and len(asked) <= KEY_DIGITS else 0)
    except ObjectDoesNotExist as absent:
        raise Http404 from absent


def sent(request: HttpRequest) -> QueryDict | None:
    """Return what was sent, None when a page was asked for."""
    return request.POST if request.method == "POST" else None


def is_broken(found: Plan) -> bool:
    """Whether an armed plan is not what was armed."""
    return found.armed_at is not None and not queries.is_intact(plan=found)
