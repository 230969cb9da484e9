"""Positions from executions: from flat to flat, an execution that turns the side parted in two."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from risk.formulas import exact

if TYPE_CHECKING:
    from collections.abc import Iterable

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Execution:
    """A fill in base units. side: +1 bought, -1 sold; fee: paid [quote], below 0 for a rebate; key: its row's."""

    at_ms: int
    side: int
    price: Decimal
    quantity: Decimal
    fee: Decimal
    key: int = 0


@dataclass(frozen=True)
class Trade:
    """A position of one instrument. side: +1 long; left: what is not closed yet [base]."""

    side: int
    opens: tuple[Execution, ...]
    closes: tuple[Execution, ...] = ()

    @property
    def size(self) -> Decimal:
        """How much was opened in all [base]."""
        return sum((one.quantity for one in self.opens), ZERO)

    @property
    def left(self) -> Decimal:
        """How much is still open [base]."""
        return self.size - sum((one.quantity for one in self.closes), ZERO)

    @property
    def is_closed(self) -> bool:
        """Whether nothing is left."""
        return self.left == ZERO

    @property
    def opened_ms(self) -> int:
        """When the first part was opened [epoch ms]."""
        return self.opens[0].at_ms

    @property
    def closed_ms(self) -> int | None:
        """When the last part was closed [epoch ms]; None while something is open."""
        return self.closes[-1].at_ms if self.is_closed else None

    @property
    @exact
    def entry(self) -> Decimal:
        """The mean price of what was opened [quote per base]."""
        return sum((one.price * one.quantity for one in self.opens), ZERO) / self.size

    @property
    @exact
    def exit(self) -> Decimal | None:
        """The mean price of what was closed [quote per base]; None while nothing is."""
        if not self.closes:
            return None
        closed = sum((one.quantity for one in self.closes), ZERO)
        return sum((one.price * one.quantity for one in self.closes), ZERO) / closed

    @property
    @exact
    def fees(self) -> Decimal:
        """What was paid in fees [quote]."""
        return sum((one.fee for one in (*self.opens, *self.closes)), ZERO)

    @property
    @exact
    def gross(self) -> Decimal:
        """What the closed part made before fees [quote], against the mean entry."""
        return sum((self.side * (one.price - self.entry) * one.quantity for one in self.closes), ZERO)


def trades_of(executions: Iterable[Execution]) -> list[Trade]:
    """Return the positions that executions of one instrument make, in order of time; equal times keep their order."""
    done: list[Trade] = []
    here: Trade | None = None
    for one in sorted(executions, key=lambda each: each.at_ms):
        rest: Execution | None = one
        while rest is not None:
            here, rest = _with(here, rest)
            if here.is_closed:
                done.append(here)
                here = None
    return [*done, here] if here is not None else done


def _with(trade: Trade | None, one: Execution) -> tuple[Trade, Execution | None]:
    """Return a position with an execution, and what of the execution opens the next one."""
    if trade is None:
        return Trade(one.side, (one,)), None
    if one.side == trade.side:
        return replace(trade, opens=(*trade.opens, one)), None
    closing, rest = _parted(one, trade.left)
    return replace(trade, closes=(*trade.closes, closing)), rest


@exact
def _parted(one: Execution, quantity: Decimal) -> tuple[Execution, Execution | None]:
    """Part an execution and its fee at a quantity."""
    if one.quantity <= quantity:
        return one, None
    fee = one.fee * quantity / one.quantity
    return (
        replace(one, quantity=quantity, fee=fee),
        replace(one, quantity=one.quantity - quantity, fee=one.fee - fee),
    )
