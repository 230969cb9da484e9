"""How far the price went against closed plans and for them, and what that says of their stops and targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from journal import statistics
from journal.statistics import Gate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journal.queries.results import Outcome

_WON: Final = 1.0  # a loss that was ahead by so much before [R]


@dataclass(frozen=True, slots=True)
class Paths:
    """Measured plans, and what is read off them from 30 on.

    heat_half, heat_most: how far nine and five of ten winners went under water at most [R]. ahead: share of losses
    that were 1 R ahead for certain before. Of doubtful bars the worse is taken. unmeasured: closed plans whose bars
    are not all stored, or that wait for it.
    """

    measured: tuple[Outcome, ...]
    unmeasured: int
    gate: Gate
    heat_half: statistics.Interval | None = None
    heat_most: statistics.Interval | None = None
    ahead: statistics.Interval | None = None


def read_paths(closed: Sequence[Outcome]) -> Paths:
    """Return the paths of closed plans."""
    measured = tuple(one for one in closed if one.adverse and one.favourable)
    passed = statistics.gate(len(measured))
    missing = len(closed) - len(measured)
    if passed in {Gate.COUNTS, Gate.FEW}:
        return Paths(measured, missing, passed)
    heat = [one.adverse[1] for one in measured if one.adverse and (one.low or 0.0) > 0]
    lost = [one.favourable[0] >= _WON for one in measured if one.favourable and (one.low or 0.0) <= 0]
    return Paths(
        measured=measured,
        unmeasured=missing,
        gate=passed,
        heat_half=statistics.quantile_interval(heat, 0.5),
        heat_most=statistics.quantile_interval(heat, 0.9),
        ahead=statistics.wilson(sum(lost), len(lost)) if len(lost) >= statistics.LEAST else None,
    )
