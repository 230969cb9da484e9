"""How far a step's liquidations reached: the extremes of the mark price, or of the last price where it is all there is.

Venues liquidate at the mark price. Where mark bars cover a step, its extremes are swept and nothing beyond. Where they
do not, the last price stands in for it: between the opens and closes of the bars all is swept; what only a wick beyond
them touched is swept in part, because the mark price follows a wick most of the way, not all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from market.series import STEP_MS

if TYPE_CHECKING:
    import numpy.typing as npt

    from market.series import Records, Window

    from .grid import Floats, Ints


@dataclass(frozen=True, slots=True)
class Sweeps:
    """Ranges of price per step [quote per base], arrays [step]; is_last: the last price stood in for the mark price.

    low, high: swept; touch_low, touch_high: touched by a wick of the last price alone, never inside of ``low`` to
    ``high``.
    """

    low: Floats
    high: Floats
    touch_low: Floats
    touch_high: Floats
    is_last: npt.NDArray[np.bool_]


def by_last_price(bars: Records, starts: Ints) -> Sweeps:
    """Sweep by the extremes of the bars; ``starts``: the first bar of each step."""
    low, high = np.minimum.reduceat(bars["low"], starts), np.maximum.reduceat(bars["high"], starts)
    return Sweeps(low, high, low, high, np.ones(len(starts), np.bool_))


def by_mark_price(window: Window, bars: Records, starts: Ints, end_ms: Ints) -> Sweeps:
    """Sweep by the mark price where its bars cover every slot of a step that has bars, else by the bars' bodies.

    bars: those of the steps, ``starts``: the first of each step; end_ms: where steps end [ms].
    """
    last = by_last_price(bars, starts)
    slots = np.unique(_slot(bars["open_time"]))
    low, high, covered = _extremes(window, slots)
    step = np.searchsorted(end_ms, slots)
    first = np.flatnonzero(np.diff(step, prepend=-1))
    is_last = np.minimum.reduceat(covered, first) < STEP_MS
    body_low = np.minimum.reduceat(np.minimum(bars["open"], bars["close"]), starts)
    body_high = np.maximum.reduceat(np.maximum(bars["open"], bars["close"]), starts)
    low = np.where(is_last, body_low, np.minimum.reduceat(low, first))
    high = np.where(is_last, body_high, np.maximum.reduceat(high, first))
    touch_low, touch_high = np.where(is_last, last.low, low), np.where(is_last, last.high, high)
    return Sweeps(low, high, touch_low, touch_high, is_last)


def is_awaited(window: Window, end_ms: int) -> bool:
    """Whether the newest step should wait for its mark bars: some are there, and the next step has not ended yet."""
    if len(window.bars) == 0 or int((window.bars["open_time"] + window.bar_ms).max()) >= end_ms + STEP_MS:
        return False
    covered = int(window.mark_ms[_slot(window.mark_bars["open_time"]) == end_ms].sum())
    return 0 < covered < STEP_MS


def _extremes(window: Window, slots: Ints) -> tuple[Floats, Floats, Ints]:
    """Lowest and highest mark price of each slot, and how much of it [ms] bars no longer than a slot cover."""
    slot = _slot(window.mark_bars["open_time"])
    used = (window.mark_ms <= STEP_MS) & np.isin(slot, slots)
    rows, place = window.mark_bars[used], np.searchsorted(slots, slot[used])
    low, high = np.full(len(slots), np.inf), np.full(len(slots), -np.inf)
    np.minimum.at(low, place, rows["low"])
    np.maximum.at(high, place, rows["high"])
    return low, high, np.bincount(place, window.mark_ms[used], len(slots)).astype(np.int64)


def _slot(open_time: Ints) -> Ints:
    return np.asarray(open_time // STEP_MS * STEP_MS + STEP_MS)
