"""Run an estimator over a window day by day and add up what its map says was liquidated in each hour.

frozen: what the map held at the hour's beginning in the bins that the hour's price went through. live: step by step,
what it held at the beginning of each step in the bins of that step, so with the entries of the hour itself.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from heatmaps.core.grid import Floats, Ints, bin_coordinate, bin_width
from heatmaps.core.steps import LATE_MS
from market.series import DAY_MS, HOUR_MS, Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from heatmaps.core.estimators.base import Estimator, Map
    from heatmaps.core.estimators.rule import RuleState
    from heatmaps.core.estimators.tiered import TieredEstimator

    from .hours import Hours

MODES: Final = ("frozen", "live")


@dataclass(frozen=True, slots=True)
class Masses:
    """What a map says was liquidated, by mode: float64[hour, side, part] contracts, or money once it is ``priced``.

    prior: float64[part], what each part's share of new positions was believed to be.
    """

    frozen: Floats
    live: Floats
    prior: Floats

    def priced(self, price: Floats) -> Masses:
        """In money; price: float64[hour]."""
        each = price[:, None, None]
        return Masses(self.frozen * each, self.live * each, self.prior)

    @classmethod
    def joined(cls, several: Sequence[Masses]) -> Masses:
        """The parts of several maps beside one another, each map as likely as the others."""
        frozen, live = (np.concatenate([getattr(one, mode) for one in several], axis=2) for mode in MODES)
        return cls(frozen, live, np.concatenate([one.prior for one in several]) / len(several))

    def total(self, mode: str) -> Floats:
        """All parts together: float64[hour, side]."""
        return np.asarray((self.frozen if mode == "frozen" else self.live).sum(axis=2))

    def parts(self, mode: str) -> Floats:
        """Each part as if it were the whole: float64[hour, side, part]."""
        return np.asarray((self.frozen if mode == "frozen" else self.live) / self.prior)


@dataclass(frozen=True, slots=True)
class _Columns:
    """Columns as running sums over their bins, float64[step, bin + 1], and the bins that matter, int64[step].

    low, high: first long bin and last short bin that the step's price went through; below, above: longs lie in bins
    < below, shorts in bins > above; all bins absolute, ``anchor`` is that of the first one. hour: its start [ms].
    """

    sums: Floats
    anchor: Ints
    hour: Ints
    low: Ints
    high: Ints
    below: Ints
    above: Ints

    @classmethod
    def of(cls, found: Map, width: float) -> _Columns:
        """Sum up an estimate's columns."""
        steps = found.steps
        low, high, close = (bin_coordinate(one, width) - 0.5 for one in (steps.low, steps.high, steps.close))
        sums = np.zeros((len(steps), found.columns.shape[1] + 1))
        np.cumsum(found.columns, axis=1, dtype=np.float64, out=sums[:, 1:])
        edges = (np.ceil(low), np.floor(high), np.ceil(close), np.floor(close))
        hour = (steps.end_ms - 1) // HOUR_MS * HOUR_MS
        return cls(sums, found.anchor, hour, *(one.astype(np.int64) for one in edges))

    def after(self, before: _Columns) -> _Columns:
        """These with the last one of those before them in front."""
        return _Columns(
            *(np.concatenate([getattr(before, field.name)[-1:], getattr(self, field.name)]) for field in fields(self))
        )

    def swept(self, held: Ints, low: Ints, high: Ints) -> Floats:
        """What the columns ``held`` hold of longs in bins >= low and of shorts in bins <= high: float64[n, side]."""
        longs = self._between(held, low, self.below[held])
        shorts = self._between(held, self.above[held] + 1, high + 1)
        return np.stack([longs, shorts], axis=1)

    def _between(self, held: Ints, start: Ints, stop: Ints) -> Floats:
        start, stop = (np.clip(one - self.anchor[held], 0, self.sums.shape[1] - 1) for one in (start, stop))
        return np.where(stop > start, self.sums[held, stop] - self.sums[held, start], 0.0)


def parts_of(window: Window, length_ms: int) -> Iterator[Window]:
    """The window in parts of one UTC day, or of one hour, by where bars and samples end."""
    ends, times = window.bars["open_time"] + window.bar_ms, window.open_interest["time"]
    if len(ends) == 0:
        return
    for part in range(int(window.bars["open_time"][0]) // length_ms, (int(ends.max()) - 1) // length_ms + 1):
        since, until = part * length_ms, (part + 1) * length_ms
        bars = (ends > since) & (ends <= until)
        samples = (times > since + LATE_MS) & (times <= until + LATE_MS)
        marked = (window.mark_bars["open_time"] >= since) & (window.mark_bars["open_time"] + window.mark_ms <= until)
        yield replace(
            window,
            bars=window.bars[bars],
            bar_ms=window.bar_ms[bars],
            open_interest=window.open_interest[samples],
            mark_bars=window.mark_bars[marked],
            mark_ms=window.mark_ms[marked],
        )


def walk(estimator: Estimator, window: Window, start_ms: Ints) -> Masses:
    """Masses of one part for the hours that begin at ``start_ms`` (ascending); none before the first column."""
    frozen, live = np.zeros((2, len(start_ms), 2))
    state: Any = None
    before: _Columns | None = None
    for part in parts_of(window, DAY_MS):
        found = estimator.estimate(part, state)
        state = found.state
        if len(found.steps):
            here = _Columns.of(found, bin_width(estimator.bin_bps))
            here = here if before is None else here.after(before)
            _add(here, start_ms, frozen, live)
            before = here
    return Masses(frozen[:, :, None], live[:, :, None], np.ones(1))


def walk_parts(estimator: TieredEstimator, window: Window, hours: Hours) -> Masses:
    """Masses by part, hour by hour; the estimator tells them from its rows."""
    frozen, live = np.zeros((2, len(hours), 2, len(estimator.parts)))
    width, place = bin_width(estimator.bin_bps), {ms: index for index, ms in enumerate(hours.start_ms.tolist())}
    lowest = np.ceil(bin_coordinate(hours.low, width) - 0.5).astype(int).tolist()
    highest = np.floor(bin_coordinate(hours.high, width) - 0.5).astype(int).tolist()
    state: RuleState | None = None
    for part in parts_of(window, HOUR_MS):
        if len(part.bars) == 0:
            continue
        index = place.get(int(part.bars["open_time"][0]) // HOUR_MS * HOUR_MS)
        if index is not None and state is not None:
            anchor = state.anchor
            frozen[index] = estimator.held(state, lowest[index] - anchor, highest[index] - anchor)
        found = estimator.estimate(part, state)
        state = found.state
        if index is not None and found.swept:
            live[index] = np.sum(np.stack([one for one in found.swept if one is not None]), axis=0)
    return Masses(frozen, live, estimator.parts)


def _add(here: _Columns, start_ms: Ints, frozen: Floats, live: Floats) -> None:
    """Add what each column says of the step after it, and of the hour after it, to the hours that are scored."""
    steps = np.arange(1, len(here.hour))
    steps = steps[np.isin(here.hour[steps], start_ms)]
    if len(steps) == 0:
        return
    place = np.searchsorted(start_ms, here.hour[steps])
    np.add.at(live, place, here.swept(steps - 1, here.low[steps], here.high[steps]))
    first = np.flatnonzero(np.diff(place, prepend=-1))
    low, high = np.minimum.reduceat(here.low[steps], first), np.maximum.reduceat(here.high[steps], first)
    frozen[place[first]] = here.swept(steps[first] - 1, low, high)
