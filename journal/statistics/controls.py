"""Own results beside those of the same plans at random moments."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .intervals import LEAST, NORMAL, Interval, mean_interval

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Control:
    """own, drawn: mean result of plans, and of their replays [R]; gain: own less drawn, with its interval [R].

    as_high: how often one replay of every plan would have a mean as high as the own one or higher, by the normal
    approximation; None where replays do not differ.
    """

    own: float
    drawn: float
    gain: Interval
    as_high: float | None


def control(
    own: Sequence[float], drawn: Sequence[tuple[float, float]], *, days: Sequence[int] | None = None, seed: int = 1
) -> Control | None:
    """Set results beside the (mean, standard deviation) [R] of each one's replays; None below 10 groups of a day.

    Each plan is compared with its own replays, so that plans of wide and of narrow distances mix without harm; the
    noise of a replayed mean is in the differences and so in the interval. Under the null, that place and moment add
    nothing, the difference is 0.
    """
    results, replays = np.asarray(own, dtype=np.float64), np.asarray(drawn, dtype=np.float64).reshape(-1, 2)
    if len(results) != len(replays):
        raise ValueError(f"{len(results)} results need as many replayed ones, not {len(replays)}.")
    if len(results) < LEAST:
        return None
    gain = mean_interval((results - replays[:, 0]).tolist(), days=days, seed=seed)
    if gain is None:
        return None
    spread = math.sqrt(float((replays[:, 1] ** 2).sum()))
    above = float((results - replays[:, 0]).sum())
    as_high = 1 - NORMAL.cdf(above / spread) if spread else None
    return Control(float(results.mean()), float(replays[:, 0].mean()), gain, as_high)
