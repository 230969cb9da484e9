"""A plan armed again at random moments: what its distances make without its place. Judged by the reducer itself."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from .branch import Phase, time_out
from .reducer import judge, start

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from .scanning import State
    from .terms import Terms

REPLAY_VERSION: Final = "1"
# Bars are judged in parts: most replays end within a few days.
_PART: Final = 1440
_PLACES: Final = 8
_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class Market:
    """What the judge reads, for as long as replays may run: see ``judge``."""

    bars: npt.NDArray[np.void]
    step_ms: int
    funding: Sequence[tuple[int, Decimal]] = ()
    signals: Sequence[int] = ()
    lost: Iterable[tuple[int, int]] = ()


@dataclass(frozen=True, slots=True)
class Replays:
    """What became of replays. results: of those that were entered, on their worst course [R], in the order drawn.

    cut: how many of them were open when the bars ended, and were valued at the last close, costs paid; unentered: how
    many were not entered; lost: how many met a hole in the bars and tell nothing.
    """

    results: tuple[float, ...]
    cut: int
    unentered: int
    lost: int


def replay(
    terms: Terms, market: Market, *, price: Decimal, generator: np.random.Generator, count: int
) -> Replays | None:
    """Arm a plan ``count`` times at random bars; None where no two bars follow each other.

    price: the last one when the plan was armed [quote]. Every price of the plan keeps its distance to the last price in
    percent; side, costs, validity, time stop, management and confirmation stay. Moments are drawn with replacement.
    """
    opened = market.bars["open_time"]
    places = np.flatnonzero(np.diff(opened) == market.step_ms) + 1
    if not len(places):
        return None
    found: list[float] = []
    tally: Counter[str] = Counter()
    for place in generator.choice(places, size=count):
        before = Decimal(repr(float(market.bars["close"][place - 1])))
        moved = move(terms, share=before / price, at_ms=int(opened[place]))
        phase, result, is_cut = _play(moved, market, int(place))
        if phase is Phase.CLOSED:
            found.append(result)
            tally["cut"] += is_cut
        else:
            tally["lost" if phase is Phase.VOID else "unentered"] += 1
    return Replays(tuple(found), tally["cut"], tally["unentered"], tally["lost"])


def move(terms: Terms, *, share: Decimal, at_ms: int) -> Terms:
    """Return the plan as it would be at another moment, at which the price was ``share`` of what it was."""

    def at(price: Decimal | None) -> Decimal | None:
        return None if price is None else round(price * share, _PLACES)

    rule = terms.confirmation
    return replace(
        terms,
        entry=round(terms.entry * share, _PLACES),
        stop=round(terms.stop * share, _PLACES),
        targets=tuple(replace(one, price=round(one.price * share, _PLACES)) for one in terms.targets),
        trail=at(terms.trail),
        liquidation=at(terms.liquidation),
        bankruptcy=at(terms.bankruptcy),
        confirmation=None if rule is None else replace(rule, price=at(rule.price)),
        armed_ms=at_ms,
        expires_ms=at_ms + terms.expires_ms - terms.armed_ms,
    )


def _play(terms: Terms, market: Market, place: int) -> tuple[Phase, float, bool]:
    """Return how one replay ends, its result [R], and whether the bars ended first."""
    state = start(terms)
    for first in range(place, len(market.bars), _PART):
        part = market.bars[first : first + _PART]
        since, until = int(part["open_time"][0]), int(part["open_time"][-1]) + market.step_ms
        state = judge(
            terms, state, part, step_ms=market.step_ms, lost=market.lost,
            funding=_within(market.funding, [at for at, _ in market.funding], since, until),
            signals=_within(market.signals, market.signals, since, until),
        ).state  # fmt: skip
        if state.is_done:
            break
        if state.through_ms != until:
            return Phase.VOID, 0.0, False
    return _ended(terms, state)


def _within(rows: Sequence[_Row], moments: Sequence[int], since: int, until: int) -> Sequence[_Row]:
    return rows[bisect_right(moments, since) : bisect_right(moments, until)]


def _ended(terms: Terms, state: State) -> tuple[Phase, float, bool]:
    """Take the worst course, as the verdict does; what is open is closed at the last price."""
    at_ms, last = state.through_ms or 0, state.last or Decimal(0)
    branches = [time_out(one, terms, at_ms, last)[0] if one.phase is Phase.OPEN else one for one in state.branches]
    worst = min(branches, key=lambda one: (one.result(terms), one.phase.value))
    return worst.phase, float(worst.result(terms)), not state.is_done
