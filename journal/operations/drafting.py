"""Write drafts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import transaction

from heatmaps import queries as heatmap_queries
from journal.models import Plan
from journal.operations.terms import MOST_ZONES, NAMES, Terms, UnfitError, require_fit, terms_of

if TYPE_CHECKING:
    import datetime as dt
    from uuid import UUID


class ArmedError(Exception):
    """The plan is armed; nothing about it changes any more."""


class SentBeforeError(Exception):
    """The same request made a plan of other terms, ``label``, before; nothing was stored now."""

    def __init__(self, label: str) -> None:
        super().__init__(f"This request made {label} before, with other terms.")
        self.label = label


@transaction.atomic
def create_draft(*, owner_id: int, zone_id: int, terms: Terms, request_key: UUID | None, now: dt.datetime) -> Plan:
    """Store a draft under the owner's next number; the same request twice is one draft.

    Raises UnfitError, and SentBeforeError when the request comes again with another zone or other terms.
    """
    require_fit(terms, now)
    lock_owner(owner_id)
    plans = Plan.objects.owned_by(owner_id)
    if request_key and (former := plans.filter(request_key=request_key).first()):
        if (former.zone_id, terms_of(former)) != (zone_id, terms):
            raise SentBeforeError(former.label)
        return former
    zone = heatmap_queries.get_zone(zone_id=zone_id)
    require_zones(zone, terms)
    newest = plans.order_by("-number").values_list("number", flat=True).first() or 0
    plan = Plan(owner_id=owner_id, zone_id=zone.pk, number=newest + 1, request_key=request_key, **_values(terms))
    plan.save(force_insert=True)
    return plan


@transaction.atomic
def update_draft(*, owner_id: int, number: int, terms: Terms, now: dt.datetime) -> Plan:
    """Replace the terms of a draft; raises ArmedError for an armed plan, Plan.DoesNotExist for another's."""
    require_fit(terms, now)
    plans = Plan.objects.owned_by(owner_id).select_related("zone__heatmap")
    plan = plans.select_for_update(of=("self",)).get(number=number)
    if plan.armed_at is not None:
        raise ArmedError("This plan is armed and can not be changed.")
    require_zones(plan.zone, terms)
    for name, value in _values(terms).items():
        setattr(plan, name, value)
    plan.save(update_fields=list(NAMES))
    return plan


def lock_owner(owner_id: int) -> None:
    """Let one writer per owner go on: numbers have no gaps, the chain of hashes no forks, and an erasure waits."""
    get_user_model()._base_manager.select_for_update().only("pk").get(pk=owner_id)  # noqa: SLF001  # no other door


def _values(terms: Terms) -> dict[str, object]:
    return {name: getattr(terms, name) for name in NAMES}


def require_zones(zone: Any, terms: Terms) -> None:  # noqa: ANN401  # another room's row
    """Refuse further zones that are not of the same map."""
    own = {zone.pk, *terms.more_zones}
    known = {one.pk for one in heatmap_queries.zones_by_id(heatmap_id=zone.heatmap_id, zone_ids=terms.more_zones)}
    if len(terms.more_zones) > MOST_ZONES or len(own) != len(terms.more_zones) + 1 or known != set(terms.more_zones):
        raise UnfitError({"more_zones": f"Choose up to {MOST_ZONES} further zones of the same map."})
