"""Arm plans: the evidence is frozen, hashed and put into the owner's chain; until the minute ends it can be undone."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from django.db import transaction

from heatmaps import queries as heatmap_queries
from journal.models import JournalEntry, Judgement, Plan, PlanEvent
from journal.operations.chaining import add_entry, database_clock, lock_chain
from journal.operations.checks import find_obstacles
from journal.operations.drafting import lock_owner
from journal.operations.judging import begin_judgement
from journal.operations.terms import UnfitError, require_fit, terms_of
from journal.queries import digest_evidence, plain, plain_terms, read_context
from market.series import epoch_ms

if TYPE_CHECKING:
    from journal.queries.context import Context
    from market.canonical import Json

EVIDENCE_SCHEMA: Final = "bh-plan-evidence-2"
_MINUTE: Final = dt.timedelta(minutes=1)


class SettledError(Exception):
    """The minute in which the plan was armed has closed; nothing undoes it any more."""


@transaction.atomic
def arm_plan(*, owner_id: int, number: int, now: dt.datetime) -> Plan:
    """Freeze a draft with its evidence; a plan that is armed already comes back unchanged.

    The time of arming is the database's, taken once the row is ours; whoever clicks second waits and finds it armed.
    Raises UnfitError with a sentence for each field.
    """
    lock_owner(owner_id)
    plan = _own(owner_id, number)
    if plan.armed_at is not None:
        return plan
    require_fit(terms_of(plan), now)
    context = read_context(plan=plan, now=now)
    if problems := find_obstacles(plan=plan, context=context, now=now):
        raise UnfitError(problems)
    lock_chain(owner_id)
    plan.armed_at = database_clock()
    plan.evidence = _collect_evidence(plan, plan.armed_at, context)
    plan.evidence_sha256 = digest_evidence(plan.evidence)
    plan.save(update_fields=["armed_at", "evidence", "evidence_sha256"])
    add_entry(plan=plan, kind=JournalEntry.Kind.ARMED, at=plan.armed_at, content=plan.evidence)
    if not plan.is_observed:
        begin_judgement(plan, context.exposure)
    return plan


@transaction.atomic
def undo_arming(*, owner_id: int, number: int) -> Plan:
    """Make a plan a draft again, in the minute in which it was armed; the chain keeps both.

    Raises SettledError once that minute has closed by the database's clock.
    """
    # In the order in which the judge locks: what is judged, then the plan.
    list(Judgement.objects.owned_by(owner_id).filter(plan__number=number).select_for_update(of=("self",)))
    lock_owner(owner_id)
    plan = _own(owner_id, number)
    if plan.armed_at is None:
        return plan
    lock_chain(owner_id)
    at = database_clock()
    if at >= closes_at(plan.armed_at) or PlanEvent.objects.of_judgement(plan.pk).exists():
        raise SettledError("The minute in which the plan was armed is over. It stays armed.")
    Judgement.objects.owned_by(owner_id).filter(plan=plan).delete()
    undone = {"schema": "bh-plan-undone-1", "evidence_sha256": plan.evidence_sha256}
    plan.armed_at, plan.evidence, plan.evidence_sha256 = None, None, ""
    plan.save(update_fields=["armed_at", "evidence", "evidence_sha256"])
    add_entry(plan=plan, kind=JournalEntry.Kind.UNDONE, at=at, content=undone)
    return plan


def closes_at(armed_at: dt.datetime) -> dt.datetime:
    """Return the end of the minute in which a plan was armed."""
    return armed_at.replace(second=0, microsecond=0) + _MINUTE


def _own(owner_id: int, number: int) -> Plan:
    plans = Plan.objects.owned_by(owner_id).select_related("zone__heatmap__instrument", "zone__heatmap__release")
    return plans.select_for_update(of=("self",), no_key=True).get(number=number)


def _collect_evidence(plan: Plan, armed_at: dt.datetime, context: Context) -> dict[str, Json]:
    instrument = plan.zone.heatmap.instrument
    armed = Plan.objects.owned_by(plan.owner_id).exclude(armed_at=None).order_by("-armed_at", "-pk")
    return {
        "schema": EVIDENCE_SCHEMA,
        "armed_at_ms": epoch_ms(armed_at),
        "previous_sha256": armed.values_list("evidence_sha256", flat=True).first(),
        "plan": plain_terms(plan),
        "instrument": {
            "key": instrument.key,
            "contract_type": instrument.contract_type,
            "tick_size": plain(instrument.tick_size),
            "is_simulated": instrument.is_simulated,
        },
        "market": context.market,
        "context": context.layers,
        "risk": context.risk,
        "picture": context.picture,
        "zone": heatmap_queries.zone_evidence(zone=plan.zone),
        "more_zones": [heatmap_queries.zone_evidence(zone=zone) for zone in context.more_zones],
    }
