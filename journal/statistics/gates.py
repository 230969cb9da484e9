"""What may be said of how many results."""

from __future__ import annotations

import math
from enum import Enum
from statistics import NormalDist


class Gate(Enum):
    """How much a count of results can carry."""

    COUNTS = "counts only"  # below 10: no rate, no mean
    FEW = "too few"  # 10 to 29: shown in grey
    PROVISIONAL = "provisional"  # 30 to 99
    OPEN = "open"  # 100 and more


def gate(count: int) -> Gate:
    """Return the gate that a count stands before."""
    if count < 10:  # noqa: PLR2004 # the gates are these numbers
        return Gate.COUNTS
    if count < 30:  # noqa: PLR2004
        return Gate.FEW
    return Gate.PROVISIONAL if count < 100 else Gate.OPEN  # noqa: PLR2004


def needed_count(*, spread: float, effect: float = 0.2, power: float = 0.8, level: float = 0.05) -> int:
    """Return how many results would show a mean of ``effect`` [R] to be other than 0.

    spread: standard deviation of one result [R]. n = ((z_(1-level/2) + z_power) spread / effect)^2, the normal
    approximation of a two-sided test (Cohen 1988). Raises ValueError unless spread and effect are positive.
    """
    if not (spread > 0 and effect > 0):
        raise ValueError("A spread and an effect above 0 are needed to say how many results would be.")
    normal = NormalDist()
    reach = normal.inv_cdf(1 - level / 2) + normal.inv_cdf(power)
    return math.ceil((reach * spread / effect) ** 2)
