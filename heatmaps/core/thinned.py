"""How far a map moves when it is told less: the spreads of ``doubts``, on worlds whose positions are known.

Each world is told once in full and then with less: open interest every second, third, sixth or twelfth time or not for
a day, no mark price (what a wick touched is swept, or is not), or nothing newer than some hours. The spread is the
80th percentile of |ln(less / full)| over slices of 1 % of price; the share of true amounts inside the interval is told
without widening and with it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from market.series import DAY_MS, HOUR_MS, STEP_MS
from market.terms import LINEAR

from .bands import Factors
from .calibration import compare, is_inside
from .doubts import Doubt
from .estimators import load_estimator
from .estimators.open_interest import OpenInterest
from .estimators.options import SECOND
from .trial import EVERY_MINUTES, OURS
from .views import hold, slices, sweep_out, view_estimator
from .worlds.market import START_MS, simulate
from .worlds.world import WORLDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from market.series import Window

    from .grid import Floats
    from .views import Bools, Slices
    from .worlds.market import Tape

EVERY: Final = (2, 3, 6, 12)
AGES: Final = (3, 6, 12, 24, 48, 72)
LEVEL: Final = 0.8
_LOST_DAYS: Final = 4


@dataclass(frozen=True, slots=True)
class _Case:
    """A map that was told less: what it then showed, beside the full one and the truth, and how much is in doubt."""

    name: str
    at: Slices
    less: Floats
    full: Floats
    held: Floats
    doubt: Doubt


def spreads(*, world: str, seed: int, days: int) -> list[dict[str, Any]]:
    """What each way of knowing less does in the second half of a run: spread, pairs, coverage before and after."""
    tape = simulate(WORLDS[world], np.random.default_rng(seed), days=days, every=EVERY_MINUTES)
    at = slices(tape)
    late = at.where(at.end_ms > START_MS + days * DAY_MS // 2)
    factors = Factors.of(load_estimator(OURS).parameters)
    return [_judge(case, factors) | {"world": world, "seed": seed} for case in _cases(tape, late)]


def _judge(case: _Case, factors: Factors) -> dict[str, Any]:
    moved, pairs = compare(case.less, case.full), compare(case.less, case.held)
    wider = case.doubt.widen(factors)
    return {
        "case": case.name,
        "spread": float(np.quantile(np.abs(moved.log_ratio), LEVEL)),
        "pairs": len(pairs.bucket),
        "held": float(is_inside(pairs, factors).mean()),
        "held_wider": float(is_inside(pairs, wider).mean()),
    }


def _cases(tape: Tape, at: Slices) -> Iterator[_Case]:
    window, estimator = tape.window, load_estimator(OURS)
    full = view_estimator(estimator, window, at)
    yield _Case("full", at, full, full, at.held, Doubt())
    for every in EVERY:
        less = view_estimator(estimator, thinned(window, every=every), at)
        yield _Case(f"every {5 * every} minutes", at, less, full, at.held, Doubt(slots=float(every)))
    lost, kept = without_days(window), at.where(_is_after(at))
    less = view_estimator(estimator, lost, kept)
    yield _Case("a day lost", kept, less, full[_is_after(at)], kept.held, Doubt(slots=288.0))
    # Without a mark price nobody knows how far it followed a wick: between not at all and all the way.
    blind = replace(window, mark_bars=window.mark_bars[:0], mark_ms=window.mark_ms[:0])
    bare, swept = (view_estimator(_Wicks(share), blind, at) for share in (0.0, 1.0))
    yield _Case("no mark price", at, swept, bare, at.held, Doubt(last_price=1.0))
    for hours in AGES:
        later = at.where(at.end_ms + hours * HOUR_MS <= int(window.bars["open_time"][-1]))
        now, then = view_estimator(estimator, window, later), _moved(later, hours)
        mask = sweep_out(window, later, hours)
        less, newer = now * mask, view_estimator(estimator, window, then) * mask
        yield _Case(f"{hours} h old", later, less, newer, hold(tape, then) * mask, Doubt(age_hours=float(hours)))


class _Wicks(OpenInterest):
    """Ours, sweeping another share of what only a wick touched."""

    def __init__(self, share: float) -> None:
        self.options = replace(SECOND, wick=share)
        super().__init__(terms=LINEAR)


def _moved(at: Slices, hours: int) -> Slices:
    """The same places some hours later."""
    return replace(at, end_ms=at.end_ms + hours * HOUR_MS)


def thinned(window: Window, *, every: int) -> Window:
    """The same with every so manieth sample of open interest alone."""
    slot = window.open_interest["time"] // STEP_MS
    return replace(window, open_interest=window.open_interest[slot % every == 0])


def without_days(window: Window) -> Window:
    """The same without open interest on every fourth day."""
    lost = (window.open_interest["time"] - 1) // DAY_MS % _LOST_DAYS == 0
    return replace(window, open_interest=window.open_interest[~lost])


def _is_after(at: Slices) -> Bools:
    """Slices in the three hours after a lost day."""
    into = at.end_ms - at.end_ms // DAY_MS * DAY_MS
    return np.asarray(((at.end_ms - 1) // DAY_MS % _LOST_DAYS == 1) & (into <= 3 * HOUR_MS) & (into > 0))
