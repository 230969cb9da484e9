"""Which bars have to be looked at: in most nothing can happen, and those are stepped over at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from .branch import Branch, Phase, Touch, levels, react

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    import numpy.typing as npt

    from .terms import Terms

MINUTE_MS: Final = 60_000
# Prices of bars are floats; a level that is so near is looked at exactly.
_NEAR: Final = 1e-9
_FEW: Final = 4
_FOREVER_MS: Final = 253_370_764_800_000  # the year 9999


@dataclass(frozen=True, slots=True)
class State:
    """Where the judgement stands: the courses, and the end of the last bar that was read (None: none yet)."""

    branches: tuple[Branch, ...]
    through_ms: int | None = None
    last: Decimal | None = None
    has_gap: bool = False
    # Whether what a reclaim comes after has happened.
    is_primed: bool = False

    @property
    def is_done(self) -> bool:
        """Whether every course has ended."""
        return all(branch.phase.is_end for branch in self.branches)


@dataclass(frozen=True, slots=True)
class Outside:
    """What bars do not tell: settlements of funding (epoch ms, rate), and when a rule held [epoch ms]."""

    funding: Sequence[tuple[int, Decimal]]
    signals: Sequence[int]


@dataclass(frozen=True, slots=True)
class Quiet:
    """As long as prices stay strictly between these [quote] and no bar ends later, nothing happens but funding."""

    low: Decimal
    high: Decimal
    until_ms: int


def quiet(terms: Terms, state: State) -> Quiet | None:
    """Return where a plan that has been judged can be left alone; None where each bar has to be looked at."""
    live = [branch for branch in state.branches if not branch.phase.is_end]
    if state.last is None or not all(branch.is_confirmed for branch in live) or _is_due(live, terms, state):
        return None
    last, marks, ends = state.last, [level for branch in live for level in levels(branch, terms)], [_FOREVER_MS]
    for branch in live:
        if branch.phase is Phase.ARMED:
            ends.append(terms.expires_ms)
        elif terms.trail is not None:
            marks.append(branch.stop + terms.trail)
        if branch.opened_ms is not None and terms.time_stop_ms is not None:
            ends.append(whole(branch.opened_ms) + terms.time_stop_ms - 1)
    below, above = [mark for mark in marks if mark <= last], [mark for mark in marks if mark >= last]
    if not below or not above:
        return None
    low, high = max(below), min(above)
    return Quiet(*((low, high) if terms.side > 0 else (-high, -low)), min(ends))


def next_place(terms: Terms, state: State, bars: npt.NDArray[np.void], step_ms: int, outside: Outside) -> int:
    """Return the place of the first bar in which something may happen; the number of bars if in none."""
    live = [branch for branch in state.branches if not branch.phase.is_end]
    may = _reached(live, terms, state, bars)
    may[:1] |= _is_due(live, terms, state)
    ends = bars["open_time"] + step_ms
    if any(branch.phase is Phase.ARMED for branch in live):
        may |= bars["open_time"] >= terms.expires_ms
    if terms.confirmation and any(not branch.is_confirmed for branch in live):
        may |= terms.confirmation.may_matter(bars, terms.side, step_ms, is_primed=state.is_primed)
        may |= _any_within(outside.signals, bars["open_time"], ends)
    held = [branch for branch in live if branch.phase is Phase.OPEN]
    if held:
        may |= _any_within([at_ms for at_ms, _ in outside.funding], bars["open_time"], ends)
        may |= _managed(held, terms, bars, ends)
    return int(np.argmax(may)) if may.any() else len(bars)


def _is_due(live: Sequence[Branch], terms: Terms, state: State) -> bool:
    """Tell whether a bar's end has put a course where the next price makes something of it, whichever it is.

    A stop that was moved beyond the last price, or an entry that counts from now on and lies behind it, need not be
    met again by the bars that follow.
    """
    if state.last is None:
        return False
    touch = Touch(state.last, is_open=True, at_ms=0)
    return any(react(branch, terms, touch)[1] for branch in live)


def _reached(live: Sequence[Branch], terms: Terms, state: State, bars: npt.NDArray[np.void]) -> npt.NDArray[np.bool_]:
    """Bars whose range, or the gap before them, holds a level."""
    if len(bars) <= _FEW:
        return _reached_few(live, terms, state, bars)
    may = np.zeros(len(bars), np.bool_)
    if state.last is None:
        may[:1] = True
    low, high = (bars["low"], bars["high"]) if terms.side > 0 else (-bars["high"], -bars["low"])
    opens, closes = terms.side * bars["open"], terms.side * bars["close"]
    first = opens[:1] if state.last is None else [float(state.last)]
    before = np.concatenate((first, closes))[: len(bars)]
    for mark in {float(level) for branch in live for level in levels(branch, terms)}:
        room = _NEAR * abs(mark)
        may |= (low <= mark + room) & (high >= mark - room)
        may |= (np.minimum(before, opens) <= mark) & (mark <= np.maximum(before, opens))
    return may


def _reached_few(
    live: Sequence[Branch], terms: Terms, state: State, bars: npt.NDArray[np.void]
) -> npt.NDArray[np.bool_]:
    """The same of a few bars, where arrays would cost more than they save: each minute brings one."""
    marks = [float(level) for branch in live for level in levels(branch, terms)]
    before = None if state.last is None else float(state.last)
    may: list[bool] = []
    for opened, high, low, close in bars[["open", "high", "low", "close"]].tolist():
        first, last = terms.side * opened, terms.side * close
        bottom, top = (low, high) if terms.side > 0 else (-high, -low)
        start = first if before is None else before
        least, most = min(bottom, start, first), max(top, start, first)
        may.append(any(least - _NEAR * abs(mark) <= mark <= most + _NEAR * abs(mark) for mark in marks))
        before = last
    if state.last is None:
        may[:1] = [True]
    return np.array(may, np.bool_)


def _managed(
    held: Sequence[Branch], terms: Terms, bars: npt.NDArray[np.void], ends: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Bars at whose end the time is over or a stop moves on."""
    may = np.zeros(len(bars), np.bool_)
    for branch in held:
        if terms.time_stop_ms is not None and branch.opened_ms is not None:
            may |= ends >= whole(branch.opened_ms) + terms.time_stop_ms
        if terms.breakeven and branch.taken and branch.entry is not None and branch.stop < branch.entry:
            may |= ends % MINUTE_MS == 0  # of bars below a minute, the next one that ends with one
        if terms.trail is not None:
            reached = float(branch.stop + terms.trail)
            may |= terms.side * bars["close"] >= reached - _NEAR * abs(reached)
    return may


def whole(at_ms: int) -> int:
    """Return the end of the minute that holds a moment."""
    return -(-at_ms // MINUTE_MS) * MINUTE_MS


def _any_within(
    moments: Sequence[int], begins: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    may = np.zeros(len(begins), np.bool_)
    for at_ms in moments:
        may |= (begins < at_ms) & (at_ms <= ends)
    return may
