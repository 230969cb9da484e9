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
    """Amounts [USD], such that later = earlier + deposited - closed - swept + moved.

    Not frozen for speed alone (150 are made for each slice); nobody writes into one.
    """

    deposited: float = 0.0
    closed: float = 0.0
    swept: float = 0.0
    moved: float = 0.0

    def __add__(self, other: Flows) -> Flows:
        """These and then those."""
        return Flows(
            self.deposited + other.deposited,
            self.closed + other.closed,
            self.swept + other.swept,
            self.moved + other.moved,
        )

    @property
    def change(self) -> float:
        """By how much the band's contents changed."""
        return self.deposited - self.closed - self.swept + self.moved


def _swept(side: int, band: tuple[int, int], before: Column, column: Column) -> float:
    """What of a band was swept in a step, as the inventory counts bins: all of some, a share where a wick touched."""
    low, high = band
    prices = (column.low, column.high)
    reached = column.swept or prices
    if side == 1:
        first, touched = math.ceil(reached[0] - 0.5), math.ceil(prices[0] - 0.5)
        if min(first, touched) >= high:
            return 0.0
        first, touched = min(max(low, first), high), max(low, touched)
        return before.between(first, high) + column.wick * before.between(min(touched, first), first)
    last, touched = math.floor(reached[1] - 0.5) + 1, math.floor(prices[1] - 0.5) + 1
    if max(last, touched) <= low:
        return 0.0
    last, touched = max(min(high, last), low), min(high, touched)
    return before.between(low, last) + column.wick * before.between(last, max(touched, last))


def account(side: int, band: tuple[int, int], before: Column, column: Column) -> Flows:
    """The flows of bins [low, high) on one side (+1 longs, -1 shorts) between two columns that follow each other."""
    return book(side, band, (before, column), before.between(*band), column.between(*band))


def book(side: int, band: tuple[int, int], columns: tuple[Column, Column], held: float, now: float) -> Flows:
    """The same where it is known what the band held and holds [USD]."""
    before, column = columns
    swept = _swept(side, band, before, column)
    survived = held - swept
    if column.members != before.members:
        return Flows(swept=swept, moved=now - survived)
    kept = column.kept[0] if side == 1 else column.kept[1]
    if not math.isfinite(kept):
        # Columns of an older kind do not tell what was closed: only the balance is known.
        return Flows(deposited=max(now - survived, 0.0), closed=max(survived - now, 0.0), swept=swept)
    return Flows(now - kept * survived, survived - kept * survived, swept)
