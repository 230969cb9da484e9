"""What became of the contracts in a band from one column to the next: opened, closed, swept, moved [USD].

Derived from what is stored, two columns of tiles and the spine of the later one. The inventory sweeps a bin whole and
closes all of a side's survivors alike (``heatmaps.core.inventory``), so with B the band's contents before and after,
x what of it lay in bins that were swept, and d the share kept on that side:

    swept = x;  closed = (1 - d) (B_before - x);  deposited = B_after - d (B_before - x)

It adds up by construction: B_after = B_before + deposited - closed - swept. What tiles round (2.2 % of a bin at most)
is in ``deposited``, never twice: the next step takes back what this one rounded up. ``moved`` is no trade: the band was
drawn anew, a member of a pair came or went, or older data were corrected.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .clusters import Column


@dataclass(slots=True)
class Flows:
    """Amounts [USD], such that later = earlier + deposited - closed - swept + moved; they add up in place."""

    deposited: float = 0.0
    closed: float = 0.0
    swept: float = 0.0
    moved: float = 0.0

    def copy(self) -> Flows:
        """As they are now."""
        return Flows(self.deposited, self.closed, self.swept, self.moved)

    def book(self, held: float, now: float, swept: float, *, kept: float | None) -> None:
        """Add a step in which a band held, holds now, and lost to a sweep so much [USD]; kept: see ``kept_of``."""
        survived = held - swept
        self.swept += swept
        if kept is None:
            self.moved += now - survived
            return
        # Columns of an older kind do not tell what was closed: only the balance is known.
        left = kept * survived if math.isfinite(kept) else min(now, survived)
        self.deposited += now - left
        self.closed += survived - left

    @property
    def change(self) -> float:
        """By how much the band's contents changed."""
        return self.deposited - self.closed - self.swept + self.moved


def swept_of(side: int, band: tuple[int, int], before: Column, column: Column) -> float:
    """What of a band was swept in a step, as the inventory counts bins: all of some, a share where a wick touched."""
    low, high = band
    if side == 1:
        first, touched = min(max(low, column.longs_from), high), max(low, column.longs_touched)
        return before.between(first, high) + column.wick * before.between(min(touched, first), first)
    last, touched = max(min(high, column.shorts_to), low), min(high, column.shorts_touched)
    return before.between(low, last) + column.wick * before.between(last, max(touched, last))


def account(side: int, band: tuple[int, int], before: Column, column: Column) -> Flows:
    """The flows of bins [low, high) on one side (+1 longs, -1 shorts) between two columns that follow each other."""
    flows, swept = Flows(), swept_of(side, band, before, column)
    flows.book(before.between(*band), column.between(*band), swept, kept=kept_of(side, before, column))
    return flows


def kept_of(side: int, before: Column, column: Column) -> float | None:
    """The share of a side that stayed open, NaN where it is not known; None where other members are in."""
    if column.members != before.members:
        return None
    return column.kept[0] if side == 1 else column.kept[1]
