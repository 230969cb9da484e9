"""The finer bars that a bar is made of: they tell the order that it does not."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from .paths import Bar

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from risk.formulas import Side


@dataclass(frozen=True, slots=True, eq=False)
class Rung:
    """Bars of one length [ms], ascending: structured [n] as ``judge`` takes them; a trade may be a bar."""

    step_ms: int
    bars: npt.NDArray[np.void]


def inside(rung: Rung, whole: Bar, side: Side) -> list[Bar]:
    """Return the parts of a bar, turned; nothing where one is missing, or where together they tell another bar."""
    first, last = rung.bars["open_time"].searchsorted([whole.open_ms, whole.end_ms]).tolist()
    parts = [read(row, rung.step_ms, side) for row in rung.bars[first:last]]
    starts = list(range(whole.open_ms, whole.end_ms, rung.step_ms))
    if [part.open_ms for part in parts] != starts or parts[-1].end_ms != whole.end_ms:
        return []
    edges = (parts[0].open, max(part.high for part in parts), min(part.low for part in parts), parts[-1].close)
    return parts if edges == (whole.open, whole.high, whole.low, whole.close) else []


def read(row: np.void, step_ms: int, side: Side) -> Bar:
    """Read a bar exactly, turned by the side."""
    first, high, low, last = (side * exact(row[name]) for name in ("open", "high", "low", "close"))
    high, low = (high, low) if side > 0 else (low, high)
    return Bar(int(row["open_time"]), int(row["open_time"]) + step_ms, first, high, low, last)


def exact(price: np.float64) -> Decimal:
    """Return the shortest decimal that is this price."""
    return Decimal(repr(float(price)))
