"""What a target would pay against what the stop would cost, and the price that pays for the costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .sizing import loss_per_unit
from .terms import FREE, ONE, ZERO, Costs, Side, exact, require_order, require_positive

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Reward:
    """Reward over risk before and after costs, and the share of wins at which either breaks even."""

    gross: Decimal
    gross_win_rate: Decimal
    net: Decimal
    net_win_rate: Decimal


@exact
def reward_to_risk(*, side: Side, entry: Decimal, stop: Decimal, target: Decimal, costs: Costs = FREE) -> Reward:
    """Return reward over risk and the required win-rate p = loss / (win + loss), gross and net of costs.

    win = s (T - E) - fee_in E - fee_out T - funding.
    """
    win = _win(side, entry, stop, target, costs)
    loss = loss_per_unit(side=side, entry=entry, stop=stop, costs=costs)
    gross_win, gross_loss = side * (target - entry), side * (entry - stop)
    return Reward(
        gross=gross_win / gross_loss,
        gross_win_rate=gross_loss / (gross_win + gross_loss),
        net=win / loss,
        net_win_rate=loss / (win + loss),
    )


def _win(side: Side, entry: Decimal, stop: Decimal, target: Decimal, costs: Costs) -> Decimal:
    require_order(side=side, entry=entry, stop=stop, target=target)
    win = side * (target - entry) - costs.entry_fee * entry - costs.exit_fee * target - costs.funding
    if win <= 0:
        raise ValueError("The target does not cover the costs. Move it further from the entry.")
    return win


@exact
def break_even(*, side: Side, entry: Decimal, costs: Costs) -> Decimal:
    """Return the exit price that pays for fees and funding: (E (1 + s fee_in) + s funding) / (1 - s fee_out)."""
    require_positive(entry=entry)
    return (entry * (1 + side * costs.entry_fee) + side * costs.funding) / (1 - side * costs.exit_fee)


@dataclass(frozen=True, slots=True)
class Scaled:
    """Reward over risk [R, net of costs] of several targets: all hit, or the first, then stop or break-even.

    Three numbers on purpose: one blended figure would hide that the later targets are reached less often.
    """

    all_hit: Decimal
    first_then_stop: Decimal
    first_then_even: Decimal


@exact
def scaled_reward(  # noqa: PLR0913  # a position has this many terms, each by name
    *,
    side: Side,
    entry: Decimal,
    stop: Decimal,
    targets: Sequence[Decimal],
    shares: Sequence[Decimal],
    costs: Costs = FREE,
) -> Scaled:
    """Return what leaving in parts pays; ``shares`` are the parts of the position [fraction], 1 together."""
    if not targets or len(targets) != len(shares) or sum(shares, ZERO) != ONE or min(shares, default=ZERO) <= 0:
        raise ValueError("Give each target a share of the position; the shares are above 0 % and make 100 % together.")
    order = [side * target for target in targets]
    if order != sorted(order):
        raise ValueError("Give the targets in the order in which the price would meet them.")
    loss = loss_per_unit(side=side, entry=entry, stop=stop, costs=costs)
    wins = [_win(side, entry, stop, target, costs) / loss for target in targets]
    first = shares[0] * wins[0]
    return Scaled(sum((s * w for s, w in zip(shares, wins, strict=True)), ZERO), first - (1 - shares[0]), first)
