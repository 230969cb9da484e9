"""When a rule held that is not about a level: volume of a candle, change of open interest over one. Pure numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

# A candle's volume is held against the mean of so many before it.
USUAL: Final = 20


def volume_signals(candles: npt.NDArray[np.void], *, candle_ms: int, times: float) -> list[int]:
    """Return the ends [ms] of candles whose volume is ``times`` the mean of the USUAL before them.

    candles: structured [n] with ``open_time`` [ms] and ``volume``, ascending, complete ones only. A candle with a hole
    among those before it, or without a volume, tells nothing.
    """
    if len(candles) <= USUAL:
        return []
    windows = np.lib.stride_tricks.sliding_window_view(candles["volume"], USUAL)[:-1]
    usual = windows.mean(axis=1)
    newest, opened = candles["volume"][USUAL:], candles["open_time"]
    is_whole = opened[USUAL:] - opened[:-USUAL] == USUAL * candle_ms
    held = is_whole & (usual > 0) & (newest >= times * usual)
    return [int(at) + candle_ms for at in opened[USUAL:][held]]


def interest_signals(
    samples: npt.NDArray[np.void], *, candle_ms: int, percent: float, since_ms: int, until_ms: int
) -> list[int]:
    """Return the ends [ms] of candles over which open interest changed by ``percent`` or more, with its sign.

    samples: structured [n] with ``time`` [ms] and ``open_interest``, ascending. The value at an end is the last one in
    the candle that ends there; where either is missing nothing is told.
    """
    ends = np.arange(-(-since_ms // candle_ms) * candle_ms, until_ms + 1, candle_ms)
    if not len(samples) or not len(ends):
        return []
    values = []
    for at in (ends, ends - candle_ms):
        found = np.searchsorted(samples["time"], at, side="right") - 1
        known = (found >= 0) & (samples["time"][found] > at - candle_ms)
        values.append(np.where(known, samples["open_interest"][found], np.nan))
    change = (values[0] / values[1] - 1) * 100
    held = change >= percent if percent > 0 else change <= percent
    return [int(at) for at in ends[held]]
