"""How bars follow each other: a state and bars give the next state and what happened; the same in one go or bar by bar.

Unresolved order is a fork: every course that is possible is followed to its end. The verdict is the worst of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import numpy as np

from .branch import Branch, Phase, end_unopened, levels, time_out
from .paths import Bar, walk
from .terms import Event, Terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

ENGINE_VERSION: Final = "1"
MINUTE_MS: Final = 60_000
# More courses than this are thinned out to the worst and the best.
MOST_COURSES: Final = 8
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
# Prices of bars are floats; a level that is so near is looked at exactly.
_NEAR: Final = 1e-9


@dataclass(frozen=True, slots=True)
class State:
    """Where the judgement stands: the courses, and the end of the last bar that was read (None: none yet)."""

    branches: tuple[Branch, ...]
    through_ms: int | None = None
    last: Decimal | None = None
    has_gap: bool = False

    @property
    def is_done(self) -> bool:
        """Whether every course has ended."""
        return all(branch.phase.is_end for branch in self.branches)


@dataclass(frozen=True, slots=True)
class Judged:
    """The state after the bars, and what happened in them."""

    state: State
    events: tuple[Event, ...]


def start(terms: Terms) -> State:
    """Return the state at arming."""
    return State((Branch("", Phase.ARMED, terms.turned.stop),))


def judge(  # noqa: PLR0913  # what a market brings, each by name
    terms: Terms,
    state: State,
    bars: npt.NDArray[np.void],
    *,
    step_ms: int,
    funding: Sequence[tuple[int, Decimal]] = (),
    lost: Iterable[tuple[int, int]] = (),
) -> Judged:
    """Judge a plan on closed bars that follow ``state``.

    bars: structured [n] with ``open_time`` [epoch ms], ``open``, ``high``, ``low``, ``close`` [quote], ascending; of
    ``step_ms`` each. funding: (epoch ms, rate [fraction]) of settlements. lost: spans [ms) that will never come. A
    missing bar that may still come stops the judgement there. Bars before the first whole one after arming are skipped.
    """
    since = state.through_ms if state.through_ms is not None else -(-terms.armed_ms // MINUTE_MS) * MINUTE_MS
    bars = bars[bars["open_time"] >= since]
    events: list[Event] = []
    gone = tuple(lost)
    while len(bars) and not state.is_done:
        place = _next(terms, state, bars, step_ms, funding)
        whole = _unbroken(state, bars[: place + 1], step_ms, since)
        if whole < min(place + 1, len(bars)):
            state = _through(state, terms, bars, whole, step_ms)
            stepped = _over_gap(terms, state, bars[whole], gone, since)
            if stepped is None:
                break
            state, more = stepped
            events += more
            bars = bars[whole:]
            continue
        state = _through(state, terms, bars, place, step_ms)
        if place < len(bars):
            state, more = _step(terms, state, _bar(terms, bars[place], step_ms), funding)
            events += more
        bars = bars[place + 1 :]
    return Judged(state, tuple(events))


def _next(
    terms: Terms, state: State, bars: npt.NDArray[np.void], step_ms: int, funding: Sequence[tuple[int, Decimal]]
) -> int:
    """Return the place of the first bar in which something may happen; the number of bars if in none."""
    live = [branch for branch in state.branches if not branch.phase.is_end]
    low, high = (bars["low"], bars["high"]) if terms.side > 0 else (-bars["high"], -bars["low"])
    marks = [float(level) for branch in live for level in levels(branch, terms)]
    may = np.zeros(len(bars), np.bool_)
    for mark in marks:
        room = _NEAR * abs(mark)
        may |= (low <= mark + room) & (high >= mark - room)
    if state.last is not None and len(bars):
        before = np.concatenate(([float(state.last)], terms.side * bars["close"][:-1]))
        opens = terms.side * bars["open"]
        for mark in marks:  # a gap from one bar to the next jumps over levels
            may |= (np.minimum(before, opens) <= mark) & (mark <= np.maximum(before, opens))
    elif len(bars):
        may[0] = True
    ends = bars["open_time"] + step_ms
    if any(branch.phase is Phase.ARMED for branch in live):
        may |= bars["open_time"] >= terms.expires_ms
    if any(branch.phase is Phase.OPEN for branch in live):
        if terms.time_stop_ms is not None:
            may |= ends >= terms.time_stop_ms
        for at_ms, _ in funding:
            may |= (bars["open_time"] < at_ms) & (at_ms <= ends)
    return int(np.argmax(may)) if may.any() else len(bars)


def _unbroken(state: State, bars: npt.NDArray[np.void], step_ms: int, since: int) -> int:
    """Return how many bars follow without a hole, from where the state stands."""
    expected = state.through_ms if state.through_ms is not None else -(-since // step_ms) * step_ms
    follows = bars["open_time"] == expected + step_ms * np.arange(len(bars))
    return len(bars) if follows.all() else int(np.argmin(follows))


def _through(state: State, terms: Terms, bars: npt.NDArray[np.void], count: int, step_ms: int) -> State:
    """Return the state after bars in which nothing happens."""
    count = min(count, len(bars))
    if count == 0:
        return state
    last = bars[count - 1]
    return replace(state, through_ms=int(last["open_time"]) + step_ms, last=terms.side * _exact(last["close"]))


def _over_gap(
    terms: Terms, state: State, bar: np.void, lost: tuple[tuple[int, int], ...], since: int
) -> tuple[State, list[Event]] | None:
    """Step over bars that will never come; a course with a level between both ends is void. None: they may come."""
    at, until = state.through_ms if state.through_ms is not None else since, int(bar["open_time"])
    if not any(begin <= at and until <= end for begin, end in lost):
        return None
    after = terms.side * _exact(bar["open"])
    before = after if state.last is None else state.last
    low, high = min(before, after), max(before, after)
    branches, events = [], []
    for branch in state.branches:
        if not branch.phase.is_end and any(low <= level <= high for level in levels(branch, terms)):
            branch, event = end_unopened(branch, Phase.VOID, until, "data gap")  # noqa: PLW2901  # what it becomes
            events.append(event)
        branches.append(branch)
    state = State(tuple(branches), until, state.last, has_gap=True)
    return state, events + _verdict(terms, state, until)


def _step(terms: Terms, state: State, bar: Bar, funding: Sequence[tuple[int, Decimal]]) -> tuple[State, list[Event]]:
    """Return the state after one bar in which something may happen."""
    branches: list[Branch] = []
    events: list[Event] = []
    for branch in state.branches:
        if branch.phase.is_end:
            branches.append(branch)
            continue
        if branch.phase is Phase.ARMED and bar.open_ms >= terms.expires_ms:
            expired, event = end_unopened(branch, Phase.EXPIRED, bar.open_ms)
            branches.append(expired)
            events.append(event)
            continue
        courses = [
            _finish(course, terms, bar, happened) for course, happened in walk(_paid(branch, bar, funding), terms, bar)
        ]
        if len(courses) > 1:
            events.append(Event(bar.end_ms, "forked", branch.name, note=f"{len(courses)} orders are possible"))
        for letter, (course, happened) in zip(_LETTERS, courses, strict=False):
            name = branch.name + letter if len(courses) > 1 else branch.name
            branches.append(replace(course, name=name))
            events += [replace(event, branch=name) for event in happened]
    after = State(_merged(branches, terms), bar.end_ms, bar.close, state.has_gap)
    return after, events + _verdict(terms, after, bar.end_ms)


def _paid(branch: Branch, bar: Bar, funding: Sequence[tuple[int, Decimal]]) -> Branch:
    """Charge the settlements of a bar to a course that was open before it: rate * price at the bar's open * weight.

    Turned prices carry the side: a long (price above 0) pays a rate above 0, a short receives it.
    """
    if branch.phase is not Phase.OPEN:
        return branch
    rate = sum((rate for at_ms, rate in funding if bar.open_ms < at_ms <= bar.end_ms), Decimal(0))
    return replace(branch, made=branch.made - branch.left * rate * bar.open)


def _finish(course: Branch, terms: Terms, bar: Bar, happened: tuple[Event, ...]) -> tuple[Branch, tuple[Event, ...]]:
    """Apply what happens at a bar's end: the time stop, then the rule that moves the stop from the next bar on."""
    if course.phase is Phase.OPEN and terms.time_stop_ms is not None and bar.end_ms >= terms.time_stop_ms:
        course, event = time_out(course, terms, bar.end_ms, bar.close)
        return course, (*happened, event)
    if course.phase is Phase.OPEN and terms.breakeven and course.taken and course.entry is not None:
        course = replace(course, stop=max(course.stop, course.entry))
    return course, happened


