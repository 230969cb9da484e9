"""A stored random walk that is long enough to learn from."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from heatmaps.models import Outcome, Statement
from heatmaps.operations import learn_reach
from market.operations import store
from market.series import STEP_MS, epoch_ms
from tests.core.test_reach import walk

if TYPE_CHECKING:
    from market.models import Instrument
    from market.series import Records

DAYS: Final = 24
START: Final = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
TODAY: Final = START + dt.timedelta(days=DAYS)
HOUR: Final = dt.timedelta(hours=1)
MINUTE: Final = dt.timedelta(minutes=1)


def past(*, days: float = DAYS + 2, first: int = 0) -> Records:
    """BAR[n] from START on, around 60,000."""
    bars = walk(days=days, ticks=6)
    bars["open_time"] += epoch_ms(START)
    for name in ("open", "high", "low", "close"):
        bars[name] *= 60_000.0
    bars["volume"] = 1.0
    return bars[first:]


def put_bars(instrument: Instrument, bars: Records, *, until: dt.datetime | None = None) -> None:
    """Store bars, or those that were over by a moment."""
    if until is not None:
        bars = bars[bars["open_time"] + STEP_MS <= epoch_ms(until)]
    store(instrument_id=instrument.pk, series="bars", rows=bars, timeframe=300, now=TODAY + dt.timedelta(days=30))


def keep_misses(instrument: Instrument, *, statements: int = 3) -> None:
    """Keep statements of two levels each of which the opposite came."""
    reach = learn_reach(instrument_id=instrument.pk, now=TODAY)
    assert reach is not None
    for hours in range(1, statements + 1):
        at = TODAY + hours * HOUR
        row = Statement.objects.create(
            reach=reach,
            instrument=instrument,
            horizon="4h",
            stated_at=at,
            due_at=at + 4 * HOUR,
            price=60_000.0,
            levels=[59_000.0, 60_100.0, 60_500.0],
            zones=[0, 0, 0],
            chances=[0.04, 0.95, 0.4],
            base=[0.1, 0.9, 0.3],
        )
        Outcome.objects.create(statement=row, low=58_900.0, high=60_050.0, missing=0, judged_at=at + 4 * HOUR)
