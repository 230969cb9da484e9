"""Read plans. Every question names the owner; there is no other way to a plan."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Final, cast

from journal.models import JournalEntry, Judgement, Plan, PlanEvent
from market.canonical import InexactError, Json
from market.canonical import digest as digest_evidence
from market.queries.changes import changes
from market.series import epoch_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet

PAGE: Final = 50
# An owner is reminded of a review so long after a plan ended, and not much later.
REVIEW_AFTER: Final = dt.timedelta(days=1)
REVIEW_UNTIL: Final = dt.timedelta(days=8)
# Where judged plans stand, in the words of the list; drafts and plans to observe have no verdict. A cancelled plan
# waits for nothing, though the price path is followed on.
STANDINGS: Final = {
    "waiting": ("armed",),
    "open": ("open",),
    "closed": ("closed",),
    "not-entered": ("missed", "invalidated", "expired", "void"),
}
# What the trader writes, as the evidence spells it; the database compares them with the row (migration 0007).
TERMS: Final = (
    "direction", "thesis", "wrong_if", "setups", "more_zones", "confirmation", "entry_kind", "entry", "max_chase",
    "invalidation", "targets", "management", "trail_atr", "trigger_source", "expires_at", "time_stop_hours",
    "risk_pct", "equity", "leverage", "belief_pct", "conviction",
)  # fmt: skip
# Plans that were armed when there was one target and nothing else.
_FIRST_SCHEMA: Final = "bh-plan-evidence-1"
_FIRST_TERMS: Final = ("direction", "entry", "invalidation", "risk_pct", "thesis", "expires_at")


def settling_due(*, instrument_ids: Sequence[int], now: dt.datetime) -> set[int]:
    """Return the instruments of which a plan waits to be judged, measured or reviewed, or whose bars were corrected."""
    return {pk for pk in Judgement.objects.judged(instrument_ids) if _is_settling_due(pk, now)}


def _is_settling_due(instrument_id: int, now: dt.datetime) -> bool:
    if Judgement.objects.review_due(instrument_id, now - REVIEW_UNTIL, now - REVIEW_AFTER).exists():
        return True
    if Judgement.objects.being_judged(instrument_id).exists():
        return True
    if Judgement.objects.unmeasured(instrument_id).exists():
        return True
    newest = changes(instrument_id=instrument_id, after_id=0).last_id
    return Judgement.objects.outdated(instrument_id, newest).exists()


def judgements_of(*, owner_id: int, plan_ids: Sequence[int]) -> dict[int, Judgement]:
    """Return the judgements of the owner's plans by plan; a draft has none."""
    found = Judgement.objects.owned_by(owner_id).filter(plan_id__in=plan_ids)
    return {one.plan_id: one for one in found}


def list_events(*, owner_id: int, plan_id: int) -> list[PlanEvent]:
    """Return what happened to one of the owner's plans, in order."""
    return list(PlanEvent.objects.owned_by(owner_id).filter(plan_id=plan_id).order_by("number"))


def events_of_plan(*, owner_id: int, number: int) -> list[PlanEvent]:
    """Return what happened to the owner's plan of a number; raises Plan.DoesNotExist for any other."""
    plan = Plan.objects.owned_by(owner_id).only("pk").get(number=number)
    return list_events(owner_id=owner_id, plan_id=plan.pk)


def get_event(*, owner_id: int, number: int, event: int) -> PlanEvent:
    """Return one thing that happened to the owner's plan; raises PlanEvent.DoesNotExist for any other."""
    return PlanEvent.objects.owned_by(owner_id).get(plan__number=number, number=event)


def list_plans(
    *, owner_id: int, before: int | None = None, zone_id: int | None = None, state: str = "", limit: int = PAGE
) -> list[Plan]:
    """Return the owner's plans, newest first: below a number, of one zone, and "draft", "cancelled" or in STANDINGS."""
    wanted: dict[str, object] = {"number__lt": before, "zone_id": zone_id}
    cancelled = JournalEntry.objects.owned_by(owner_id).filter(kind=JournalEntry.Kind.CANCELLED).values("plan_id")
    if state in STANDINGS:
        judged = Judgement.objects.owned_by(owner_id).filter(phase__in=STANDINGS[state])
        wanted["pk__in"] = judged.values("plan_id")
    elif state == "cancelled":
        wanted["pk__in"] = cancelled
    elif state:
        wanted["armed_at__isnull"] = True
    plans = _plans(owner_id).filter(**{name: value for name, value in wanted.items() if value is not None})
    if state == "waiting":
        plans = plans.exclude(pk__in=cancelled)
    return list(plans.order_by("-number")[:limit])


def get_plan(*, owner_id: int, number: int) -> Plan:
    """Return one plan of the owner; raises Plan.DoesNotExist for any other."""
    return _plans(owner_id).get(number=number)


def is_intact(*, plan: Plan) -> bool:
    """Tell whether an armed plan matches its evidence, and the evidence its hash.

    The database refuses changes, but whoever owns the database can switch that off; this shows what was changed then.
    """
    if plan.armed_at is None or not isinstance(plan.evidence, dict):
        return False
    try:
        is_hashed = digest_evidence(plan.evidence) == plan.evidence_sha256
    except InexactError:
        return False
    said = (plan.evidence.get("armed_at_ms"), plan.evidence.get("plan"))
    return is_hashed and said == (epoch_ms(plan.armed_at), plain_terms(plan, schema=plan.evidence.get("schema")))


def plain_terms(plan: Plan, *, schema: object = None) -> dict[str, Json]:
    """Return what the trader wrote as the evidence of a schema spells it."""
    if schema == _FIRST_SCHEMA:
        terms = {name: plain(getattr(plan, name)) for name in _FIRST_TERMS}
        return {"number": plan.number, "target": plan.targets[0][0] if plan.targets else None, **terms}
    return {"number": plan.number, **{name: plain(getattr(plan, name)) for name in TERMS}}


def plain(value: object) -> Json:
    """Spell a value in JSON without a loss: numbers as text, times in milliseconds."""
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return epoch_ms(value) if isinstance(value, dt.datetime) else cast("Json", value)


def find_neighbours(*, plan: Plan) -> list[str]:
    """Say which other armed plans of the owner still run on the same instrument, and whether the same way."""
    others = Judgement.objects.owned_by(plan.owner_id).filter(
        instrument_id=plan.zone.heatmap.instrument_id, is_done=False
    )
    said = []
    for other in others.exclude(plan_id=plan.pk).select_related("plan").order_by("plan__number"):
        way = "the same way" if other.plan.direction == plan.direction else "the other way"
        said.append(f"{other.plan.label} is armed on the same instrument, {way}.")
    return said


def _plans(owner_id: int) -> QuerySet[Plan]:
    return Plan.objects.owned_by(owner_id).select_related("zone__heatmap__instrument", "zone__heatmap__release")
