"""Everything that an owner wrote, as one document that can be taken elsewhere and verified there."""

from __future__ import annotations

from typing import Any, Final

from journal.models import Plan, PlanEvent
from journal.queries.chain import LINK_SCHEMA, list_entries
from journal.queries.plans import plain, plain_terms
from market.series import epoch_ms

EXPORT_SCHEMA: Final = "bh-journal-export-1"


def export_journal(*, owner_id: int) -> dict[str, Any]:
    """Return an owner's plans, what happened to them, and the chain of entries with what each says."""
    plans = Plan.objects.owned_by(owner_id).order_by("number")
    events = PlanEvent.objects.owned_by(owner_id).order_by("plan__number", "number").select_related("plan")
    return {
        "schema": EXPORT_SCHEMA,
        "plans": [plain_terms(plan) | {"zone": plan.zone_id, "armed_at_ms": _ms(plan)} for plan in plans],
        "events": [
            {
                "plan": event.plan.number,
                "number": event.number,
                "kind": event.kind,
                "at_ms": epoch_ms(event.at),
                "branch": event.branch,
                "price": plain(event.price),
                "result": plain(event.result),
                "note": event.note,
                "engine": event.engine,
            }
            for event in events
        ],
        "entries": [
            {
                "link": {
                    "schema": LINK_SCHEMA,
                    "number": entry.number,
                    "kind": entry.kind,
                    "plan": entry.plan.number,
                    "at_ms": epoch_ms(entry.at),
                    "content_sha256": entry.content_sha256,
                    "previous_sha256": entry.previous_sha256,
                },
                "sha256": entry.sha256,
                "content": entry.content,
                "note": entry.note,
                "salt": entry.salt,
            }
            for entry in list_entries(owner_id=owner_id)
        ],
    }


def _ms(plan: Plan) -> int | None:
    return None if plan.armed_at is None else epoch_ms(plan.armed_at)
