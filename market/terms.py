"""By which rule a contract is liquidated, and which table of leverage brackets held when."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

from .contracts import Brackets, LiquidationRule


@dataclass(frozen=True, slots=True)
class DatedBrackets:
    """A table of brackets and the moment from which it counts [epoch ms]: the end of the day on which it was seen."""

    since_ms: int
    brackets: Brackets


@dataclass(frozen=True, slots=True)
class Terms:
    """What decides at which price a position in a contract is liquidated.

    fee_rate: what the venue adds to the maintenance rate; tables: ascending by ``since_ms``. Nothing is known before
    the first of them, and a later table changes nothing about the time before it.
    """

    rule: LiquidationRule = LiquidationRule.LINEAR_MARK
    fee_rate: float = 0.0
    tables: tuple[DatedBrackets, ...] = ()

    def table_at(self, moment_ms: int) -> int:
        """Return the index of the table that counts at a moment [ms]; -1 where none is known."""
        return bisect_right([table.since_ms for table in self.tables], moment_ms) - 1


LINEAR: Final = Terms()
