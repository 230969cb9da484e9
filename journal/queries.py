"""Read plans. Every question names the owner; there is no other way to a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from journal.models import Plan
from market.canonical import InexactError, Json, canonical_json
from market.canonical import digest as digest_evidence

if TYPE_CHECKING:
    from django.db.models import QuerySet

__all__ = ["InexactError", "Json", "canonical_json", "digest_evidence", "get_plan", "list_plans"]

PAGE: Final = 50


def list_plans(*, owner_id: int, before: int | None = None, limit: int = PAGE) -> list[Plan]:
    """Return the owner's plans, newest first, those numbered below ``before``."""
    plans = _plans(owner_id)
    if before is not None:
        plans = plans.filter(number__lt=before)
    return list(plans.order_by("-number")[:limit])


def get_plan(*, owner_id: int, number: int) -> Plan:
    """Return one plan of the owner; raises Plan.DoesNotExist for any other."""
    return _plans(owner_id).get(number=number)


def _plans(owner_id: int) -> QuerySet[Plan]:
    return Plan.objects.owned_by(owner_id).select_related("zone__heatmap__instrument", "zone__heatmap__release")
