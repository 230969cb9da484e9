"""What has to be right at the moment of arming, beyond what a draft needs: section 4 of the journal's design."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from journal.models import Plan
from journal.queries import liquidates_first
from journal.queries.zones import near_edge

if TYPE_CHECKING:
    from journal.queries.context import Context

_TICKS: Final = 3
# A map that is older than this is not what a live market looks like.
_MAP_AGE: Final = dt.timedelta(minutes=15)


def find_obstacles(*, plan: Plan, context: Context, now: dt.datetime) -> dict[str, str]:
    """Return why a draft can not be armed now: a sentence for each field, none when all is well."""
    problems: dict[str, str] = {}
    heatmap = plan.zone.heatmap
    built = heatmap.built_through
    if heatmap.instrument.is_live and built is not None and built < now - _MAP_AGE:
        problems["zone"] = f"The map ends at {built:%Y-%m-%d %H:%M} UTC. Wait until it is up to date."
    if plan.is_observed or plan.entry is None or plan.invalidation is None:
        return problems
    problems |= _misplaced_entry(plan, context)
    problems |= _too_near(plan, context)
    for name in ("targets", "leverage", "equity"):
        if name in context.exposure.problems:
            problems[name] = context.exposure.problems[name]
    if liquidates_first(context.exposure, side=plan.side, stop=plan.invalidation):
        problems["leverage"] = "The position would be liquidated before the invalidation. Lower the leverage."
    if plan.management == Plan.Management.TRAIL and context.layers["atr"] is None:
        problems["trail_atr"] = "The hourly range is not known, so a stop can not trail by it. Choose another rule."
    return problems


def _misplaced_entry(plan: Plan, context: Context) -> dict[str, str]:
    """A resting order lies behind the last price, a breakout ahead of it."""
    assert plan.entry is not None
    last = context.market["last_price"]
    if plan.entry_kind == Plan.EntryKind.EDGE:
        edge, tick = near_edge(plan.zone), plan.zone.heatmap.instrument.tick_size
        if abs(plan.entry - edge) > tick:
            return {"entry": f"The zone's near edge is {edge.normalize():f} now. Enter there, or with a resting order."}
    if last is None or plan.entry_kind == Plan.EntryKind.CONFIRMED:
        return {}
    ahead = plan.side * (plan.entry - Decimal(str(last)))
    word = "below" if plan.side > 0 else "above"
    if plan.entry_kind == Plan.EntryKind.STOP:
        other = "above" if plan.side > 0 else "below"
        return {} if ahead > 0 else {
            "entry": f"A breakout of a {plan.direction} lies {other} the last price, {last}. Move it, or let it rest."
        }  # fmt: skip
    return {} if ahead < 0 else {
        "entry": f"A resting order of a {plan.direction} lies {word} the last price, {last}. Move it, or break out."
    }  # fmt: skip


def _too_near(plan: Plan, context: Context) -> dict[str, str]:
    """A stop has to be further away than three ticks, and than the fees both ways."""
    assert plan.entry is not None
    assert plan.invalidation is not None
    costs = context.exposure.costs
    least = max(_TICKS * plan.zone.heatmap.instrument.tick_size, (costs.entry_fee + costs.exit_fee) * plan.entry)
    if abs(plan.entry - plan.invalidation) >= least:
        return {}
    return {"invalidation": f"Put the invalidation at least {least.normalize():f} from the entry: ticks and fees."}
