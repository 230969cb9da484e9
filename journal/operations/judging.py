"""What the verdict goes by, fixed when a plan is armed: the terms, the costs of that day, and where it stands."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from journal.models import Judgement, Plan
from journal.verdict import ENGINE_VERSION, Kind, Target, Terms, start
from journal.verdict.keeping import to_plain
from market.series import epoch_ms
from risk import queries as risk_queries
from risk.formulas import Costs

if TYPE_CHECKING:
    from journal.verdict import State


def begin_judgement(plan: Plan) -> Judgement:
    """Store the terms by which an armed plan is judged, beside the plan and in its transaction."""
    instrument = plan.zone.heatmap.instrument
    terms = _terms(plan)
    return Judgement.objects.owned_by(plan.owner_id).create(
        plan=plan, instrument=instrument, terms=write_terms(terms), **kept(terms, start(terms)), engine=ENGINE_VERSION
    )


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
    }


def _terms(plan: Plan) -> Terms:
    """Read the locked terms. An entry on the way back from the last price rests; one ahead of it is a breakout."""
    assert plan.armed_at is not None
    evidence, side = plan.evidence or {}, 1 if plan.direction == Plan.Direction.LONG else -1
    last = (evidence.get("market") or {}).get("last_price")
    is_breakout = last is not None and side * (plan.entry - Decimal(last)) > 0
    instrument = plan.zone.heatmap.instrument
    preset = risk_queries.preset(instrument.key)
    fees = preset.fees if preset else None
    return Terms(
        side=1 if side > 0 else -1,
        kind=Kind.STOP if is_breakout else Kind.LIMIT,
        entry=plan.entry,
        stop=plan.invalidation,
        targets=(Target(plan.target),),
        tick=instrument.tick_size,
        armed_ms=epoch_ms(plan.armed_at),
        expires_ms=epoch_ms(plan.expires_at),
        costs=Costs(entry_fee=fees.maker, exit_fee=fees.taker) if fees else Costs(),
    )


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
        "entry_fee": str(terms.costs.entry_fee),
        "exit_fee": str(terms.costs.exit_fee),
        "slippage": str(terms.costs.slippage),
    }


def read_terms(written: dict[str, Any]) -> Terms:
    """Undo ``write_terms``."""
    return Terms(
        side=written["side"],
        kind=Kind(written["kind"]),
        entry=Decimal(written["entry"]),
        stop=Decimal(written["stop"]),
        targets=tuple(Target(Decimal(price), Decimal(weight)) for price, weight in written["targets"]),
        tick=Decimal(written["tick"]),
        armed_ms=written["armed_ms"],
        expires_ms=written["expires_ms"],
        costs=Costs(*(Decimal(written[name]) for name in ("entry_fee", "exit_fee", "slippage"))),
    )
