"""From an order book to what rests near its middle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from market.series import DEPTH_BPS

from .strict import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt


# Less than any tick, more than rounding can move a level [bp].
_HAIR: Final = 1e-6


def profile(
    *, time_ms: int, bids: Sequence[tuple[float, float]], asks: Sequence[tuple[float, float]]
) -> tuple[float, ...]:
    """Return a DEPTH record of one book.

    bids, asks: (price [quote], value [quote]) of each level, the best first. What lies beyond the deepest level that
    was shown is not known: NaN. Raises UnreadableError for a book that can't be one.
    """
    below, above = _side(bids, "bids", -1.0), _side(asks, "asks", 1.0)
    if below[0, 0] >= above[0, 0]:
        raise UnreadableError("the best bid is not below the best ask")
    mid = (below[0, 0] + above[0, 0]) / 2
    return time_ms, float(mid), *_within(below, mid, -1.0), *_within(above, mid, 1.0)


def _side(levels: Sequence[tuple[float, float]], name: str, away: float) -> npt.NDArray[np.float64]:
    side = np.array(levels, dtype=np.float64).reshape(-1, 2)
    if not len(side):
        raise UnreadableError(f"{name} are empty")
    if (side <= 0).any():
        raise UnreadableError(f"{name} hold a price or a quantity that is not above zero")
    if (np.diff(side[:, 0]) * away <= 0).any():
        raise UnreadableError(f"{name} are not in order")
    return side


def _within(side: npt.NDArray[np.float64], mid: float, away: float) -> list[float]:
    distance = (side[:, 0] - mid) * away / mid * 10_000
    reach = distance[-1] + _HAIR
    return [float(side[distance <= bps + _HAIR, 1].sum()) if reach >= bps else float("nan") for bps in DEPTH_BPS]
