"""What the verdict goes by, fixed when a plan is armed: the terms, the costs of that day, and where it stands."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction

from journal.models import Judgement, Plan
from journal.queries import expose, liquidates_first
from journal.verdict import ENGINE_VERSION, Kind, Target, Terms, from_data, quiet, start, to_data
from journal.verdict.keeping import to_plain
from market.queries.changes import changes
from market.series import HOUR_MS, epoch_ms, moment
from risk.formulas import Costs

if TYPE_CHECKING:
    from journal.queries import Exposure
    from journal.verdict import State


BAND: Final = ("quiet_low", "quiet_high", "quiet_until")
_PLACES: Final = Decimal("1e-15")
_KINDS: Final = {
    Plan.EntryKind.LIMIT.value: Kind.LIMIT,
    Plan.EntryKind.EDGE.value: Kind.LIMIT,
    Plan.EntryKind.STOP.value: Kind.STOP,
    Plan.EntryKind.CONFIRMED.value: Kind.CONFIRMED,
}


def begin_judgement(plan: Plan, exposure: Exposure | None = None) -> Judgement:
    """Store the terms by which an armed plan is judged, beside the plan and in its transaction."""
    instrument = plan.zone.heatmap.instrument
    terms = _terms(plan, exposure or expose(key=instrument.key, terms=vars(plan)))
    return Judgement.objects.owned_by(plan.owner_id).create(
        plan=plan,
        instrument=instrument,
        terms=write_terms(terms),
        **kept(terms, start(terms)),
        engine=ENGINE_VERSION,
        change_id=changes(instrument_id=instrument.pk, after_id=0).last_id,
    )


@transaction.atomic
def adopt_plans() -> int:
    """Begin to judge plans that were armed before there were verdicts, from their arming on; return how many."""
    plans = Plan.objects.without_verdict().select_related("zone__heatmap__instrument")
    for plan in plans:
        begin_judgement(plan)
    return len(plans)


def kept(terms: Terms, state: State) -> dict[str, Any]:
    """Return a state as the columns of a judgement."""
    results = [branch.result(terms) for branch in state.branches]
    worst = min(state.branches, key=lambda one: (one.worst(terms), one.phase.value))
    return {
        "state": to_plain(state),
        "phase": worst.phase.value,
        "is_done": state.is_done,
        "result_low": round(min(results), 8) if state.is_done else None,
        "result_high": round(max(results), 8) if state.is_done else None,
        "excursion": None,
        **band(terms, state),
    }


def band(terms: Terms, state: State) -> dict[str, Any]:
    """Return where the plan can be left alone as the columns of a judgement, rounded to the narrower side."""
    found = quiet(terms, state)
    if found is None:
        return dict.fromkeys(BAND)
    low, high = found.low.quantize(_PLACES, ROUND_CEILING), found.high.quantize(_PLACES, ROUND_FLOOR)
    return dict(zip(BAND, (low, high, moment(found.until_ms)), strict=True))


def _terms(plan: Plan, exposure: Exposure) -> Terms:
    """Read the locked terms as the verdict takes them; the stop trails at a distance that is fixed now."""
    assert plan.armed_at is not None
    assert plan.entry is not None
    assert plan.invalidation is not None
    atr = ((plan.evidence or {}).get("context") or {}).get("atr")
    trails = plan.management == Plan.Management.TRAIL
    is_early = liquidates_first(exposure, side=plan.side, stop=plan.invalidation)
    return Terms(
        side=1 if plan.side > 0 else -1,
        kind=_kind(plan),
        entry=plan.entry,
        stop=plan.invalidation,
        targets=tuple(Target(price, weight) for price, weight in plan.target_prices),
        tick=plan.zone.heatmap.instrument.tick_size,
        armed_ms=epoch_ms(plan.armed_at),
        expires_ms=epoch_ms(plan.expires_at),
        time_stop_ms=plan.time_stop_hours * HOUR_MS if plan.time_stop_hours else None,
        costs=exposure.costs,
        max_chase=plan.max_chase,
        breakeven=plan.management == Plan.Management.BREAKEVEN,
        trail=plan.trail_atr * Decimal(atr) if trails and plan.trail_atr and atr else None,
        confirmation=from_data(plan.confirmation),
        liquidation=exposure.liquidation if is_early else None,
    )


def _kind(plan: Plan) -> Kind:
    """Return how the plan is entered; a plan from before there was a choice rests, or breaks out if it lay ahead."""
    evidence = plan.evidence or {}
    last = (evidence.get("market") or {}).get("last_price")
    if evidence.get("schema") == "bh-plan-evidence-1" and plan.entry is not None and last is not None:
        return Kind.STOP if plan.side * (plan.entry - Decimal(last)) > 0 else Kind.LIMIT
    return _KINDS[plan.entry_kind]


_AMOUNTS: Final = ("max_chase", "trail", "liquidation", "bankruptcy")
_COSTS: Final = ("entry_fee", "exit_fee", "slippage")


def write_terms(terms: Terms) -> dict[str, Any]:
    """Write terms as JSON-able values, decimals as strings."""
    return {
        "side": terms.side,
        "kind": terms.kind.value,
        "entry": str(terms.entry),
        "stop": str(terms.stop),
        "targets": [[str(target.price), str(target.weight)] for target in terms.targets],
        "tick": str(terms.tick),
        "armed_ms": terms.armed_ms,
        "expires_ms": terms.expires_ms,
        "time_stop_ms": terms.time_stop_ms,
        "breakeven": terms.breakeven,
        "confirmation": to_data(terms.confirmation),
        **{name: _text(getattr(terms, name)) for name in _AMOUNTS},
        **{name: str(getattr(terms.costs, name)) for name in _COSTS},
    }


def read_terms(written: dict[str, Any]) -> Terms:
    """Undo ``write_terms``, also of terms that were written when there was less to say."""
    return Terms(
        side=written["side"],
        kind=Kind(written["kind"]),
        entry=Decimal(written["entry"]),
        stop=Decimal(written["stop"]),
        targets=tuple(Target(Decimal(price), Decimal(weight)) for price, weight in written["targets"]),
        tick=Decimal(written["tick"]),
        armed_ms=written["armed_ms"],
        expires_ms=written["expires_ms"],
        time_stop_ms=written.get("time_stop_ms"),
        breakeven=written.get("breakeven", False),
        confirmation=from_data(written.get("confirmation") or {}),
        costs=Costs(*(Decimal(written[name]) for name in _COSTS)),
        **{name: _number(written.get(name)) for name in _AMOUNTS},
    )


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
