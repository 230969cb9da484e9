"""What a source that brings everything of a span at once hands over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from market.series import Records


@dataclass(frozen=True, slots=True)
class Batch:
    """What one fetch brought, each series ascending in time.

    Attributes:
        bars: BAR[n], only closed ones, ``since <= open_time`` and ``open_time + timeframe <= until``.
        open_interest: OPEN_INTEREST[n], ``since < time <= until`` (a sample belongs to the step that it ends).
        funding: FUNDING[n], ``since < time <= until``.
        liquidations: LIQUIDATION[n], ``since <= time < until``.
        timeframe: length of a bar [s].
        checkpoints: (as_of [ms], opaque state) of a source that has one, ascending; the last is the newest.
    """

    bars: Records
    open_interest: Records
    funding: Records
    liquidations: Records
    timeframe: int
    checkpoints: tuple[tuple[int, bytes], ...] = ()
