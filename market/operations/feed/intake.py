"""Between the websockets and the database: what was heard, in order, until it is committed.

The intake is bounded. When the database is slower than the venues, the lines wait and the venues' own buffers fill;
nothing is shed. What could not be written stays in front and is written first.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from market.operations.herd import Told
    from market.sources.base import Fault

    from .line import Line

MOST_ROWS: Final = 50_000


@dataclass(frozen=True, slots=True)
class Item:
    """Something heard on a line: rows of an instrument, or what could not even be told of whom it speaks."""

    line: Line
    told: Told | None
    faults: Sequence[Fault] = ()


@dataclass
class Intake:
    """A bounded queue whose content is taken as a whole, and given back where it could not be written."""

    most_rows: int = MOST_ROWS
    _items: list[Item] = field(default_factory=list)
    _rows: int = 0
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def put(self, line: Line, told: Told) -> None:
        """Add what was heard of an instrument, waiting for room."""
        await self._add(Item(line, told), max(1, len(told.part.rows)))

    async def hold(self, line: Line, faults: Sequence[Fault]) -> None:
        """Add what could not be read."""
        await self._add(Item(line, None, faults), len(faults))

    async def _add(self, item: Item, rows: int) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: not self._items or self._rows + rows <= self.most_rows)
            self._items.append(item)
            self._rows += rows

    async def take(self) -> list[Item]:
        """Take all there is; the room it took is free only after ``done``."""
        async with self._changed:
            items, self._items = self._items, []
            return items

    async def done(self, left: Sequence[Item]) -> None:
        """Free the room of what was taken, but for what is given back to be taken first."""
        async with self._changed:
            self._items = [*left, *self._items]
            self._rows = sum(_rows_of(item) for item in self._items)
            self._changed.notify_all()


def _rows_of(item: Item) -> int:
    return max(1, len(item.told.part.rows)) if item.told else len(item.faults)
