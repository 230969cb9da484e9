"""One possible course of a plan, and what a single price does to it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from .terms import ONE, ZERO, Event, Kind, Terms

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal


class Phase(Enum):
    """Where a course stands. All but the first two are ends."""

    ARMED = "armed"
    OPEN = "open"
    CLOSED = "closed"
    MISSED = "missed"
    INVALIDATED = "invalidated"
    EXPIRED = "expired"
    VOID = "void"

    @property
    def is_end(self) -> bool:
        """Whether nothing happens any more."""
        return self not in {Phase.ARMED, Phase.OPEN}


@dataclass(frozen=True, slots=True)
class Branch:
    """A course: turned entry fill and stop, targets taken, weight left, and what it has made [quote per unit].

    Courses that differ only in their name, or in having been touched, are one.
    """

    name: str = field(compare=False)
    phase: Phase
    stop: Decimal
    entry: Decimal | None = None
    taken: int = 0
    left: Decimal = ONE
    made: Decimal = ZERO
    is_touched: bool = field(default=False, compare=False)
    is_confirmed: bool = True
    opened_ms: int | None = None
    closed_ms: int | None = None

    def result(self, terms: Terms) -> Decimal:
        """What it has made [R]."""
        return self.made / terms.unit

    def worst(self, terms: Terms) -> Decimal:
        """What it has made if the rest goes to its stop now [R]; for the order of courses."""
        if self.phase is not Phase.OPEN or self.entry is None:
            return self.result(terms)
        return (self.made + self.left * (self.stop - self.entry)) / terms.unit


def levels(branch: Branch, terms: Terms) -> Iterator[Decimal]:
    """Yield the turned prices at which something may happen to this course or to what it becomes."""
    turned = terms.turned
    if branch.phase is Phase.ARMED:
        yield from (turned.entry, turned.fill if terms.kind is Kind.LIMIT else turned.entry, turned.targets[0])
    if not branch.phase.is_end:
        yield branch.stop
        yield from turned.through[branch.taken :]
        if turned.liquidation is not None:
            yield turned.liquidation


@dataclass(frozen=True, slots=True)
class Touch:
    """A turned price that was traded; ``is_open``: it is a bar's first, so that orders fill at it."""

    price: Decimal
    is_open: bool
    at_ms: int


def react(branch: Branch, terms: Terms, touch: Touch) -> tuple[Branch, tuple[Event, ...]]:
    """Return what a traded price makes of a course, with what happened."""
    events: list[Event] = []
    while not branch.phase.is_end:
        step = _enter(branch, terms, touch) if branch.phase is Phase.ARMED else _leave(branch, terms, touch)
        if step is None:
            break
        branch = step[0]
        events.append(step[1])
    return branch, tuple(events)


def _enter(branch: Branch, terms: Terms, touch: Touch) -> tuple[Branch, Event] | None:
    if not branch.is_confirmed:
        return _wait(branch, terms, touch)
    return _come_back(branch, terms, touch) if terms.kind is Kind.LIMIT else _break_out(branch, terms, touch)


def _wait(branch: Branch, terms: Terms, touch: Touch) -> tuple[Branch, Event] | None:
    """Before the confirmation nothing is entered: the idea may fail, run away, or be touched too early."""
    turned, price = terms.turned, touch.price
    if price <= turned.stop:
        return _end(branch, terms, touch, Phase.INVALIDATED)
    if price >= turned.targets[0]:
        return _end(branch, terms, touch, Phase.MISSED, "ran away")
    is_there = price >= turned.entry if terms.kind is Kind.STOP else price <= turned.entry
    if is_there and not branch.is_touched:
        return replace(branch, is_touched=True), Event(touch.at_ms, "early", branch.name, terms.entry)
    return None


def confirm(branch: Branch, terms: Terms, at_ms: int, last: Decimal) -> tuple[Branch, tuple[Event, ...]]:
    """Let entries count from here on; a plan that enters at the market does so at this close, if it is not too far."""
    branch = replace(branch, is_confirmed=True, is_touched=False)
    said = Event(at_ms, "confirmed", branch.name, terms.side * last)
    if terms.kind is not Kind.CONFIRMED:
        return branch, (said,)
    touch, turned = Touch(last, is_open=True, at_ms=at_ms), terms.turned
    if terms.max_chase is not None and last - turned.entry > terms.max_chase * (turned.entry - turned.stop):
        ended, event = _end(branch, terms, touch, Phase.MISSED, "too far")
    else:
        ended, event = _open(branch, terms, touch, last + _slip(last, terms), terms.costs.exit_fee)
    return ended, (said, event)


