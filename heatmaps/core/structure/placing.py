"""Where a band of prices lies in the structure around it, and what rests in the book on the way to it."""

from __future__ import annotations

import math
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from market.series import DEPTH_BPS

if TYPE_CHECKING:
    from .ranges import Range

# Nearer than this many standard deviations of four hours a price comes and goes.
NOISE_SIGMAS: Final = 0.5


class Place(Enum):
    """A band in relation to a range: labels with numbers, no score."""

    NOISE = "noise"
    INSIDE = "inside"
    AT_BOUNDARY = "at boundary"
    BEYOND = "beyond"
    BEHIND = "beyond, behind a larger zone"


class Placed(NamedTuple):
    """The label and what it rests on.

    distance: from the price to the band's near edge [ln], 0 inside it; sigmas: that over the standard deviation of four
    hours, None where it is not known; past: how far the near edge lies beyond the nearer boundary [ln], below 0 inside;
    epsilon: half a boundary's width [ln]; is_clean: whether that boundary is. The last three are None without a range.
    """

    place: Place | None
    distance: float
    sigmas: float | None
    past: float | None
    epsilon: float | None
    is_clean: bool | None


def place_band(  # noqa: PLR0913  # a band, where it is seen from, and what it is held against
    *, low: float, high: float, price: float, found: Range | None, sigma: float | None, is_behind: bool = False
) -> Placed:
    """Label the band [low, high] seen from ``price``; all prices > 0.

    sigma: standard deviation of four hours [ln], None where it is not known, then nothing is noise; ``is_behind``: a
    larger zone lies between the boundary and this one. Without a range only noise can be told; else there is no label.
    Raises ValueError where prices or sigma are not positive or the band is upside down.
    """
    if not 0 < low <= high or not price > 0 or (sigma is not None and not sigma > 0):
        raise ValueError("prices and sigma must be positive, and the band's low not above its high")
    distance = max(math.log(low / price), math.log(price / high), 0.0)
    sigmas = None if sigma is None else distance / sigma
    past, is_clean = _past(low, high, found) if found else (None, None)
    place = Place.NOISE if sigmas is not None and sigmas < NOISE_SIGMAS else None
    if place is None and found is not None and past is not None:
        place = _against(past, low, high, found, is_behind=is_behind)
    return Placed(place, distance, sigmas, past, found.epsilon if found else None, is_clean)


def _past(low: float, high: float, found: Range) -> tuple[float, bool]:
    """How far the near edge lies beyond the nearer boundary, and whether that boundary is clean."""
    above, below = math.log(low / found.upper.price), math.log(found.lower.price / high)
    return (above, found.upper.is_clean) if above >= below else (below, found.lower.is_clean)


def _against(past: float, low: float, high: float, found: Range, *, is_behind: bool) -> Place:
    if past > found.epsilon:
        return Place.BEHIND if is_behind else Place.BEYOND
    for boundary in (found.lower.price, found.upper.price):
        if math.log(low / boundary) <= found.epsilon and math.log(boundary / high) <= found.epsilon:
            return Place.AT_BOUNDARY
    return Place.INSIDE


class Resting(NamedTuple):
    """What rests in the book between the middle and a distance [quote].

    low, high: what is known for certain, from the profile's steps on both sides of the distance, high is None beyond
    the last; usd: between them in proportion to distance, None beyond the last step that the venue showed.
    """

    usd: float | None
    low: float
    high: float | None


def resting_within(depth: np.void, *, distance_bps: float, is_ask: bool) -> Resting | None:
    """Read a row of DEPTH up to a distance >= 0 [basis points]; None where the venue showed nothing of that side."""
    names = [f"{'ask' if is_ask else 'bid'}_{bps}" for bps in DEPTH_BPS]
    steps = np.array([0.0, *DEPTH_BPS])
    held = np.array([0.0, *(float(depth[name]) for name in names)])
    known = ~np.isnan(held)
    steps, held = steps[known], held[known]
    if len(steps) == 1:
        return None
    above = int(np.searchsorted(steps, distance_bps))
    if above == len(steps):
        return Resting(None, float(held[-1]), None)
    lower = float(held[above]) if steps[above] == distance_bps else float(held[above - 1])
    return Resting(float(np.interp(distance_bps, steps, held)), lower, float(held[above]))
