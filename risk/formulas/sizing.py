"""How large a position may be: its loss at the stop, costs included, stays within a budget."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from .terms import FREE, ONE, ZERO, Costs, Side, exact, require_order, require_positive


@dataclass(frozen=True, slots=True)
class Size:
    """A quantity that loses ``risk`` at the stop; ``unused_share`` of the budget is lost to the step."""

    quantity: Decimal
    loss_per_unit: Decimal
    risk: Decimal
    unused_share: Decimal


@exact
def loss_per_unit(*, side: Side, entry: Decimal, stop: Decimal, costs: Costs = FREE) -> Decimal:
    """Return what one unit of base loses at the stop [quote], costs included; funding received does not help.

    X' = X (1 - s slippage);  loss = s (E - X') + fee_in E + fee_out X' + max(0, funding).
    """
    require_order(side=side, entry=entry, stop=stop)
    filled = stop * (1 - side * costs.slippage)
    fees = costs.entry_fee * entry + costs.exit_fee * filled
    return _real_loss(side * (entry - filled) + fees + max(ZERO, costs.funding))


@exact
def size_by_stop(  # noqa: PLR0913  # a position has this many terms, each by name
    *,
    side: Side,
    entry: Decimal,
    stop: Decimal,
    budget: Decimal,
    step: Decimal,
    costs: Costs = FREE,
    smallest: Decimal = ZERO,
) -> Size:
    """Return the largest multiple of ``step`` [base] whose loss at the stop stays within ``budget`` [quote]."""
    require_positive(budget=budget, step=step)
    return _size(budget, step, loss_per_unit(side=side, entry=entry, stop=stop, costs=costs), smallest)


@exact
def size_by_stop_inverse(  # noqa: PLR0913  # a position has this many terms, each by name
    *, side: Side, entry: Decimal, stop: Decimal, budget: Decimal, contract_usd: Decimal, costs: Costs = FREE
) -> Size:
    """Return the number of coin-margined contracts whose loss at the stop stays within ``budget`` [coin].

    loss = C (s (1/X' - 1/E) + fee_in / E + fee_out / X'). A budget in USD is worth budget / X' at the stop.
    """
    require_positive(budget=budget, contract_usd=contract_usd)
    require_order(side=side, entry=entry, stop=stop)
    filled = stop * (1 - side * costs.slippage)
    loss = side * (1 / filled - 1 / entry) + costs.entry_fee / entry + costs.exit_fee / filled
    return _size(budget, ONE, contract_usd * _real_loss(loss), ONE)


def _real_loss(loss: Decimal) -> Decimal:
    if loss <= 0:
        raise ValueError("The rebates are larger than the loss at the stop. Move the stop or correct the fees.")
    return loss


def _size(budget: Decimal, step: Decimal, loss: Decimal, smallest: Decimal) -> Size:
    steps = (budget / (loss * step)).to_integral_value(rounding=ROUND_FLOOR)
    quantity = steps * step
    least = max(smallest, step)
    if quantity < least:
        share = (least * loss / budget * 100).quantize(Decimal("0.1"), rounding=ROUND_CEILING)
        raise ValueError(
            f"The smallest tradable size risks {share} % of the budget. Raise the budget or bring the stop nearer."
        )
    risk = quantity * loss
    return Size(quantity=quantity, loss_per_unit=loss, risk=risk, unused_share=1 - risk / budget)


@exact
def max_leverage(
    *, side: Side, entry: Decimal, stop: Decimal, maintenance_rate: Decimal, buffer: Decimal
) -> int | None:
    """Return the largest whole leverage whose liquidation price stays ``buffer`` beyond the stop; None = any."""
    require_order(side=side, entry=entry, stop=stop)
    room = side * (1 - stop * (1 - side * buffer) * (1 - side * maintenance_rate) / entry)
    return None if room <= 0 else int((1 / room).to_integral_value(rounding=ROUND_FLOOR))
