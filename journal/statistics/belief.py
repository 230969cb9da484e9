"""How stated chances came out: Brier's score beside the base rate's, and reliability by bins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .intervals import LEAST, Floats, Interval, mean_interval, wilson

if TYPE_CHECKING:
    from collections.abc import Sequence

EDGES = (0.2, 0.4, 0.6, 0.8)


@dataclass(frozen=True, slots=True)
class Bin:
    """Plans whose stated chance lay in one fifth: the mean stated, and how many came, with Wilson's interval."""

    stated: float
    came: Interval


@dataclass(frozen=True, slots=True)
class Belief:
    """Brier's score of stated chances, of the base rate, and their difference (above 0: better than the base rate)."""

    brier: float
    base: float
    gain: Interval
    bins: tuple[Bin, ...]
    bins_too_small: int


def judge_belief(stated: Sequence[float], came: Sequence[bool], *, seed: int = 1) -> Belief | None:
    """Return how stated chances [0..1] came out; None below 10 of them. A bin needs 10 plans to be shown.

    The base rate of a plan is that of the other plans, so that it does not know the outcome that it is scored on.
    """
    chances, outcomes = np.asarray(stated, dtype=np.float64), np.asarray(came, dtype=np.float64)
    if chances.size != outcomes.size or ((chances < 0) | (chances > 1)).any():
        raise ValueError("Every stated chance lies between 0 and 1 and has one outcome.")
    if chances.size < LEAST:
        return None
    others = (outcomes.sum() - outcomes) / (outcomes.size - 1)
    own, base = (chances - outcomes) ** 2, (others - outcomes) ** 2
    gain = mean_interval((base - own).tolist(), seed=seed)
    assert gain is not None  # there are ten or more
    place = np.digitize(chances, EDGES)
    members = [place == number for number in range(len(EDGES) + 1)]
    shown = [one for one in members if one.sum() >= LEAST]
    hidden = sum(0 < one.sum() < LEAST for one in members)
    bins = tuple(_bin(chances[one], outcomes[one]) for one in shown)
    return Belief(float(own.mean()), float(base.mean()), gain, bins, int(hidden))


def _bin(chances: Floats, outcomes: Floats) -> Bin:
    came = wilson(int(outcomes.sum()), outcomes.size)
    assert came is not None  # a bin is shown from ten on
    return Bin(float(chances.mean()), came)
