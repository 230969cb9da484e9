"""Write plans: drafts, and the arming that freezes one with its evidence."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from django.contrib.auth import get_user_model
from django.db import connection, transaction

from heatmaps import queries as heatmap_queries
from journal.models import Plan
from journal.operations.judging import begin_judgement
from journal.queries import Json, digest_evidence, plain, plain_terms
from market import queries as market_queries
from market.series import epoch_ms
from risk.formulas import Side, require_order

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

EVIDENCE_SCHEMA: Final = "bh-plan-evidence-1"
LONGEST: Final = dt.timedelta(days=30)
RISK_MOST: Final = Decimal(100)
_LAST_PRICE_WINDOW: Final = dt.timedelta(minutes=5)
_HALF: Final = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class Terms:
    """What the trader writes into a plan."""

    direction: str
    entry: Decimal
    invalidation: Decimal
    target: Decimal
    risk_pct: Decimal
    thesis: str
    expires_at: dt.datetime


class ArmedError(Exception):
    """The plan is armed; nothing about it changes any more."""


class SentBeforeError(Exception):
    """The same request made a plan of other terms, ``label``, before; nothing was stored now."""

    def __init__(self, label: str) -> None:
        super().__init__(f"This request made {label} before, with other terms.")
        self.label = label


class UnfitError(Exception):
    """The plan can not be armed as it stands; ``problems`` has a sentence for each field."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = problems


def find_problems(*, terms: Mapping[str, Any], now: dt.datetime) -> dict[str, str]:
    """Return what has to change before a plan can be armed: a sentence for each field, none when all is well.

    Of terms that are not complete yet, what is there is checked.
    """
    problems = _misplaced(terms) if {"direction", "entry"} <= terms.keys() else {}
    if "risk_pct" in terms and not 0 < terms["risk_pct"] <= RISK_MOST:
        problems["risk_pct"] = "Give the risk as a share of equity above 0 and at most 100 %."
    if "expires_at" in terms and terms["expires_at"] <= now:
        problems["expires_at"] = "The expiry has passed. Choose a later time (UTC)."
    elif "expires_at" in terms and terms["expires_at"] > now + LONGEST:
        problems["expires_at"] = f"Choose an expiry within {LONGEST.days} days from now."
    return problems


def _misplaced(terms: Mapping[str, Any]) -> dict[str, str]:
    side: Side = 1 if terms["direction"] == Plan.Direction.LONG else -1
    # With a stop that is surely right, only the target can be refused.
    sure = {"entry": terms["entry"], "stop": terms["entry"] * (1 - side * _HALF)}
    problems = {}
    for field, name in (("invalidation", "stop"), ("target", "target")):
        if field in terms:
            try:
                require_order(side=side, **(sure | {name: terms[field]}))
            except ValueError as refusal:
                problems[field] = str(refusal)
    return problems


@transaction.atomic
def create_draft(*, owner_id: int, zone_id: int, terms: Terms, request_key: UUID | None, now: dt.datetime) -> Plan:
    """Store a draft under the owner's next number; the same request twice is one draft.

    Raises UnfitError, and SentBeforeError when the request comes again with another zone or other terms.
    """
    _require_fit(terms, now)
    _lock_owner(owner_id)
    plans = Plan.objects.owned_by(owner_id)
    if request_key and (former := plans.filter(request_key=request_key).first()):
        if (former.zone_id, terms_of(former)) != (zone_id, terms):
            raise SentBeforeError(former.label)
        return former
    zone = heatmap_queries.get_zone(zone_id=zone_id)
    newest = plans.order_by("-number").values_list("number", flat=True).first() or 0
    plan = Plan(owner_id=owner_id, zone_id=zone.pk, number=newest + 1, request_key=request_key, **asdict(terms))
    plan.save(force_insert=True)
    return plan


@transaction.atomic
def update_draft(*, owner_id: int, number: int, terms: Terms, now: dt.datetime) -> Plan:
    """Replace the terms of a draft; raises ArmedError for an armed plan, Plan.DoesNotExist for another's."""
    _require_fit(terms, now)
    plan = Plan.objects.owned_by(owner_id).select_for_update().get(number=number)
    if plan.armed_at is not None:
        raise ArmedError("This plan is armed and can not be changed.")
    for name, value in asdict(terms).items():
        setattr(plan, name, value)
    plan.save(update_fields=list(asdict(terms)))
    return plan


@transaction.atomic
def arm_plan(*, owner_id: int, number: int, now: dt.datetime) -> Plan:
    """Freeze a draft with its evidence; a plan that is armed already comes back unchanged.

    The time of arming is the database's, taken once the row is ours; whoever clicks second waits and finds it armed.
    """
    _lock_owner(owner_id)
    plans = Plan.objects.owned_by(owner_id).select_related("zone__heatmap__instrument", "zone__heatmap__release")
    plan = plans.select_for_update(of=("self",)).get(number=number)
    if plan.armed_at is not None:
        return plan
    _require_fit(terms_of(plan), now)
    plan.armed_at = _database_clock()
    plan.evidence = _collect_evidence(plan, plan.armed_at, now)
    plan.evidence_sha256 = digest_evidence(plan.evidence)
    plan.save(update_fields=["armed_at", "evidence", "evidence_sha256"])
    begin_judgement(plan)
    return plan


def terms_of(plan: Plan) -> Terms:
    """Return what the trader wrote."""
    return Terms(**{name: getattr(plan, name) for name in Terms.__slots__})


def _require_fit(terms: Terms, now: dt.datetime) -> None:
    if problems := find_problems(terms=asdict(terms), now=now):
        raise UnfitError(problems)


def _lock_owner(owner_id: int) -> None:
    # One writer per owner: numbers have no gaps, the chain of hashes no forks, and an erasure waits.
    get_user_model()._base_manager.select_for_update().only("pk").get(pk=owner_id)  # noqa: SLF001  # no other door


def _database_clock() -> dt.datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT date_trunc('milliseconds', clock_timestamp())")
        moment: dt.datetime = cursor.fetchone()[0]
        return moment


def _collect_evidence(plan: Plan, armed_at: dt.datetime, now: dt.datetime) -> dict[str, Json]:
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
        "market": _market(instrument, now),
        "zone": heatmap_queries.zone_evidence(zone=plan.zone),
    }


def _market(instrument: Any, now: dt.datetime) -> dict[str, Json]:  # noqa: ANN401  # another room's row
    """Return the newest close and its time; what is not known is null."""
    freshness = market_queries.freshness(instrument=instrument, now=now)
    if freshness.as_of is None:
        return {"last_price": None, "bar_end_ms": None, "is_stale": None}
    since = freshness.as_of - _LAST_PRICE_WINDOW
    bars = market_queries.load_bars(
        instrument_id=instrument.pk,
        since=since,
        until=freshness.as_of,
        timeframe=int(_LAST_PRICE_WINDOW.total_seconds()),
    )
    price = plain(Decimal(repr(float(bars["close"][-1])))) if len(bars) else None
    return {"last_price": price, "bar_end_ms": epoch_ms(freshness.as_of), "is_stale": freshness.is_stale}
