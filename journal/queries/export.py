"""Everything that an owner wrote, as one document that can be taken elsewhere and verified there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from journal.models import Fill, Plan, PlanEvent, Review, Trade
from journal.queries.chain import LINK_SCHEMA, list_entries
from journal.queries.moved import moved_parts
from journal.queries.plans import plain, plain_terms
from journal.queries.weeks import list_week_notes
from journal.queries.words import open_reviews, spell_words
from market.series import epoch_ms

if TYPE_CHECKING:
    from django.db.models import Model

EXPORT_SCHEMA: Final = "bh-journal-export-3"
_BATCH: Final = 2_000
_FILL: Final = (
    "venue", "symbol", "at", "side", "price", "quantity", "fee", "fee_unit", "is_maker", "venue_fill_id", "order_id",
)  # fmt: skip
_TRADE: Final = (
    "venue", "symbol", "key", "side", "size", "left", "entry", "exit", "fees", "result", "opened_at", "closed_at",
    "matched",
)  # fmt: skip
_REVIEW: Final = ("seen", "reviewed_at")


def export_journal(*, owner_id: int) -> dict[str, Any]:
    """Return an owner's plans, what happened to them, the chain of entries, and what was done and learnt.

    Decimals are text, times are milliseconds since 1970.
    """
    plans = Plan.objects.owned_by(owner_id).select_related("zone__heatmap__instrument").order_by("number")
    events = PlanEvent.objects.owned_by(owner_id).order_by("plan__number", "number").select_related("plan")
    return {
        "schema": EXPORT_SCHEMA,
        "plans": [plain_terms(plan) | _about(plan) for plan in plans],
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
        "entries": _entries(owner_id),
        **_done(owner_id),
        # Chains that came from elsewhere, as they came.
        "imported": moved_parts(owner_id=owner_id),
    }


def _entries(owner_id: int) -> list[dict[str, Any]]:
    return [
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
    ]


def _done(owner_id: int) -> dict[str, Any]:
    """Return what was done and learnt: fills, trades with the number of their plan, reviews."""
    fills = Fill.objects.owned_by(owner_id).order_by("at", "pk")
    trades = Trade.objects.owned_by(owner_id).select_related("plan").order_by("pk")
    reviews = Review.objects.owned_by(owner_id).select_related("plan").order_by("pk")
    return {
        "fills": [_row(one, _FILL) for one in fills.iterator(_BATCH)],
        "trades": [_row(one, _TRADE) | {"plan": one.plan and one.plan.number} for one in trades.iterator(_BATCH)],
        "reviews": [
            {"id": one.pk}
            | spell_words(one.words)
            | _row(one, _REVIEW)
            | {"plan": one.plan and one.plan.number, "trade": one.trade_id}
            for one in open_reviews(reviews, owner_id=owner_id)
        ],
        "week_notes": [
            {"monday": monday.isoformat(), "note": note} for monday, note in list_week_notes(owner_id=owner_id)
        ],
    }


def _row(one: Model, names: tuple[str, ...]) -> dict[str, Any]:
    """Write columns as JSON keeps them: decimals as text, times in milliseconds."""
    return {"id": one.pk} | {name: plain(getattr(one, name)) for name in names}


def _about(plan: Plan) -> dict[str, Any]:
    """Return when a plan was armed, and what its zone is known by elsewhere."""
    return {
        "zone": plan.zone_id,
        "zone_born_at_ms": epoch_ms(plan.zone.born_at),
        "instrument": plan.zone.heatmap.instrument.key,
        "armed_at_ms": None if plan.armed_at is None else epoch_ms(plan.armed_at),
    }
