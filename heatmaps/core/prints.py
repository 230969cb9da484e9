"""Liquidations that were seen with a price, by hour and by distance from where the hour began: what maps are judged on.

A slice is the beginning of an hour. What maps held there is compared, within the bins that the hour's price then went
through, with where liquidations were seen. How many there were does not matter, only where: the volume of the hour and
how far it went are given to every map alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from market.series import DAY_MS, HOUR_MS

from .grid import BIN_BPS, bin_coordinate, bin_width
from .score.walk import parts_of
from .views import REACH, Slices, view

if TYPE_CHECKING:
    from market.series import Records, Window

    from .estimators.base import Estimator
    from .grid import Floats, Ints

_WIDTH = bin_width(BIN_BPS)


def slices_of(window: Window, prints: Records, start_ms: Ints) -> Slices:
    """Slices at those of the hours that begin at ``start_ms`` for which there is a bar before and one inside.

    prints: LIQUIDATION[n]. True positions are not known: ``held`` is nothing.
    """
    bars, ends = window.bars, window.bars["open_time"] + window.bar_ms
    before = np.searchsorted(ends, start_ms, side="right") - 1
    first, last = (np.searchsorted(bars["open_time"], start_ms + add) for add in (0, HOUR_MS))
    used = (before >= 0) & (last > first)
    start_ms, before, first, last = start_ms[used], before[used], first[used], last[used]
    close = bars["close"][before]
    close_bin = _bins(close)
    low = np.array([bars["low"][a:b].min() for a, b in zip(first.tolist(), last.tolist(), strict=True)])
    high = np.array([bars["high"][a:b].max() for a, b in zip(first.tolist(), last.tolist(), strict=True)])
    return Slices(
        end_ms=start_ms.astype(np.int64),
        price=close,
        close_bin=close_bin,
        held=np.zeros((len(start_ms), 2, REACH)),
        printed=_printed(prints, start_ms, close_bin),
        swept=np.clip(np.stack([close_bin - _bins(low), _bins(high) - close_bin], axis=1), 0, REACH),
    )


def view_at(estimator: Estimator, window: Window, at: Slices) -> Floats:
    """What an estimator held at each slice, never later: float64[slice, side, REACH] contracts."""
    found, done = np.zeros((len(at), 2, REACH)), 0
    state: Any = None
    held: tuple[Floats, int] | None = None
    for part in parts_of(window, DAY_MS):
        if len(part.bars) == 0:
            continue
        estimate = estimator.estimate(part, state)
        state, ends = estimate.state, estimate.steps.end_ms
        day_end = (int((part.bars["open_time"] + part.bar_ms).max()) - 1) // DAY_MS * DAY_MS + DAY_MS
        while done < len(at) and at.end_ms[done] <= day_end:
            index = int(np.searchsorted(ends, at.end_ms[done], side="right")) - 1
            if index >= 0:
                held = estimate.columns[index].astype(np.float64), int(estimate.anchor[index])
            if held is not None:
                found[done] = view(*held, int(at.close_bin[done]))
            done += 1
        if len(ends):
            held = estimate.columns[-1].astype(np.float64), int(estimate.anchor[-1])
    return found


def _bins(price: Floats) -> Ints:
    return np.floor(bin_coordinate(price, _WIDTH)).astype(np.int64)


def _printed(prints: Records, start_ms: Ints, close_bin: Ints) -> Floats:
    """Contracts by slice, side and distance; those at or beyond the hour's first price are on neither side."""
    found = np.zeros((len(start_ms), 2, REACH))
    place = np.searchsorted(start_ms, prints["time"], side="right") - 1
    prints, place = prints[place >= 0], place[place >= 0]
    side = np.where(prints["position_side"] > 0, 0, 1)
    away = _bins(prints["price"]) - close_bin[place]
    away = np.where(side == 0, -away, away) - 1
    used = (prints["time"] < start_ms[place] + HOUR_MS) & (away >= 0) & (away < REACH)
    np.add.at(found, (place[used], side[used], away[used]), prints["quantity"][used])
    return found
