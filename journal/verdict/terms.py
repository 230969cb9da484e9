"""What is judged. Prices are turned by the side (x = s * price), so that a short is a long in a mirror."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING

from risk.formulas import FREE, Costs, Side, loss_per_unit, require_order

if TYPE_CHECKING:
    from .confirming import Confirmation

ZERO = Decimal(0)
ONE = Decimal(1)


class Kind(Enum):
    """How a plan is entered."""

    LIMIT = "limit"  # a resting order: the price has to come back to it and trade through
    STOP = "stop"  # a breakout: the price has to reach it
    CONFIRMED = "confirmed"  # at the close that confirms


@dataclass(frozen=True, slots=True)
class Target:
    """A price at which a share of the position is closed."""

    price: Decimal
    weight: Decimal = ONE


@dataclass(frozen=True)
class Terms:
    """The locked terms of a plan. Times are epoch milliseconds.

    costs: ``entry_fee`` is the maker's, ``exit_fee`` the taker's fee [fraction], ``slippage`` that of market orders.
    max_chase: how far beyond the entry a breakout or a confirmed entry may be filled [share of the distance to the
    stop]; None: any. confirmation: what has to hold before an entry counts; None: nothing. time_stop_ms: how long
    after the entry what is left is closed. breakeven: after the first target the stop lies at the entry. trail: the
    stop follows each bar's close at this distance [quote]. liquidation, bankruptcy: None where none lies between
    entry and stop. Raises ValueError for prices in the wrong order or weights that do not make 1.
    """

    side: Side
    kind: Kind
    entry: Decimal
    stop: Decimal
    targets: tuple[Target, ...]
    tick: Decimal
    armed_ms: int
    expires_ms: int
    time_stop_ms: int | None = None
    costs: Costs = field(default=FREE)
    max_chase: Decimal | None = None
    breakeven: bool = False
    trail: Decimal | None = None
    confirmation: Confirmation | None = None
    liquidation: Decimal | None = None
    bankruptcy: Decimal | None = None

    def __post_init__(self) -> None:
        """Refuse what no plan can mean."""
        if not self.targets or sum(target.weight for target in self.targets) != ONE:
            raise ValueError("The targets' weights must make 100 % together.")
        for target in self.targets:
            require_order(side=self.side, entry=self.entry, stop=self.stop, target=target.price)
        order = [self.side * target.price for target in self.targets]
        if order != sorted(order) or min(target.weight for target in self.targets) <= 0:
            raise ValueError("Give the targets in the order in which the price would meet them, each with a weight.")

    @cached_property
    def unit(self) -> Decimal:
        """What one unit of base loses at the planned stop, costs included [quote]: 1 R."""
        fee = self.costs.entry_fee if self.kind is Kind.LIMIT else self.costs.exit_fee
        costs = Costs(entry_fee=fee, exit_fee=self.costs.exit_fee, slippage=self.costs.slippage)
        return loss_per_unit(side=self.side, entry=self.entry, stop=self.stop, costs=costs)

    @cached_property
    def turned(self) -> Turned:
        """The prices turned by the side."""
        s = self.side
        return Turned(
            entry=s * self.entry,
            fill=s * self.entry - self.tick,
            stop=s * self.stop,
            targets=tuple(s * target.price for target in self.targets),
            through=tuple(s * target.price + self.tick for target in self.targets),
            liquidation=None if self.liquidation is None else s * self.liquidation,
        )


@dataclass(frozen=True, slots=True)
class Turned:
    """Turned prices: adverse is down, favourable is up.

    fill: where a resting entry has been traded through; through: the same of each target.
    """

    entry: Decimal
    fill: Decimal
    stop: Decimal
    targets: tuple[Decimal, ...]
    through: tuple[Decimal, ...]
    liquidation: Decimal | None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a plan by the end of a bar.

    at_ms: end of that bar; branch: which of the possible courses, "" while there is one; price: of the fill [quote];
    result: what the course has made by then [R]. Kinds: early, confirmed, touched, triggered, target, stopped,
    liquidated, timed_out, missed, invalidated, expired, void, forked, drilled, judged.
    """

    at_ms: int
    kind: str
    branch: str = ""
    price: Decimal | None = None
    result: Decimal | None = None
    note: str = ""
