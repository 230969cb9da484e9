"""Where volume was traded: the point of control, the value area and the gaps in it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from heatmaps.core.grid import Floats

# Width of a bin in ln(price); bins are absolute, so that a price always falls into the same one.
WIDTH: Final = 1e-3
SHARE: Final = 0.7
# A low-volume node is a minimum at most this share of the lower of the two peaks beside it, after smoothing [bins].
NODE_SHARE: Final = 0.5
NODE_SIGMA: Final = 3.0
LEAST_PEAK: Final = 0.1


class Profile(NamedTuple):
    """Volume by price: float64[n] per bin from ``first_bin`` up; bin j covers [j, j + 1) WIDTH in ln(price)."""

    first_bin: int
    volume: Floats

    def edge(self, index: int) -> float:
        """The price at the lower edge of the index-th bin."""
        return math.exp((self.first_bin + index) * WIDTH)

    def middle(self, index: int) -> float:
        """The price in the middle of the index-th bin."""
        return math.exp((self.first_bin + index + 0.5) * WIDTH)


class ValueArea(NamedTuple):
    """Where SHARE of the volume lies in the fewest bins: prices.

    poc: the middle of the fullest bin; spans: the pieces, ascending; low, high: their outer ends; share: of them;
    nodes: middles of low-volume nodes, ascending.
    """

    poc: float
    low: float
    high: float
    spans: tuple[tuple[float, float], ...]
    share: float
    nodes: tuple[float, ...]


def volume_profile(high: Floats, low: Floats, volume: Floats) -> Profile | None:
    """Spread each bar's volume evenly over ln(low) to ln(high); None where no bar has any.

    high, low: float64[n] logarithms, volume: float64[n] >= 0; bars with a NaN are left out. What all bins hold adds up
    to the volume of the bars that count.
    """
    used = ~(np.isnan(high) | np.isnan(low) | np.isnan(volume)) & (volume > 0)
    if not used.any():
        return None
    bottom, top, weight = low[used] / WIDTH, high[used] / WIDTH, volume[used]
    first, last = math.floor(bottom.min()), math.floor(top.max())
    below = _below(np.arange(first, last + 2, dtype=np.float64), bottom, top)
    return Profile(first, weight @ np.diff(below, axis=1))


def _below(edges: Floats, bottom: Floats, top: Floats) -> Floats:
    """Share of each bar below each edge, float64[bars, edges]; a bar without height lies in one bin."""
    height = np.where(top > bottom, top - bottom, 1.0)
    share = np.clip((edges - bottom[:, None]) / height[:, None], 0.0, 1.0)
    flat = (top <= bottom)[:, None]
    return np.asarray(np.where(flat, edges > bottom[:, None], share))


def value_area(profile: Profile) -> ValueArea:
    """The highest-density region that holds at least SHARE: the fullest bins first, the lower ones on a tie."""
    volume = profile.volume
    order = np.argsort(-volume, kind="stable")
    held = np.cumsum(volume[order])
    count = int(np.searchsorted(held, SHARE * held[-1])) + 1
    chosen = np.zeros(len(volume), dtype=np.int64)
    chosen[order[:count]] = 1
    edges = np.diff(chosen, prepend=0, append=0)
    starts, stops = np.flatnonzero(edges > 0).tolist(), np.flatnonzero(edges < 0).tolist()
    spans = tuple((profile.edge(a), profile.edge(b)) for a, b in zip(starts, stops, strict=True))
    return ValueArea(
        poc=profile.middle(int(order[0])),
        low=spans[0][0],
        high=spans[-1][1],
        spans=spans,
        share=float(held[count - 1] / held[-1]),
        nodes=tuple(profile.middle(index) for index in nodes(volume)),
    )


def nodes(volume: Floats) -> list[int]:
    """Bins of low-volume nodes: minima of the smoothed profile, at most NODE_SHARE of the lower of the peaks beside.

    Peaks below LEAST_PEAK of the highest are none.
    """
    level = _smooth(volume)
    found, left = [], -1
    for peak in _peaks(level):
        if left < 0:
            left = peak
            continue
        low = left + int(np.argmin(level[left : peak + 1]))
        if level[low] <= NODE_SHARE * min(level[left], level[peak]):
            found.append(low)
            left = peak
        elif level[peak] > level[left]:
            left = peak
    return found


def _peaks(level: Floats) -> list[int]:
    padded = np.concatenate(([-1.0], level, [-1.0]))
    is_peak = (level > padded[:-2]) & (level >= padded[2:]) & (level >= LEAST_PEAK * level.max())
    peaks: list[int] = np.flatnonzero(is_peak).tolist()
    return peaks


def _smooth(values: Floats) -> Floats:
    radius = int(4 * NODE_SIGMA)
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / NODE_SIGMA) ** 2)
    return np.asarray(np.convolve(values, kernel / kernel.sum(), "full")[radius : radius + len(values)])
