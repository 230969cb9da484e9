"""Who closes: all in proportion, or some sooner, as options. Off by default: none has earned its place yet.

Closes C of a side with S survivors fall on all alike (hazard c). With an option, positions that it concerns have up to
``ratio`` times that hazard: with k in [0, 1] how much it concerns each, and M = sum of k over them,

    extra = min(C (ratio - 1) M / (S + (ratio - 1) M), M)

closes among them in proportion to k first; what is left of C falls on what is left of S in proportion. Nothing is lost
or made: the closes of the side stay C. With k = 1 for all of a group it is a mixture of two hazards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from .grid import Floats


@dataclass(frozen=True, slots=True)
class Closing:
    """Options of who closes first.

    Holding time: ``fast_share`` of new positions that can be liquidated close ``fast_ratio`` times as readily as the
    others. Loss: positions at a distance x [ln(price)] from liquidation close 1 + (loss_ratio - 1) exp(-x / loss_reach)
    times as readily as those far away; the nearer to liquidation, the larger the loss. Ratios of 1 are off.
    """

    fast_share: float = 0.0
    fast_ratio: float = 1.0
    loss_ratio: float = 1.0
    loss_reach: float = 0.02

    def __post_init__(self) -> None:
        if not (0.0 <= self.fast_share < 1.0 and min(self.fast_ratio, self.loss_ratio) >= 1.0 and self.loss_reach > 0):
            raise ValueError("a share lies from 0 to below 1, ratios from 1 on, a reach above 0")

    @property
    def populations(self) -> int:
        """How many populations the rows of a side hold: one, or the slow and then the fast."""
        return 2 if self.fast_share > 0.0 else 1

    @property
    def is_proportional(self) -> bool:
        """Whether all positions of a side close alike."""
        return (self.fast_share == 0.0 or self.fast_ratio == 1.0) and self.loss_ratio == 1.0


PROPORTIONAL: Final = Closing()


def take_sooner(rows: Floats, share: Floats | float, ratio: float, *, closes: float, alive: float) -> float:
    """Take the extra closes out of ``rows`` [contracts], in place, and return them.

    rows: what the option concerns, [row, bin]; share: k for each bin, or for all; closes: of the side; alive: the
    side's survivors.
    """
    held = rows * share
    mass = float(held.sum())
    if mass <= 0.0 or closes <= 0.0:
        return 0.0
    extra = min(closes * (ratio - 1.0) * mass / (alive + (ratio - 1.0) * mass), mass)
    rows -= held * (extra / mass)
    return extra


def loss_share(bins: Floats, close: float, width: float, reach: float) -> Floats:
    """The loss option's k of bins: exp(-distance / reach) from the close [bins]; width and reach in ln(price)."""
    return np.asarray(np.exp(-np.abs(bins + 0.5 - close) * (width / reach)))
