"""How bars follow each other: a state and bars give the next state and what happened; the same in one go or bar by bar.

Unresolved order is a fork: every course that is possible is followed to its end. The verdict is the worst of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import numpy as np

from .branch import Branch, Phase, confirm, end_unopened, levels, time_out
from .drilling import Rung, exact, inside, read
from .paths import Bar, walk
from .scanning import MINUTE_MS, Outside, State, next_place, whole
from .terms import Event, Terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

ENGINE_VERSION: Final = "3"
# More courses than this are thinned out to the worst and the best.
MOST_COURSES: Final = 8
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Judged:
    """The state after the bars, and what happened in them."""

    state: State
    events: tuple[Event, ...]


def start(terms: Terms) -> State:
    """Return the state at arming."""
    return State((Branch("", Phase.ARMED, terms.turned.stop, is_confirmed=terms.confirmation is None),))


def judge(  # noqa: PLR0913  # what a market brings, each by name
    terms: Terms,
    state: State,
    bars: npt.NDArray[np.void],
    *,
    step_ms: int,
    funding: Sequence[tuple[int, Decimal]] = (),
    signals: Sequence[int] = (),
    lost: Iterable[tuple[int, int]] = (),
    finer: Sequence[Rung] = (),
) -> Judged:
    """Judge a plan on closed bars that follow ``state``.

    bars: structured [n] with ``open_time`` [epoch ms], ``open``, ``high``, ``low``, ``close`` [quote], ascending; of
    ``step_ms`` each. funding: (epoch ms, rate [fraction]) of settlements. signals: when a rule that is not about a
    level was fulfilled [epoch ms]. lost: spans [ms) that will never come. finer: bars that decide where the order
    inside a bar is unknown, from coarse to fine; where they do not tell all of that bar, it stays unknown. A missing
    bar that may still come stops the judgement there. Bars before the first whole one after arming are skipped.
    """
    since = state.through_ms if state.through_ms is not None else whole(terms.armed_ms)
    bars = bars[bars["open_time"] >= since]
    events: list[Event] = []
    gone, outside = tuple(lost), Outside(funding, signals)
    while len(bars) and not state.is_done:
        place = next_place(terms, state, bars, step_ms, outside)
        unbroken = _unbroken(state, bars[: place + 1], step_ms, since)
        if unbroken < min(place + 1, len(bars)):
            state = _through(state, terms, bars, unbroken, step_ms)
            stepped = _over_gap(terms, state, bars[unbroken], gone, since)
            if stepped is None:
                break
            state, more = stepped
            events += more
            bars = bars[unbroken:]
            continue
        state = _through(state, terms, bars, place, step_ms)
        if place < len(bars):
            state, more = _decide(terms, state, read(bars[place], step_ms, terms.side), outside, finer)
            events += more
        bars = bars[place + 1 :]
    return Judged(state, tuple(events))


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
    return replace(state, through_ms=int(last["open_time"]) + step_ms, last=terms.side * exact(last["close"]))


def _over_gap(
    terms: Terms, state: State, bar: np.void, lost: tuple[tuple[int, int], ...], since: int
) -> tuple[State, list[Event]] | None:
    """Step over bars that will never come; a course with a level between both ends is void. None: they may come."""
    at, until = state.through_ms if state.through_ms is not None else since, int(bar["open_time"])
    if not any(begin <= at and until <= end for begin, end in lost):
        return None
    after = terms.side * exact(bar["open"])
    before = after if state.last is None else state.last
    low, high = min(before, after), max(before, after)
    branches, events = [], []
    for branch in state.branches:
        if not branch.phase.is_end and any(low <= level <= high for level in levels(branch, terms)):
            branch, event = end_unopened(branch, Phase.VOID, until, "data gap")  # noqa: PLW2901  # what it becomes
            events.append(event)
        branches.append(branch)
    state = replace(state, branches=tuple(branches), through_ms=until, has_gap=True)
    return state, events + _verdict(terms, state, until)


def _decide(terms: Terms, state: State, bar: Bar, outside: Outside, finer: Sequence[Rung]) -> tuple[State, list[Event]]:
    """Return the state after one bar; where its order is unknown, finer bars of it decide if they are all there."""
    after, events = _step(terms, state, bar, outside)
    if not any(event.kind == "forked" for event in events):
        return after, events
    for place, rung in enumerate(finer):
        parts = inside(rung, bar, terms.side)
        if not parts:
            continue
        events = [Event(parts[0].end_ms, "drilled", note=f"in bars of {rung.step_ms / 1000:g} s")]
        for part in parts:
            if not state.is_done:
                state, more = _decide(terms, state, part, outside, finer[place + 1 :])
                events += more
        return replace(state, through_ms=bar.end_ms, last=bar.close), events
    return after, events


def _step(terms: Terms, state: State, bar: Bar, outside: Outside) -> tuple[State, list[Event]]:
    """Return the state after one bar in which something may happen."""
    rule = terms.confirmation
    is_confirmed = rule is not None and (
        rule.holds(bar, terms.side, is_primed=state.is_primed)
        or any(bar.open_ms < at_ms <= bar.end_ms for at_ms in outside.signals)
    )
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
            _finish(course, terms, bar, happened, is_confirmed=is_confirmed)
            for course, happened in walk(_paid(branch, bar, outside.funding), terms, bar)
        ]
        if len(courses) > 1:
            events.append(Event(bar.end_ms, "forked", branch.name, note=f"{len(courses)} orders are possible"))
        for letter, (course, happened) in zip(_LETTERS, courses, strict=False):
            name = branch.name + letter if len(courses) > 1 else branch.name
            branches.append(replace(course, name=name))
            events += [replace(event, branch=name) for event in happened]
    is_primed = state.is_primed or (rule is not None and rule.primes(bar, terms.side))
    after = State(_merged(branches, terms), bar.end_ms, bar.close, state.has_gap, is_primed)
    return after, events + _verdict(terms, after, bar.end_ms)


def _paid(branch: Branch, bar: Bar, funding: Sequence[tuple[int, Decimal]]) -> Branch:
    """Charge the settlements of a bar to a course that was open before it: rate * price at the bar's open * weight.

    Turned prices carry the side: a long (price above 0) pays a rate above 0, a short receives it.
    """
    if branch.phase is not Phase.OPEN:
        return branch
    rate = sum((rate for at_ms, rate in funding if bar.open_ms < at_ms <= bar.end_ms), Decimal(0))
    return replace(branch, made=branch.made - branch.left * rate * bar.open)


def _finish(
    course: Branch, terms: Terms, bar: Bar, happened: tuple[Event, ...], *, is_confirmed: bool
) -> tuple[Branch, tuple[Event, ...]]:
    """Apply what happens at a bar's end: confirmation, the time stop, then the rule that moves the stop hereafter."""
    if course.phase is Phase.ARMED and is_confirmed and not course.is_confirmed:
        course, events = confirm(course, terms, bar.end_ms, bar.close)
        return course, (*happened, *events)
    if course.phase is not Phase.OPEN or course.entry is None:
        return course, happened
    if terms.time_stop_ms is not None and bar.end_ms >= whole(course.opened_ms or 0) + terms.time_stop_ms:
        course, event = time_out(course, terms, bar.end_ms, bar.close)
        return course, (*happened, event)
    if bar.end_ms % MINUTE_MS:  # a stop is moved at the end of a minute, however fine the bars are
        return course, happened
    entry = course.entry
    if terms.breakeven and course.taken and entry is not None:
        course = replace(course, stop=max(course.stop, entry))
    if terms.trail is not None:
        course = replace(course, stop=max(course.stop, bar.close - terms.trail))
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
