"""What the pipeline adds to the scorecard by itself: what came due, day by day, and each month of stored history."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from heatmaps.queries import month_to_score, stated_score_due
from market.queries import find_instrument
from market.series import DAY_MS, epoch_ms, moment

from .running import score
from .spans import ScoreError

if TYPE_CHECKING:
    import datetime as dt

    from heatmaps.models import ScoreRun

MONTHLY: Final = ("touches", "hourly-totals")


def score_day(*, instrument_id: int, now: dt.datetime) -> ScoreRun | None:
    """Score all that was stated of an instrument and had come due by the day's beginning, unless that is done."""
    if not stated_score_due(instrument_ids=[instrument_id], now=now):
        return None
    midnight = moment(epoch_ms(now) // DAY_MS * DAY_MS)
    key = find_instrument(instrument_id=instrument_id).key
    return score(key=key, against="stated", now=now, until=midnight)


def score_month(*, instrument_id: int, now: dt.datetime) -> list[ScoreRun]:
    """Score the month before over stored history, unless that is done; what can not be scored is left out."""
    month = month_to_score(instrument_id=instrument_id, now=now)
    found: list[ScoreRun] = []
    if month is None:
        return found
    key = find_instrument(instrument_id=instrument_id).key
    for against in MONTHLY:
        with suppress(ScoreError):
            found.append(score(key=key, against=against, now=now, since=month[0], until=month[1]))
    return found