def _come_back(branch: Branch, terms: Terms, touch: Touch) -> tuple[Branch, Event] | None:
    turned, price = terms.turned, touch.price
    if price <= turned.fill:
        return _open(branch, terms, touch, turned.entry, terms.costs.entry_fee)
    if price <= turned.entry and not branch.is_touched:
        return replace(branch, is_touched=True), Event(touch.at_ms, "touched", branch.name, terms.entry)
    if price >= turned.targets[0]:
        return _end(branch, terms, touch, Phase.MISSED, "ran away")
    return None


def _break_out(branch: Branch, terms: Terms, touch: Touch) -> tuple[Branch, Event] | None:
    turned, price = terms.turned, touch.price
    if price <= turned.stop:
        return _end(branch, terms, touch, Phase.INVALIDATED)
    if price < turned.entry:
        return None
    reached = max(price, turned.entry) if touch.is_open else turned.entry
    if terms.max_chase is not None and reached - turned.entry > terms.max_chase * (turned.entry - turned.stop):
        return _end(branch, terms, touch, Phase.MISSED, "gap")
    return _open(branch, terms, touch, reached + _slip(reached, terms), terms.costs.exit_fee)


def _open(branch: Branch, terms: Terms, touch: Touch, fill: Decimal, fee: Decimal) -> tuple[Branch, Event]:
    opened = replace(branch, phase=Phase.OPEN, entry=fill, made=branch.made - fee * abs(fill), opened_ms=touch.at_ms)
    return opened, Event(touch.at_ms, "triggered", branch.name, terms.side * fill)


def _leave(branch: Branch, terms: Terms, touch: Touch) -> tuple[Branch, Event] | None:
    turned, price = terms.turned, touch.price
    if turned.liquidation is not None and turned.liquidation >= branch.stop and price <= turned.liquidation:
        gone = turned.liquidation if terms.bankruptcy is None else terms.side * terms.bankruptcy
        return _close(branch, terms, touch.at_ms, Fill(gone, terms.costs.exit_fee, "liquidated"))
    if price <= branch.stop:
        reached = min(price, branch.stop) if touch.is_open else branch.stop
        filled = reached - _slip(reached, terms)
        return _close(branch, terms, touch.at_ms, Fill(filled, terms.costs.exit_fee, "stopped"))
    if price >= turned.through[branch.taken]:
        return _take(branch, terms, touch)
    return None


def _take(branch: Branch, terms: Terms, touch: Touch) -> tuple[Branch, Event]:
    weight, fill = terms.targets[branch.taken].weight, terms.turned.targets[branch.taken]
    if branch.taken == len(terms.targets) - 1:
        return _close(branch, terms, touch.at_ms, Fill(fill, terms.costs.entry_fee, "target"))
    made = branch.made + _gain(branch, fill, weight, terms.costs.entry_fee)
    taken = replace(branch, taken=branch.taken + 1, left=branch.left - weight, made=made)
    return taken, Event(touch.at_ms, "target", branch.name, terms.side * fill, taken.result(terms))


@dataclass(frozen=True, slots=True)
class Fill:
    """A turned price at which all that is left is closed, the fee [fraction], and why."""

    price: Decimal
    fee: Decimal
    kind: str


def _close(branch: Branch, terms: Terms, at_ms: int, fill: Fill) -> tuple[Branch, Event]:
    made = branch.made + _gain(branch, fill.price, branch.left, fill.fee)
    closed = replace(branch, phase=Phase.CLOSED, left=ZERO, made=made, closed_ms=at_ms)
    return closed, Event(at_ms, fill.kind, branch.name, terms.side * fill.price, closed.result(terms))


def time_out(branch: Branch, terms: Terms, at_ms: int, last: Decimal) -> tuple[Branch, Event]:
    """Close what is left at a bar's end."""
    return _close(branch, terms, at_ms, Fill(last - _slip(last, terms), terms.costs.exit_fee, "timed_out"))


def end_unopened(branch: Branch, phase: Phase, at_ms: int, note: str = "") -> tuple[Branch, Event]:
    """End a course that has made nothing."""
    kind = phase.value
    return replace(branch, phase=phase, closed_ms=at_ms), Event(at_ms, kind, branch.name, note=note)


def _end(branch: Branch, terms: Terms, touch: Touch, phase: Phase, note: str = "") -> tuple[Branch, Event]:
    ended = replace(branch, phase=phase, closed_ms=touch.at_ms)
    return ended, Event(touch.at_ms, phase.value, branch.name, terms.side * touch.price, ended.result(terms), note)


def _gain(branch: Branch, fill: Decimal, weight: Decimal, fee: Decimal) -> Decimal:
    assert branch.entry is not None
    return weight * (fill - branch.entry - fee * abs(fill))


def _slip(price: Decimal, terms: Terms) -> Decimal:
    return abs(price) * terms.costs.slippage
