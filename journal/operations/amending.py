"""What is done with a plan after it was armed: entries about its execution. The locked plan stays what it is."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from django.db import transaction

from journal.models import JournalEntry, Judgement, Plan
from journal.operations.chaining import add_entry, database_clock, lock_chain
from journal.operations.drafting import lock_owner
from journal.operations.terms import UnfitError
from journal.queries import plain, read_market
from journal.verdict import Phase, Rule

if TYPE_CHECKING:
    import datetime as dt

SCHEMA: Final = "bh-plan-amendment-1"
_HINDSIGHT: Final = Decimal("0.5")
_WAITING: Final = "Only a plan that still waits for its entry can be {}."


@dataclass(frozen=True, slots=True)
class Amendment:
    """Something done with an armed plan: the kind, a price [quote], a share of the position [%], words."""

    kind: str
    price: Decimal | None = None
    share_pct: Decimal | None = None
    note: str = ""


@transaction.atomic
def amend_plan(*, owner_id: int, number: int, amendment: Amendment, now: dt.datetime) -> JournalEntry:
    """Add what was done with an armed plan to the owner's chain, by the database's clock.

    It is said beside it whether a stop was moved so that more is risked, whether the outcome was known, and of a
    cancellation whether the price had moved by more than half of the planned risk. Raises UnfitError.
    """
    lock_owner(owner_id)
    plans = Plan.objects.owned_by(owner_id).select_related("zone__heatmap__instrument")
    plan = plans.select_for_update(of=("self",), no_key=True).get(number=number)
    judgement = Judgement.objects.owned_by(owner_id).filter(plan=plan).first()
    _require_allowed(plan, judgement, amendment)
    lock_chain(owner_id)
    salt = secrets.token_hex(16) if amendment.note else ""
    content = {
        "schema": SCHEMA,
        "kind": amendment.kind,
        "price": plain(amendment.price),
        "share_pct": plain(amendment.share_pct),
        "note_sha256": sha256((salt + amendment.note).encode()).hexdigest() if amendment.note else "",
        "is_risk_increasing": _is_widened(plan, amendment),
        "is_after_outcome": bool(judgement and judgement.is_done),
        "is_hindsight": amendment.kind == JournalEntry.Kind.CANCELLED and _has_moved(plan, now),
    }
    return add_entry(
        plan=plan, kind=amendment.kind, at=database_clock(), content=content, note=amendment.note, salt=salt
    )


def _require_allowed(plan: Plan, judgement: Judgement | None, amendment: Amendment) -> None:
    kind, entry = amendment.kind, JournalEntry.Kind
    if plan.armed_at is None:
        raise UnfitError({"kind": "A draft is changed in its form. Arm it first."})
    if kind not in {entry.CONFIRMED, entry.NOTED, entry.STOP, entry.TARGET, entry.PARTIAL, entry.CANCELLED}:
        raise UnfitError({"kind": "Choose one of the list."})
    if kind in {entry.STOP, entry.TARGET} and amendment.price is None:
        raise UnfitError({"price": "Give a price."})
    if kind == entry.PARTIAL and amendment.share_pct is None:
        raise UnfitError({"share_pct": "Give the share that was closed."})
    if kind in {entry.NOTED, entry.CANCELLED} and not amendment.note.strip():
        raise UnfitError({"note": "Write at least one sentence."})
    is_waiting = judgement is not None and judgement.phase == Phase.ARMED.value and not _is_cancelled(plan)
    if kind == entry.CONFIRMED and (plan.confirmation.get("rule") != Rule.MANUAL.value or not is_waiting):
        raise UnfitError({"kind": _WAITING.format("confirmed") + " Its rule has to be a button."})
    if kind == entry.CANCELLED and not (is_waiting or (plan.is_observed and not _is_cancelled(plan))):
        raise UnfitError({"kind": _WAITING.format("cancelled")})


def _is_cancelled(plan: Plan) -> bool:
    mine = JournalEntry.objects.owned_by(plan.owner_id)
    return mine.filter(plan=plan, kind=JournalEntry.Kind.CANCELLED).exists()


def _is_widened(plan: Plan, amendment: Amendment) -> bool:
    """Whether a stop is put further away than it lay."""
    if amendment.kind != JournalEntry.Kind.STOP or amendment.price is None or plan.invalidation is None:
        return False
    moved = JournalEntry.objects.owned_by(plan.owner_id).filter(plan=plan, kind=JournalEntry.Kind.STOP)
    newest = moved.order_by("-number").first()
    last = Decimal(json.loads(newest.content)["price"]) if newest else plan.invalidation
    return plan.side * (amendment.price - last) < 0


def _has_moved(plan: Plan, now: dt.datetime) -> bool:
    """Whether the price had moved by more than half of the planned risk since the plan was armed."""
    if plan.entry is None or plan.invalidation is None:
        return False
    then = ((plan.evidence or {}).get("market") or {}).get("last_price")
    last = read_market(instrument=plan.zone.heatmap.instrument, now=now)["last_price"]
    if then is None or last is None:
        return False
    return abs(Decimal(str(last)) - Decimal(then)) > _HINDSIGHT * abs(plan.entry - plan.invalidation)
