"""As of when a page is told: now, or an earlier moment of which nothing later may be known."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import numpy as np

from heatmaps import queries
from heatmaps.pages import figures
from market import queries as market
from market.series import HOUR_MS, STEP_MS, epoch_ms, moment

# Five minutes: what is known changes with the end of a step.
STEP: Final = dt.timedelta(milliseconds=STEP_MS)
# A longer span is drawn by days.
_LONG: Final = dt.timedelta(days=30)


def known_at(*, at: dt.datetime | None, newest: dt.datetime | None) -> dt.datetime | None:
    """Return the end of the last step that was over ``at`` a moment; None where that is now."""
    if at is None or newest is None:
        return None
    asked = epoch_ms(at) // STEP_MS * STEP_MS
    return moment(asked) if asked < epoch_ms(newest) else None


def track(*, key: str, now: dt.datetime) -> dict[str, Any]:
    """Return the closes of the whole map's span on an even grid, so that one sees where to go; None at a hole."""
    instrument, freshness, heatmap = queries.find(key=key, now=now)
    until = freshness.as_of
    if until is None or heatmap is None or heatmap.built_from is None:
        return {"start_ms": None, "step_ms": HOUR_MS, "close": []}
    step = (24 if until - heatmap.built_from > _LONG else 4) * HOUR_MS
    since = moment(epoch_ms(heatmap.built_from) // step * step)
    bars = market.load_bars(instrument_id=instrument.pk, since=since, until=until, timeframe=step // 1000)
    closes = np.full((epoch_ms(until) - 1 - epoch_ms(since)) // step + 1, np.nan)
    closes[(bars["open_time"] - epoch_ms(since)) // step] = bars["close"]
    digits = figures.decimals(instrument.tick_size)
    known = [round(value, digits) if np.isfinite(value) else None for value in closes.tolist()]
    return {"start_ms": epoch_ms(since), "step_ms": step, "close": known}
