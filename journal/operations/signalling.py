"""Read when a rule of volume or open interest held."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from journal.verdict import Rule
from journal.verdict.signals import USUAL, interest_signals, volume_signals
from market.queries import load_bars, load_open_interest
from market.series import epoch_ms

if TYPE_CHECKING:
    from journal.verdict import Confirmation


def read_signals(instrument_id: int, since: dt.datetime, until: dt.datetime, *, rule: Confirmation) -> list[int]:
    """Return the moments [ms] from ``since`` to ``until`` at which a rule held, from what is stored."""
    candle, amount = dt.timedelta(milliseconds=rule.candle_ms), float(rule.amount or 0)
    if rule.rule is Rule.VOLUME:
        begin = since - (USUAL + 1) * candle
        candles = load_bars(
            instrument_id=instrument_id, since=begin, until=until, timeframe=int(candle.total_seconds())
        )
        candles = candles[candles["open_time"] + rule.candle_ms <= epoch_ms(until)]
        return volume_signals(candles, candle_ms=rule.candle_ms, times=amount)
    samples = load_open_interest(instrument_id=instrument_id, since=since - 2 * candle, until=until)
    return interest_signals(
        samples, candle_ms=rule.candle_ms, percent=amount, since_ms=epoch_ms(since), until_ms=epoch_ms(until)
    )
