"""Whether open interest is told in the unit that is expected: nothing in a single number says so, other series do.

Its value over its amount is a price, which bars know. What is open is as much as is traded within a day, within a
factor that is far less than that between coins and contracts or dollars. And it does not leap while price stands still.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from market.queries import load_bars
from market.queries.rows import load_newest_open_interest
from market.series import DAY_MS, HOUR_MS, MINUTE_MS, moment

if TYPE_CHECKING:
    import numpy.typing as npt

    from market.models import Instrument
    from market.series import Records

_MINUTE: Final = MINUTE_MS // 1000
# A change of open interest by more than this while price doesn't, and a price that is so far off, is another unit.
_LARGEST: Final = 5.0
_STILL: Final = 0.2
# What is open lies within this factor of what is traded in a day.
_TRADED: Final = 200.0
_LEAST_BARS: Final = 60
_LEAPS: Final = f"open interest leaps by more than {_LARGEST:g} times: its unit may have changed"
OFF: Final = f"its value over its amount is more than {_LARGEST:g} times off the price: their units do not go together"
_UNTRADED: Final = f"it is more than {_TRADED:g} times off what is traded in a day: its unit may be another"


def believed(*, instrument: Instrument, rows: Records) -> tuple[Records, list[tuple[int, str]]]:
    """Part OPEN_INTEREST[n], ascending, from what is in another unit; return what is kept, and (index, reason)."""
    if len(rows) == 0:
        return rows, []
    is_off = _are_off(instrument, rows)
    before = _newest_sample(instrument, int(rows["time"][0]))
    kept: list[int] = []
    rejected: list[tuple[int, str]] = []
    for index, row in enumerate(rows):
        if is_off[index]:
            rejected.append((index, OFF))
        elif before is None and _is_untraded(instrument, row):
            rejected.append((index, _UNTRADED))
        elif before is not None and _leaps(before, row):
            rejected.append((index, _LEAPS))
        else:
            kept.append(index)
            before = row
    return rows[kept], rejected


def _are_off(instrument: Instrument, rows: Records) -> npt.NDArray[np.bool_]:
    """Tell where value over amount is no price that the newest bar before, of an hour at most, could have."""
    is_told = np.isfinite(rows["open_interest_value"]) & (rows["open_interest_value"] > 0) & (rows["open_interest"] > 0)
    if not is_told.any():
        return np.zeros(len(rows), dtype=bool)
    since, until = moment(int(rows["time"][0]) - HOUR_MS), moment(int(rows["time"][-1]))
    bars = load_bars(instrument_id=instrument.pk, since=since, until=until, timeframe=_MINUTE)
    if len(bars) == 0:
        return np.zeros(len(rows), dtype=bool)
    ends = bars["open_time"] + MINUTE_MS
    at = np.searchsorted(ends, rows["time"], side="right") - 1
    is_near = (at >= 0) & (rows["time"] - ends[np.maximum(at, 0)] <= HOUR_MS)
    prices = np.divide(rows["open_interest_value"], rows["open_interest"], out=np.ones(len(rows)), where=is_told)
    ratio = prices / bars["close"][np.maximum(at, 0)]
    is_off: npt.NDArray[np.bool_] = is_told & is_near & ((ratio > _LARGEST) | (ratio < 1 / _LARGEST))
    return is_off


def _is_untraded(instrument: Instrument, row: np.void) -> bool:
    """Tell whether a first sample lies beyond what is traded; where too few bars are stored nobody can tell."""
    time_ms = int(row["time"])
    bars = load_bars(
        instrument_id=instrument.pk, since=moment(time_ms - DAY_MS), until=moment(time_ms), timeframe=_MINUTE
    )
    traded = float(bars["volume"].sum())
    if len(bars) < _LEAST_BARS or traded <= 0:
        return False
    ratio = float(row["open_interest"]) / (traded / len(bars) * DAY_MS / MINUTE_MS)
    return not 1 / _TRADED <= ratio <= _TRADED


def _newest_sample(instrument: Instrument, before_ms: int) -> np.void | None:
    since, until = moment(before_ms - 7 * DAY_MS), moment(before_ms - 1)
    rows = load_newest_open_interest(instrument_id=instrument.pk, since=since, until=until)
    return rows[0] if len(rows) else None


def _leaps(before: np.void, after: np.void) -> bool:
    old, new = float(before["open_interest"]), float(after["open_interest"])
    if old <= 0 or new <= 0 or 1 / _LARGEST <= new / old <= _LARGEST:
        return False
    prices = (float(before["mark_price"]), float(after["mark_price"]))
    # Where no price was told the leap alone must do.
    return not abs(prices[1] / prices[0] - 1) > _STILL
