"""What holding a position through funding settlements costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .terms import Side, exact, require_positive

if TYPE_CHECKING:
    import datetime as dt
    from decimal import Decimal

INTERVALS_H: Final = (1, 2, 4, 8, 12, 24)
_MOST: Final = 10_000


def count_settlements(*, opened: dt.datetime, closed: dt.datetime, interval_h: int) -> int:
    """Return how many settlements t with opened < t <= closed fall on whole multiples of the interval in UTC."""
    if closed < opened:
        raise ValueError("The position is closed before it is opened. Change one of the times.")
    if interval_h not in INTERVALS_H:
        raise ValueError("Give the funding interval as 1, 2, 4, 8, 12 or 24 hours.")
    step = interval_h * 3600
    return int(closed.timestamp() // step) - int(opened.timestamp() // step)


@exact
def funding_per_unit(*, side: Side, price: Decimal, rate: Decimal, settlements: int) -> Decimal:
    """Return what one unit of base pays [quote], negative if it receives: s * price * rate * settlements.

    The rate is taken as constant and the price as standing still: a forecast, not a promise.
    """
    require_positive(price=price)
    if not rate.is_finite() or abs(rate) >= 1:
        raise ValueError("Give the funding rate as a percentage below 100 %, like 0.01.")
    if not 0 <= settlements <= _MOST:
        raise ValueError(f"Give the number of settlements as 0 to {_MOST:,}.")
    return side * price * rate * settlements
