"""Which samples of open interest are believed: a jump that trading can not explain is none.

Every contract that is opened or closed was traded, so open interest can not change by more than the volume between two
samples. Small excesses happen (clocks, missing trades) and are flagged with the step. A sample that is more than
``most`` times the one before it, or less than its inverse, *and* changed by more than was traded since, is refused: it
reads like another unit or a broken answer. The step then waits until a sample comes back into line, or until so much
was traded that it may be true.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from market.series import STEP_MS

if TYPE_CHECKING:
    from market.series import Window

    from .grid import Floats, Ints
    from .steps import Ends


def believed(ends: Ends, window: Window, *, before: tuple[int, float] | None, most: float) -> Ends:
    """Leave out the ends whose open interest can not be true; ``disbelieved_ms`` names them.

    before: the end and the open interest [contracts] that the state rests on, None at the very start, where the first
    sample has to be believed; most: the factor beyond which a sample is held against volume. Where a bar is missing
    since then, nobody knows what was traded, and the sample is believed.
    """
    if len(ends.end_ms) == 0:
        return ends
    interest = ends.open_interest if before is None else np.append(before[1], ends.open_interest)
    if np.abs(np.diff(np.log(interest))).max(initial=0.0) <= np.log(most):
        return ends
    kept = _walk(ends, before or (int(ends.end_ms[0]), float(ends.open_interest[0])), most, _Traded(window))
    chosen = ends.end_ms[kept], ends.open_interest[kept], ends.end_ms[~kept]
    return replace(ends, end_ms=chosen[0], open_interest=chosen[1], disbelieved_ms=chosen[2])


class _Traded:
    """What was traded between two ends of slots [contracts]; infinite where a bar is missing."""

    def __init__(self, window: Window) -> None:
        slot = window.bars["open_time"] // STEP_MS * STEP_MS + STEP_MS
        self.ends: Ints = np.unique(slot)
        place = np.searchsorted(self.ends, slot)
        self.sums: Floats = np.concatenate(
            ([0.0], np.cumsum(np.bincount(place, np.nan_to_num(window.bars["volume"]), len(self.ends))))
        )

    def between(self, since_ms: int, until_ms: int) -> float:
        start, stop = np.searchsorted(self.ends, [since_ms, until_ms], side="right")
        if stop - start < (until_ms - since_ms) // STEP_MS:
            return float("inf")
        return float(self.sums[stop] - self.sums[start])


def _walk(
    ends: Ends, last: tuple[int, float], most: float, traded: _Traded
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    kept = np.ones(len(ends.end_ms), np.bool_)
    for index, (end, interest) in enumerate(zip(ends.end_ms.tolist(), ends.open_interest.tolist(), strict=True)):
        is_far = max(interest / last[1], last[1] / interest) > most
        kept[index] = not is_far or abs(interest - last[1]) <= traded.between(last[0], end)
        if kept[index]:
            last = end, interest
    return kept
