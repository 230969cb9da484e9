"""What a way of trading yields for each unit of risk, how sure that is, and what Kelly's rule makes of it.

R is the result of a trade over the risk that was planned for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from .terms import ONE, ZERO, exact, require_positive

if TYPE_CHECKING:
    from collections.abc import Sequence

# Below this many results an interval is too wide to size a position by.
LEAST_RESULTS: Final = 30
_MOST_COUNTED: Final = 100
# Two-sided 95 % of the normal law.
_Z: Final = Decimal("1.959963984540054")
_ROUNDS: Final = 80


@dataclass(frozen=True, slots=True)
class Expectancy:
    """Mean result [R] with its standard error and 95 % interval (None where one result has no spread).

    sqn: sqrt(min(n, 100)) mean / sd.
    """

    count: int
    mean: Decimal
    error: Decimal | None
    low: Decimal | None
    high: Decimal | None
    sqn: Decimal | None


@exact
def expectancy(*, win_rate: Decimal, win: Decimal, loss: Decimal) -> Decimal:
    """Return p W - (1 - p) L [R] of wins of ``win`` and losses of ``loss``, both above 0."""
    require_positive(win=win, loss=loss)
    _require_rate(win_rate)
    return win_rate * win - (1 - win_rate) * loss


@exact
def expectancy_of(results: Sequence[Decimal]) -> Expectancy:
    """Return the mean of results [R] with its normal 95 % interval."""
    count = len(results)
    if count == 0:
        raise ValueError("Give at least one result in R.")
    mean = sum(results, ZERO) / count
    if count == 1:
        return Expectancy(count, mean, None, None, None, None)
    spread = (sum(((result - mean) ** 2 for result in results), ZERO) / (count - 1)).sqrt()
    error = spread / Decimal(count).sqrt()
    sqn = Decimal(min(count, _MOST_COUNTED)).sqrt() * mean / spread if spread else None
    return Expectancy(count, mean, error, mean - _Z * error, mean + _Z * error, sqn)


@exact
def kelly(*, win_rate: Decimal, win: Decimal, loss: Decimal = ONE) -> Decimal:
    """Return Kelly's fraction of equity at risk, f* = p / a - q / b for losses of a and wins of b; never below 0."""
    require_positive(win=win, loss=loss)
    _require_rate(win_rate)
    return max(ZERO, win_rate / loss - (1 - win_rate) / win)


@exact
def kelly_of(results: Sequence[Decimal]) -> Decimal:
    """Return the fraction f in [0, 1) / |worst| that maximises mean ln(1 + f R), by halving on its derivative.

    Refused without a loss among the results: any fraction would look right.
    """
    worst = min(results, default=ZERO)
    if worst >= 0:
        raise ValueError("Kelly's fraction needs at least one loss among the results.")

    def slope(fraction: Decimal) -> Decimal:
        return sum((result / (1 + fraction * result) for result in results), ZERO)

    if slope(ZERO) <= 0:
        return ZERO
    low, high = ZERO, -1 / worst
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) > 0 else (low, middle)
    return low


@exact
def growth_share(fraction: Decimal) -> Decimal:
    """Return the share of Kelly's growth that a fraction c of it keeps: c (2 - c)."""
    return fraction * (2 - fraction)


@exact
def chance_of_falling_to(*, share: Decimal, fraction: Decimal) -> Decimal:
    """Return the chance of ever falling to a share x of equity when betting c of Kelly: about x^(2/c - 1)."""
    require_positive(share=share, fraction=fraction)
    return share ** (2 / fraction - 1)


def _require_rate(win_rate: Decimal) -> None:
    if not win_rate.is_finite() or not 0 <= win_rate <= 1:
        raise ValueError("Give the win rate as 0 % to 100 %.")
