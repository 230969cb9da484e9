"""A plan's terms in words and figures, with what follows from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from access.reading import written
from journal.models import Plan
from journal.pages.words import DASH, digits_of, price_text, share_text, short_text, signed
from journal.queries.exposure import liquidates_first
from journal.verdict import Rule, from_data

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from journal.queries.exposure import Exposure

Figure = tuple[str, str, str]
_RULES: Final = {
    Rule.CLOSE_BEYOND: "a {candle} candle closes beyond {price}",
    Rule.RECLAIM: "a {candle} candle closes back beyond {price} after one that lost it",
    Rule.SWEEP_RECLAIM: "the price trades through {price}, then a {candle} candle closes back",
    Rule.VOLUME: "the volume of a {candle} candle is {amount} times the mean of 20",
    Rule.OPEN_INTEREST: "open interest changes by {amount} % over a {candle} candle",
    Rule.MANUAL: "its author presses a button, by the server's clock",
}


def describe_terms(plan: Plan) -> list[Figure]:
    """Write the terms as people read them: label, value, remark."""
    digits = digits_of(plan.zone.heatmap.instrument.tick_size)
    rows: list[Figure] = [("Direction", plan.get_direction_display(), "")]
    if not plan.is_observed and plan.entry and plan.invalidation:
        away = written(f"{abs(plan.entry - plan.invalidation) / plan.entry * 100:.2f} % away")
        rows += [
            ("Entry", price_text(plan.entry, digits), plan.get_entry_kind_display().lower()),
            ("Invalidation", price_text(plan.invalidation, digits), away),
        ]
        rows += _targets(plan, digits)
        rows += _execution(plan)
        rows.append(("Risk of equity", written(f"{plan.risk_pct.normalize():f} %") if plan.risk_pct else DASH, ""))
    if (rule := describe_rule(plan.confirmation, digits)) != "":
        rows.append(("Counts once", rule, ""))
    if plan.belief_pct is not None:
        rows.append(("Belief", f"{plan.belief_pct} %", "first target before the stop"))
    if plan.conviction is not None:
        rows.append(("Conviction", f"{plan.conviction} of 5", ""))
    return rows


def _targets(plan: Plan, digits: int) -> list[Figure]:
    targets = plan.target_prices
    if len(targets) == 1:
        return [("Target", price_text(targets[0][0], digits), "")]
    return [
        (f"Target {i}", price_text(price, digits), f"{share_text(weight, 0)} of it")
        for i, (price, weight) in enumerate(targets, 1)
    ]


def _execution(plan: Plan) -> list[Figure]:
    rows: list[Figure] = []
    if plan.max_chase is not None:
        rows.append(("Furthest fill", written(f"{plan.max_chase.normalize():f} R"), "beyond the entry"))
    if plan.management == Plan.Management.TRAIL and plan.trail_atr:
        rows.append(("Stop", "trails the close", written(f"by {plan.trail_atr.normalize():f} ATR")))
    elif plan.management == Plan.Management.BREAKEVEN:
        rows.append(("Stop", "to the entry", "after the first target"))
    if plan.trigger_source == Plan.TriggerSource.MARK:
        rows.append(("Stop is set off by", "mark price", ""))
    if plan.time_stop_hours:
        rows.append(("Time stop", f"{plan.time_stop_hours} h", "after the entry"))
    return rows


def describe_rule(data: dict[str, Any], digits: int) -> str:
    """Say what a confirmation rule waits for; empty for none."""
    rule = from_data(data)
    if rule is None:
        return ""
    minutes = rule.candle_ms // 60_000
    candle = f"{minutes} min" if minutes < 60 else f"{minutes // 60} h"  # noqa: PLR2004  # minutes of an hour
    amount = "" if rule.amount is None else written(f"{rule.amount.normalize():f}")
    return _RULES[rule.rule].format(candle=candle, price=price_text(rule.price, digits), amount=amount)


def describe_exposure(found: Exposure, terms: Mapping[str, Any], tick: Decimal) -> tuple[list[Figure], list[str]]:
    """Say what a plan would cost and pay: figures, and sentences about what does not fit."""
    digits, rows = digits_of(tick), list[Figure]()
    if found.reward:
        rows += [
            ("Reward : risk, gross", written(f"{found.reward.gross:.2f}"), ""),
            ("Reward : risk, net", written(f"{found.reward.net:.2f}"), "fees and slippage taken off"),
            (
                "Required win-rate",
                share_text(found.reward.net_win_rate),
                f"gross {share_text(found.reward.gross_win_rate)}",
            ),
        ]
    if found.scaled:
        rows += [
            ("All targets", f"{signed(found.scaled.all_hit)} R", "net"),
            ("First, then the stop", f"{signed(found.scaled.first_then_stop)} R", "net"),
        ]
    if found.size:
        money = found.size.risk
        rows.append(("Size", short_text(found.size.quantity), "contracts" if found.is_inverse else ""))
        rows.append(("Loss at the stop", short_text(money), "costs included"))
    if found.notional is not None:
        rows.append(("Notional", short_text(found.notional), "USD" if found.is_inverse else ""))
    if found.margin is not None:
        rows.append(("Margin", short_text(found.margin), ""))
    if terms.get("leverage") is not None and "leverage" not in found.problems:
        rows.append(("Estimated liquidation price", price_text(found.liquidation, digits), found.brackets_of))
    if found.loss is not None:
        most = "any" if found.most_leverage is None else f"up to {found.most_leverage}x"
        rows.append(("Leverage that keeps it beyond the stop", most, ""))
    return rows, _warnings(found, terms)


def _warnings(found: Exposure, terms: Mapping[str, Any]) -> list[str]:
    said = [sentence for name, sentence in found.problems.items() if name != "invalidation"]
    side = {"long": 1, "short": -1}.get(str(terms.get("direction")), 0)
    if side and terms.get("invalidation") and liquidates_first(found, side=side, stop=terms["invalidation"]):
        said.append("The position would be liquidated before the invalidation. Lower the leverage.")
    if found.reward and found.reward.net < 1:
        said.append("The first target pays less than the stop costs.")
    if not found.has_fees:
        said.append("No fees are known for this venue: costs are slippage alone.")
    return said
