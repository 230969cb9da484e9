"""Arm plans: the evidence is frozen, hashed and chained to what the owner armed before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db import connection, transaction

from heatmaps import queries as heatmap_queries
from journal.models import Plan
from journal.operations.drafting import lock_owner
from journal.operations.judging import begin_judgement
from journal.operations.terms import require_fit, terms_of
from journal.queries import Json, digest_evidence, plain, plain_terms
from journal.queries.context import Context, read_context
from market.series import epoch_ms

if TYPE_CHECKING:
    import datetime as dt

EVIDENCE_SCHEMA: Final = "bh-plan-evidence-2"


@transaction.atomic
def arm_plan(*, owner_id: int, number: int, now: dt.datetime) -> Plan:
    """Freeze a draft with its evidence; a plan that is armed already comes back unchanged.

    The time of arming is the database's, taken once the row is ours; whoever clicks second waits and finds it armed.
    """
    lock_owner(owner_id)
    plans = Plan.objects.owned_by(owner_id).select_related("zone__heatmap__instrument", "zone__heatmap__release")
    plan = plans.select_for_update(of=("self",)).get(number=number)
    if plan.armed_at is not None:
        return plan
    require_fit(terms_of(plan), now)
    context = read_context(plan=plan, now=now)
    plan.armed_at = _database_clock()
    plan.evidence = _collect_evidence(plan, plan.armed_at, context)
    plan.evidence_sha256 = digest_evidence(plan.evidence)
    plan.save(update_fields=["armed_at", "evidence", "evidence_sha256"])
    if not plan.is_observed:
        begin_judgement(plan, context.exposure)
    return plan


def _database_clock() -> dt.datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT date_trunc('milliseconds', clock_timestamp())")
        moment: dt.datetime = cursor.fetchone()[0]
        return moment


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
        "zone": heatmap_queries.zone_evidence(zone=plan.zone),
        "more_zones": [heatmap_queries.zone_evidence(zone=zone) for zone in context.more_zones],
    }