def _merged(branches: list[Branch], terms: Terms) -> tuple[Branch, ...]:
    """Keep one of courses that are alike, and of too many the worst and the best."""
    alike: dict[Branch, Branch] = {}
    for branch in branches:
        alike.setdefault(branch, branch)
    kept = list(alike.values())
    if len(kept) > MOST_COURSES:
        order = sorted(kept, key=lambda one: one.worst(terms))
        ends = {*order[: MOST_COURSES // 2], *order[-MOST_COURSES // 2 :]}
        kept = [branch for branch in kept if branch in ends]
    return tuple(kept)


def _verdict(terms: Terms, state: State, at_ms: int) -> list[Event]:
    """Say how it ended once every course has: the worst one."""
    if not state.is_done:
        return []
    worst = min(state.branches, key=lambda one: (one.result(terms), one.phase.value))
    return [Event(at_ms, "judged", worst.name, None, worst.result(terms), worst.phase.value)]


def _bar(terms: Terms, row: np.void, step_ms: int) -> Bar:
    """Read a bar exactly, turned by the side."""
    first, high, low, last = (terms.side * _exact(row[name]) for name in ("open", "high", "low", "close"))
    high, low = (high, low) if terms.side > 0 else (low, high)
    return Bar(int(row["open_time"]), int(row["open_time"]) + step_ms, first, high, low, last)


def _exact(price: np.float64) -> Decimal:
    return Decimal(repr(float(price)))
