"""Set what was done beside what was planned."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from journal.comparison import (
    Adherence,
    Execution,
    Lateness,
    Waterfall,
    adherence,
    entered_at,
    lateness,
    result_of_fill,
    trades_of,
    waterfall,
)
from journal.comparison import Trade as Position
from journal.models import JournalEntry, Judgement, PlanEvent, Trade
from journal.operations.judging import read_terms
from journal.operations.measuring import measure_trade
from journal.queries import expose, fills_of
from journal.verdict import judge
from market.queries import load_bars
from market.series import epoch_ms, moment

if TYPE_CHECKING:
    from journal.models import Plan
    from journal.verdict import Excursion, Terms

_MINUTE_S: Final = 60
_LONGEST: Final = dt.timedelta(days=35)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A closed trade beside its plan. What can not be told is None, and ``missing`` says why.

    model: the plan's worst result; best: its best [R]; meanwhile: how far the price went while the trade was open.
    """

    trade: Trade
    model: Decimal | None = None
    best: Decimal | None = None
    late: Lateness | None = None
    steps: Waterfall | None = None
    of_fill: Decimal | None = None
    kept: Adherence | None = None
    meanwhile: Excursion | None = None
    missing: tuple[str, ...] = ()


def compare(*, owner_id: int, plan: Plan, trade: Trade, now: dt.datetime) -> Comparison:
    """Set a trade beside its plan."""
    judged = Judgement.objects.owned_by(owner_id).filter(plan_id=plan.pk).first()
    position = position_of(owner_id=owner_id, trade=trade)
    if judged is None or position is None:
        return Comparison(
            trade, missing=("The plan has no verdict." if judged is None else "No single fills are known.",)
        )
    terms = read_terms(judged.terms)
    triggered = (
        PlanEvent.objects.owned_by(owner_id).filter(plan_id=plan.pk, kind="triggered").order_by("number").first()
    )
    late = lateness(terms, position, triggered_ms=None if triggered is None else epoch_ms(triggered.at))
    size = _planned_size(plan)
    steps, missing = _steps(terms, judged, position, size, now)
    return Comparison(
        trade=trade,
        model=judged.result_low,
        best=judged.result_high,
        late=late,
        steps=steps,
        of_fill=result_of_fill(terms, position),
        kept=_kept(terms, position, late, size, is_widened=_is_widened(owner_id=owner_id, plan_id=plan.pk)),
        meanwhile=measure_trade(terms, position, instrument_id=judged.instrument_id),
        missing=missing,
    )


def position_of(*, owner_id: int, trade: Trade) -> Position | None:
    """Return a trade as positions are compared, its fees as far as they are known."""
    fills = fills_of(owner_id=owner_id, trade=trade)
    paid = (trade.fees or Decimal(0)) / len(fills) if fills else Decimal(0)
    made = trades_of(Execution(epoch_ms(one.at), one.side, one.price, one.quantity, paid, one.pk) for one in fills)
    return next((one for one in made if one.side == trade.side), None)


def _planned_size(plan: Plan) -> Decimal | None:
    size = expose(key=plan.zone.heatmap.instrument.key, terms=vars(plan)).size
    return size.quantity if size and size.quantity > 0 else None


def _steps(
    terms: Terms, judged: Judgement, position: Position, size: Decimal | None, now: dt.datetime
) -> tuple[Waterfall | None, tuple[str, ...]]:
    missing = []
    if not judged.is_done:
        missing.append("The plan is not judged to its end yet.")
    if not position.is_closed:
        missing.append("The trade is still open.")
    if size is None:
        missing.append("The plan names no account size, so its size is not known.")
    entered = None if missing else _entered(terms, judged.instrument_id, position, now)
    if not missing and entered is None:
        missing.append("The bars after the entry are not all stored.")
    if missing or size is None or entered is None or judged.result_low is None:
        return None, tuple(missing)
    return waterfall(terms, position, planned_size=size, model=judged.result_low, entered=entered), ()


def _entered(terms: Terms, instrument_id: int, position: Position, now: dt.datetime) -> Decimal | None:
    """Return what the plan makes when entered as the trader did, on its worst course; None without the bars."""
    since = moment(position.opened_ms)
    for timeframe in (_MINUTE_S, 5 * _MINUTE_S):
        state = entered_at(terms, price=position.entry, at_ms=position.opened_ms, step_ms=timeframe * 1000)
        bars = load_bars(
            instrument_id=instrument_id, since=since, until=min(now, since + _LONGEST), timeframe=timeframe
        )
        if len(bars):
            done = judge(terms, state, bars, step_ms=timeframe * 1000).state
            return min(one.result(terms) for one in done.branches) if done.is_done else None
    return None


def _is_widened(*, owner_id: int, plan_id: int) -> bool | None:
    """Tell whether a stop was moved so that more was risked; None where the chain tells of no stop."""
    moved = JournalEntry.objects.owned_by(owner_id).filter(plan_id=plan_id, kind=JournalEntry.Kind.STOP)
    said = [json.loads(content)["is_risk_increasing"] for content in moved.values_list("content", flat=True)]
    return any(said) if said else None


def _kept(
    terms: Terms, position: Position, late: Lateness, size: Decimal | None, *, is_widened: bool | None
) -> Adherence:
    distance = abs(terms.entry - terms.stop)
    beyond = [terms.side * (terms.stop - one.price) / distance for one in position.closes]
    near = [*(target.price for target in terms.targets), terms.stop]
    last = position.closes[-1].price if position.is_closed else None
    return adherence(
        had_plan=True,
        chase=late.chase,
        size_ratio=position.size / size if size else None,
        beyond_stop=max(Decimal(0), *beyond) if beyond else None,
        widened=is_widened,
        exit_by_rule=None if last is None else min(abs(last - level) for level in near) <= distance / 10,
    )
