"""The answer about a position's size."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from risk import formulas
from risk.pages.explaining import Explanation, Figure, Step, draw_ladder
from risk.pages.positions import describe_brackets, describe_fees, find_early, leverage_figure, price_figure
from risk.pages.words import number, percent

if TYPE_CHECKING:
    from risk.formulas import Size
    from risk.pages.positions import Position


def explain_size(  # noqa: PLR0913  # a position has this many terms, each by name
    *,
    position: Position,
    stop: Decimal,
    account: Decimal,
    risk_share: Decimal,
    step: Decimal,
    leverage: Decimal | None,
) -> Explanation:
    """Explain the largest size that loses at most ``risk_share`` of the account at the stop."""
    budget = account * risk_share
    size = _size(position, stop, budget, step)
    figures = _figures(position, stop, account, budget, size)
    liquidation: Decimal | None = None
    warnings: list[str] = []
    if leverage is not None:
        more, liquidation, warnings = _with_leverage(position, stop, account, size, leverage)
        figures += more
    marks = [("entry", "entry", position.entry), ("stop", "stop", stop), ("liquidation", "liquidation", liquidation)]
    notes = [
        *describe_fees(position),
        *describe_brackets(position),
        "A stop is filled at its price less the slippage given. In a fast market it may be filled far beyond it.",
    ]
    return Explanation(figures, _steps(position, stop, budget, size, step), warnings, notes, draw_ladder(marks))


def _size(position: Position, stop: Decimal, budget: Decimal, step: Decimal) -> Size:
    side, entry, costs = position.side, position.entry, position.costs
    if not position.is_inverse:
        return formulas.size_by_stop(side=side, entry=entry, stop=stop, budget=budget, step=step, costs=costs)
    return formulas.size_by_stop_inverse(
        side=side, entry=entry, stop=stop, budget=budget, contract_usd=position.contract_usd, costs=costs
    )


def _figures(position: Position, stop: Decimal, account: Decimal, budget: Decimal, size: Size) -> list[Figure]:
    entry, money = position.entry, position.money
    notional = position.notional(size.quantity)
    times = notional / (account * entry if position.is_inverse else account)
    naive = budget / (position.contract_usd * abs(1 / stop - 1 / entry) if position.is_inverse else abs(entry - stop))
    risked = naive * size.loss_per_unit
    value = f"{number(notional)} {'USD' if position.is_inverse else money}"
    return [
        Figure("quantity", "Size", size.quantity, f"{number(size.quantity)} {position.base}"),
        Figure(
            "risk",
            "Loss at the stop, costs included",
            size.risk,
            f"{number(size.risk)} {money}",
            percent(size.risk / account) + " of the account",
        ),  # one figure, one line
        Figure("notional", "Notional", notional, value, f"{number(times, 2)} times the account"),
        Figure("unused", "Budget lost to the step", size.unused_share, percent(size.unused_share)),
        Figure(
            "naive_risk",
            "What a size without costs would lose",
            risked,
            f"{number(risked)} {money}",
            f"{number(naive)} {position.base}",
        ),  # one figure, one line
        leverage_figure(position, stop, position.brackets[0].maintenance_rate),
    ]


def _with_leverage(
    position: Position, stop: Decimal, account: Decimal, size: Size, leverage: Decimal
) -> tuple[list[Figure], Decimal | None, list[str]]:
    margin = position.margin(size.quantity, leverage)
    figures = [Figure("margin", f"Margin at {number(leverage)}x", margin, f"{number(margin)} {position.money}")]
    warnings = []
    if margin > account:
        warnings.append("The margin is larger than the account. Raise the leverage or lower the risk.")
    try:
        liquidation = position.liquidation(leverage, size.quantity)
    except ValueError as refusal:
        return figures, None, [*warnings, str(refusal)]
    figures.append(price_figure("liquidation", "Estimated liquidation price", liquidation, position))
    return figures, liquidation, warnings + find_early(position, liquidation, stop)


def _steps(position: Position, stop: Decimal, budget: Decimal, size: Size, step: Decimal) -> list[Step]:
    filled = stop * (1 - position.side * position.costs.slippage)
    loss = number(size.loss_per_unit)
    if position.is_inverse:
        formula = "loss = C · (s (1/X′ − 1/E) + fee_in/E + fee_out/X′)"
        worked = f"{loss} {position.money} for a contract of {number(position.contract_usd)} USD"
    else:
        formula = "loss = s (E − X′) + fee_in · E + fee_out · X′ + funding paid"
        worked = f"{loss} {position.money} for one {position.base}"
    taken = number(Decimal(1) if position.is_inverse else step)
    raw = number(budget / size.loss_per_unit)
    return [
        Step("X′ = X · (1 − s · slippage)", f"{number(stop)} → {number(filled)}, {position.sign}"),
        Step(formula, worked),
        Step(
            "size = budget / loss, down to a whole step",
            f"{number(budget)} / {loss} = {raw} → {number(size.quantity)}, step {taken}",
        ),  # one step, one line
    ]
