"""What a loss takes to recover from, and how long a run of losses is to be expected by chance alone."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from .terms import ONE, exact

MOST_TRADES: Final = 10_000


def require_share(**values: Decimal) -> None:
    """Refuse what does not lie strictly between 0 and 1."""
    for name, value in values.items():
        if not value.is_finite() or not 0 < value < 1:
            raise ValueError(f"Give the {name.replace('_', ' ')} as more than 0 % and less than 100 %.")


@exact
def recovery(*, drawdown: Decimal) -> Decimal:
    """Return the gain [fraction of what is left] that makes up for a drawdown: 1 / (1 - d) - 1."""
    require_share(drawdown=drawdown)
    return 1 / (1 - drawdown) - 1


@exact
def chance_of_streak(*, losing_rate: Decimal, length: int, trades: int) -> Decimal:
    """Return the chance of at least one run of ``length`` losses or more in ``trades`` independent trades.

    a_i = a_(i-1) + (1 - a_(i-k-1)) (1 - q) q^k, with a_k = q^k and a_i = 0 before it.
    """
    require_share(losing_rate=losing_rate)
    if not 1 <= length <= trades <= MOST_TRADES:
        raise ValueError(f"Give a streak of at least 1 and at most the number of trades, which may be {MOST_TRADES:,}.")
    run = losing_rate**length
    chances = [Decimal(0)] * length + [run]
    for i in range(length + 1, trades + 1):
        chances.append(chances[i - 1] + (ONE - chances[i - length - 1]) * (1 - losing_rate) * run)
    return chances[trades]


@exact
def expected_longest(*, losing_rate: Decimal, trades: int) -> Decimal:
    """Return the expected length of the longest run of losses: the sum of the chances of each length."""
    total = Decimal(0)
    for length in range(1, trades + 1):
        chance = chance_of_streak(losing_rate=losing_rate, length=length, trades=trades)
        total += chance
        if chance < Decimal("1e-9"):
            break
    return total
