"""How far the price went against a plan and for it while it was open: bounds where the order in a bar is not known.

Of the bar of the entry and the bar of the exit only a part was lived through, and which part is not known. What is
certain (bars in between, the fill, the exit) makes the least, what is possible the most.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .branch import Branch, Phase
from .terms import Kind, Terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    import numpy as np
    import numpy.typing as npt

    from .terms import Event

_EXITS: Final = frozenset({"stopped", "target", "liquidated", "timed_out"})
_PLACES: Final = 6


@dataclass(frozen=True, slots=True)
class Excursion:
    """Least and most that the price went against and for a position, from its fill [R, 0 or more]."""

    adverse: tuple[float, float]
    favourable: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Edge:
    """A bar of which only a part was lived through; no part of that lay beyond these turned prices.

    is_low_sure: whether its low was lived through for certain.
    """

    open_ms: int
    least: float = float("-inf")
    most: float = float("inf")
    is_low_sure: bool = False


def excursion_of(  # noqa: PLR0913  # a position, each part by name
    bars: npt.NDArray[np.void],
    *,
    side: int,
    entry: float,
    marks: Iterable[float],
    whole: tuple[int, int],
    edges: Iterable[Edge],
    unit: float,
) -> Excursion:
    """Return the bounds for a position.

    bars: structured [n] with ``open_time`` [ms], ``high``, ``low`` [quote]. entry: turned fill. marks: turned prices
    that were reached while it was open. whole: span [ms) of bars that were lived through entirely. unit: 1 R [quote a
    unit].
    """
    low, high = (bars["low"], bars["high"]) if side > 0 else (-bars["high"], -bars["low"])
    reached = tuple(marks)
    within = (bars["open_time"] >= whole[0]) & (bars["open_time"] < whole[1])
    sure_low, sure_high = [entry, *reached, *low[within].tolist()], [entry, *reached, *high[within].tolist()]
    may_low, may_high = list(sure_low), list(sure_high)
    for edge in edges:
        for place in (bars["open_time"] == edge.open_ms).nonzero()[0]:
            lowest = max(float(low[place]), edge.least)
            may_low.append(lowest)
            may_high.append(min(float(high[place]), edge.most))
            if edge.is_low_sure:
                sure_low.append(lowest)
    return Excursion(
        (round((entry - min(sure_low)) / unit, _PLACES), round((entry - min(may_low)) / unit, _PLACES)),
        (round((max(sure_high) - entry) / unit, _PLACES), round((max(may_high) - entry) / unit, _PLACES)),
    )


def excursion(
    terms: Terms, branches: Sequence[Branch], events: Sequence[Event], bars: npt.NDArray[np.void], *, step_ms: int
) -> Excursion | None:
    """Return the bounds over all courses of a plan that were entered and closed; None if there is none.

    bars: all from the entry to the exit, as the plan was judged on them. events: those of the same judgement.
    """
    exits = {event.branch: event.kind for event in events if event.kind in _EXITS}
    found = [
        _of_course(terms, branch, exits[branch.name], bars, step_ms)
        for branch in branches
        if branch.phase is Phase.CLOSED and branch.name in exits
    ]
    if not found:
        return None
    return Excursion(
        (min(one.adverse[0] for one in found), max(one.adverse[1] for one in found)),
        (min(one.favourable[0] for one in found), max(one.favourable[1] for one in found)),
    )


def _of_course(terms: Terms, branch: Branch, left: str, bars: npt.NDArray[np.void], step_ms: int) -> Excursion:
    assert branch.entry is not None
    assert branch.opened_ms is not None
    assert branch.closed_ms is not None
    # Where finer bars decided, it was entered or left within a bar.
    first, last = ((at_ms - 1) // step_ms * step_ms for at_ms in (branch.opened_ms, branch.closed_ms))
    is_within = branch.opened_ms % step_ms > 0, branch.closed_ms % step_ms > 0
    marks = [_left_at(terms, branch, left, bars, (last, step_ms)), *map(float, terms.turned.targets[: branch.taken])]
    most = float(terms.turned.targets[-1] if left == "target" else terms.turned.through[branch.taken])
    edges = []
    if terms.kind is not Kind.CONFIRMED or is_within[0]:  # else it is entered when its bar is over
        # A resting order is filled on the way down, so that the low comes after it, unless the bar was left too.
        is_after = terms.kind is Kind.LIMIT and first != last
        edges.append(Edge(first, float(_floor(terms, terms.turned.stop)), most, is_after))
    if left != "timed_out" or is_within[1]:  # else it is left when its bar is over
        edges.append(Edge(last, float(_floor(terms, branch.stop)), most))
    # The last bar is whole for one that stayed to its end, unless it began in it.
    until = branch.closed_ms if left == "timed_out" and not is_within[1] else last
    return excursion_of(
        bars, side=terms.side, entry=float(branch.entry), marks=marks, whole=(first + step_ms, until),
        edges=edges, unit=float(terms.unit),
    )  # fmt: skip


def _left_at(terms: Terms, branch: Branch, left: str, bars: npt.NDArray[np.void], last_bar: tuple[int, int]) -> float:
    """Return the turned price that the market had reached when the rest was closed, before slippage."""
    last, step_ms = last_bar
    if left == "target":
        return float(terms.turned.targets[-1])
    row = bars[bars["open_time"] == last]
    if left == "timed_out" and len(row):
        is_at_end = branch.closed_ms == last + step_ms
        return terms.side * float(row["close"][0]) if is_at_end else float(branch.entry or 0)
    level = float(_floor(terms, branch.stop))
    opened = terms.side * float(row["open"][0]) if len(row) else level
    return level if left == "liquidated" else min(level, opened)


def _floor(terms: Terms, stop: Decimal) -> Decimal:
    """Return the higher of stop and liquidation: below it nothing is held."""
    liquidation = terms.turned.liquidation
    return stop if liquidation is None else max(stop, liquidation)
