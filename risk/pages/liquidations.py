"""The answer about a position's liquidation price."""

from __future__ import annotations

from typing import TYPE_CHECKING

from risk import formulas
from risk.pages.explaining import Explanation, Figure, Step, draw_ladder
from risk.pages.positions import (
    describe_brackets,
    describe_fees,
    find_early,
    held_bracket,
    leverage_figure,
    price_figure,
)
from risk.pages.words import DASH, number, percent

if TYPE_CHECKING:
    from decimal import Decimal

    from risk.formulas import Bracket
    from risk.pages.positions import Position


def explain_liquidation(
    *, position: Position, leverage: Decimal, quantity: Decimal, stop: Decimal | None
) -> Explanation:
    """Explain the isolated liquidation price by the bracket that holds there; ValueError without enough margin."""
    price, bankrupt = position.liquidation(leverage, quantity), _bankruptcy(position, leverage)
    held = held_bracket(position, price, quantity)
    margin = position.margin(quantity, leverage)
    place = f"bracket {position.brackets.index(held) + 1} of {len(position.brackets)}"
    figures = [
        price_figure("liquidation", "Estimated liquidation price", price, position),
        price_figure("bankruptcy", "Price at which the margin is gone", bankrupt, position),
        Figure("maintenance", "Maintenance rate there", held.maintenance_rate, percent(held.maintenance_rate), place),
        Figure("margin", "Margin, lost at liquidation", margin, f"{number(margin)} {position.money}"),
    ]
    if not position.is_inverse:
        older = position.entry * (1 - position.side * (1 / leverage - held.maintenance_rate))
        figures.append(price_figure("older", "By the older rule, maintenance on the entry value", older, position))
    warnings = []
    if stop is not None:
        formulas.require_order(side=position.side, entry=position.entry, stop=stop)
        figures.append(leverage_figure(position, stop, held.maintenance_rate))
        warnings = find_early(position, price, stop)
    marks = [("entry", "entry", position.entry), ("stop", "stop", stop)]
    marks += [("liquidation", "liquidation", price), ("bankruptcy", "margin gone", bankrupt)]
    notes = [
        *describe_fees(position),
        *describe_brackets(position),
        "Isolated margin, nothing added to it. With cross margin the rest of the account moves this price.",
        "Venues liquidate on the mark price, not on the last one, and round by their own rules: an estimate.",
    ]
    return Explanation(figures, _steps(position, leverage, held, price), warnings, notes, draw_ladder(marks))


def _bankruptcy(position: Position, leverage: Decimal) -> Decimal | None:
    side, entry = position.side, position.entry
    if position.is_inverse:
        below = 1 + side / leverage
        return entry / below if below > 0 else None
    price = entry * (1 - side / leverage)
    return price if price > 0 else None


def _steps(position: Position, leverage: Decimal, held: Bracket, price: Decimal | None) -> list[Step]:
    formula = "LP = (s q E − M − D) / (q (s − m)),  M = q E / L"
    if position.is_inverse:
        formula = "LP = N (1 + s m) / (N/E + s (M + D)),  M = N / (E L)"
    rate, deduction = percent(held.maintenance_rate, 3), number(held.deduction)
    shown = DASH if price is None else number(price, position.digits)
    terms = f"E = {number(position.entry)}, L = {number(leverage)}, {position.sign}"
    return [
        Step("m and D are those of the bracket that holds at the liquidation price", f"m = {rate}, D = {deduction}"),
        Step(formula, f"{terms} → {shown}"),
    ]
