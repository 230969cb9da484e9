"""Answers about leaving a position: the price that pays for the costs, and what targets pay against the stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from risk import formulas
from risk.pages.explaining import Explanation, Figure, Step, draw_ladder
from risk.pages.positions import describe_fees, price_figure
from risk.pages.words import number, percent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from risk.pages.positions import Position


def explain_break_even(*, position: Position, rate: Decimal, settlements: int) -> Explanation:
    """Explain the exit price at which fees and funding are paid for; ``position.costs.funding`` is per unit."""
    side, entry, costs = position.side, position.entry, position.costs
    exact = formulas.break_even(side=side, entry=entry, costs=costs)
    # Away from the entry: the farther price is the careful one.
    price = position.snap(exact, is_up=side > 0)
    fees = costs.entry_fee * entry + costs.exit_fee * exact
    word = "received" if costs.funding < 0 else "paid"
    unit = f"{position.money} for one {position.base}"
    figures = [
        price_figure("break_even", "Break-even price", price, position),
        Figure("fees", "Fees, both ways", fees, f"{number(fees)} {unit}"),
        Figure(
            "funding", f"Funding {word}", costs.funding, f"{number(abs(costs.funding))} {unit}", f"{settlements} times"
        ),
    ]
    held = f"{number(entry)} · {percent(rate, 4)} · {settlements} = {number(costs.funding)}, {position.sign}"
    steps = [
        Step("F = s · E · rate · settlements", held),
        Step("P = (E (1 + s fee_in) + s F) / (1 − s fee_out)", number(exact)),
    ]
    notes = describe_fees(position)
    notes += [
        "Funding is paid only by who holds the position at a settlement. The rate is taken as constant; it is not.",
        "The price is taken as standing still at the entry when funding is counted.",
    ]
    ladder = draw_ladder([("entry", "entry", entry), ("target", "break-even", price)])
    return Explanation(figures, steps, [], notes, ladder)


def explain_reward(
    *, position: Position, stop: Decimal, targets: Sequence[Decimal], shares: Sequence[Decimal]
) -> Explanation:
    """Explain what targets pay for each unit of risk, and how often they must be reached to break even."""
    side, entry, costs = position.side, position.entry, position.costs
    rewards = [
        formulas.reward_to_risk(side=side, entry=entry, stop=stop, target=target, costs=costs) for target in targets
    ]
    first = rewards[0]
    figures = [
        Figure("net", "Reward over risk, after costs", first.net, f"{number(first.net, 2)} R", "first target"),
        Figure("net_win_rate", "Win rate that breaks even", first.net_win_rate, percent(first.net_win_rate, 1)),
        Figure(
            "gross",
            "Before costs",
            first.gross,
            f"{number(first.gross, 2)} R",
            f"{percent(first.gross_win_rate, 1)} to break even",
        ),
    ]
    if len(targets) > 1:
        figures += _scaled(position, stop, targets, shares)
    loss = formulas.loss_per_unit(side=side, entry=entry, stop=stop, costs=costs)
    steps = [
        Step("loss = s (E − X′) + fee_in · E + fee_out · X′ + funding paid", number(loss)),
        Step("win = s (T − E) − fee_in · E − fee_out · T − funding", number(first.net * loss)),
        Step("win rate = loss / (win + loss)", percent(first.net_win_rate, 1)),
    ]
    notes = [*describe_fees(position), "It says nothing about how often a target is reached."]
    ladder = draw_ladder(
        [("entry", "entry", entry), ("stop", "stop", stop)]
        + [("target", f"target {i}" if len(targets) > 1 else "target", price) for i, price in enumerate(targets, 1)]
    )
    return Explanation(figures, steps, [], notes, ladder)


def _scaled(position: Position, stop: Decimal, targets: Sequence[Decimal], shares: Sequence[Decimal]) -> list[Figure]:
    found = formulas.scaled_reward(
        side=position.side, entry=position.entry, stop=stop, targets=targets, shares=shares, costs=position.costs
    )
    rows = (
        ("all_hit", "All targets reached", found.all_hit),
        ("first_then_stop", "Only the first, then the stop", found.first_then_stop),
        ("first_then_even", "Only the first, then out at the entry", found.first_then_even),
    )
    return [Figure(name, label, value, f"{number(value, 2)} R") for name, label, value in rows]
