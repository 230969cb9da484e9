"""The rule that has to hold before an entry counts, as data, and how closes fulfil it.

Prices of bars decide over ``close_beyond``, ``reclaim`` and ``sweep_reclaim``; what else there is (volume, open
interest, the trader's own press) comes from outside as moments at which it held. Prices are turned by the side.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from risk.formulas import Side

    from .paths import Bar

MINUTE_MS = 60_000


class Rule(Enum):
    """What has to happen first."""

    CLOSE_BEYOND = "close_beyond"  # a candle closes at or beyond the level, the way the plan goes
    RECLAIM = "reclaim"  # a candle closes on the wrong side of the level, a later one back at or beyond it
    SWEEP_RECLAIM = "sweep_reclaim"  # the price trades through the level, then a candle closes back at or beyond it
    VOLUME = "volume"  # a candle's volume is so many times the mean of those before it
    OPEN_INTEREST = "open_interest"  # open interest changes by so many percent over a candle
    MANUAL = "manual"  # the trader says so, by the server's clock

    @property
    def needs_price(self) -> bool:
        """Whether it is about a level."""
        return self in {Rule.CLOSE_BEYOND, Rule.RECLAIM, Rule.SWEEP_RECLAIM}

    @property
    def needs_amount(self) -> bool:
        """Whether it is about an amount."""
        return self in {Rule.VOLUME, Rule.OPEN_INTEREST}


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A rule with its level [quote], its candle [ms] and its amount (times, or percent with its sign)."""

    rule: Rule
    candle_ms: int = 5 * MINUTE_MS
    price: Decimal | None = None
    amount: Decimal | None = None

    def __post_init__(self) -> None:
        """Refuse a rule that lacks what it is about."""
        if self.rule.needs_price and self.price is None:
            raise ValueError("Give the price that the rule is about.")
        if self.rule.needs_amount and not self.amount:
            raise ValueError("Give the amount that the rule is about.")

    def primes(self, bar: Bar, side: Side) -> bool:
        """Whether this bar is what a reclaim comes after."""
        if self.price is None or self.rule is Rule.CLOSE_BEYOND:
            return False
        level = side * self.price
        if self.rule is Rule.SWEEP_RECLAIM:
            return bar.low < level
        return bar.end_ms % self.candle_ms == 0 and bar.close < level

    def holds(self, bar: Bar, side: Side, *, is_primed: bool) -> bool:
        """Whether the candle that ends with this bar fulfils a rule about a level."""
        if self.price is None or bar.end_ms % self.candle_ms:
            return False
        level = side * self.price
        # A sweep and the close that takes it back may be in one bar; a close is a bar's last price.
        is_swept = self.rule is Rule.SWEEP_RECLAIM and bar.low < level
        return (is_primed or is_swept or self.rule is Rule.CLOSE_BEYOND) and bar.close >= level

    def may_matter(self, bars: npt.NDArray[np.void], side: Side, step_ms: int, *, is_primed: bool) -> Any:  # noqa: ANN401  # bool[n]
        """Return bool[n]: bars that have to be looked at for a rule about a level."""
        ends = bars["open_time"] + step_ms
        if self.price is None:
            return ends < 0
        level = float(side * self.price)
        close, low = side * bars["close"], bars["low"] if side > 0 else -bars["high"]
        room = abs(level) * 1e-9
        at_end = ends % self.candle_ms == 0
        may = at_end & (close >= level - room)
        if not is_primed and self.rule is not Rule.CLOSE_BEYOND:
            may = (low <= level + room) if self.rule is Rule.SWEEP_RECLAIM else at_end & (close <= level + room)
        return may


def to_data(rule: Confirmation | None) -> dict[str, Any]:
    """Write a rule as JSON-able values; an empty object for none."""
    if rule is None:
        return {}
    made: dict[str, Any] = {"rule": rule.rule.value, "candle_s": rule.candle_ms // 1000}
    made |= {name: format(value, "f") for name in ("price", "amount") if (value := getattr(rule, name)) is not None}
    return made


def from_data(data: dict[str, Any]) -> Confirmation | None:
    """Undo ``to_data``; raises ValueError or KeyError for what is no rule."""
    if not data:
        return None
    price, amount = (Decimal(data[name]) if name in data else None for name in ("price", "amount"))
    return Confirmation(Rule(data["rule"]), int(data["candle_s"]) * 1000, price, amount)
