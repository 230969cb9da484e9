"""A made-up state of the data: venues of each kind, series with holes of each kind, and rows that were not believed."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np

from market.models import Coverage, FeedState, Hole, Instrument, VenueState
from market.operations.quarantine import Doubt, doubts_of, hold
from market.series import MINUTE_MS, epoch_ms
from tests.factories import make_instrument

from .rows import make_bars

if TYPE_CHECKING:
    from market.series import SeriesName

MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
STEPS: dict[SeriesName, int] = {"bars": 60, "open_interest": 300, "funding": 28_800, "liquidations": 0, "depth": 60}


def make_states(*, now: dt.datetime) -> None:
    """Store all of it: Binance answers, Bybit is unreachable, OKX has banned us, Hyperliquid asked us to wait."""
    _make_venues(now)
    _make_feeds(now)
    btc = make_instrument(is_live=True)
    ended = make_instrument(symbol="OLDUSDT", is_live=True)
    make_instrument(venue="bybit", is_live=True)
    okx = make_instrument(venue="okx", symbol="BTC-USDT-SWAP", is_live=True)
    Instrument.objects.filter(pk=btc.pk).update(liquidation_sampling="latest per second")
    Instrument.objects.filter(pk=ended.pk).update(ended_at=now - 2 * DAY)
    for series in STEPS:
        cover(btc, series, now - 6 * DAY, now - 3 * DAY)
        cover(btc, series, now - 3 * DAY + 5 * HOUR, now - MINUTE)
    lack(btc, "bars", now - 3 * DAY, now - 3 * DAY + 2 * HOUR, "absent", "asked 3 times, the venue has nothing there")
    lack(btc, "bars", now - 3 * DAY + 2 * HOUR, now - 3 * DAY + 5 * HOUR, "waiting")
    lack(btc, "liquidations", now - 3 * DAY, now - 3 * DAY + 5 * HOUR, "lost", "the websocket was away")
    cover(ended, "bars", now - 9 * DAY, now - 2 * DAY)
    cover(okx, "bars", now - 2 * DAY, now - HOUR)
    lack(okx, "bars", now - HOUR, now, "waiting", "banned")
    doubt(btc, now)


def _make_venues(now: dt.datetime) -> None:
    known = {"window_at": now - MINUTE / 12}
    VenueState.objects.create(venue="binance", answered_at=now - MINUTE / 6, spent=412, **known)
    VenueState.objects.create(
        venue="bybit",
        answered_at=now - 5 * HOUR,
        unreachable_since=now - 4 * HOUR,
        failures=9,
        retry_at=now + 3 * MINUTE,
        reason="no usable answer",
        **known,
    )
    VenueState.objects.create(
        venue="okx",
        answered_at=now - HOUR,
        is_banned=True,
        failures=1,
        retry_at=now + 2 * HOUR,
        reason="it answered 418",
        refused_count=3,
        spent=900,
        **known,
    )
    VenueState.objects.create(
        venue="hyperliquid",
        answered_at=now - MINUTE,
        failures=1,
        retry_at=now + MINUTE,
        reason="it answered 429",
        refused_count=1,
        **known,
    )


def _make_feeds(now: dt.datetime) -> None:
    FeedState.objects.create(
        venue="binance",
        channel="linear 1",
        noted_at=now,
        described_at=now,
        connected_at=now - 7 * HOUR,
        heard_at=now - MINUTE / 60,
        reconnects=2,
        rows=183_204,
        lag_p50=0.6,
        lag_p95=1.3,
    )
    FeedState.objects.create(
        venue="bybit",
        channel="linear 1",
        noted_at=now,
        described_at=now,
        reconnects=41,
        rows=90,
        error="the connection was refused",
    )


def cover(instrument: Instrument, series: SeriesName, start: dt.datetime, end: dt.datetime) -> None:
    """Write a stretch into the ledger."""
    Coverage.objects.create(instrument=instrument, series=series, timeframe=STEPS[series], start_at=start, end_at=end)


def lack(  # noqa: PLR0917  # a hole's columns
    instrument: Instrument, series: SeriesName, start: dt.datetime, end: dt.datetime, state: str, reason: str = ""
) -> None:
    """Write down a hole."""
    Hole.objects.create(
        instrument=instrument,
        series=series,
        timeframe=STEPS[series],
        start_at=start,
        end_at=end,
        state=state,
        reason=reason,
    )


def doubt(instrument: Instrument, now: dt.datetime) -> None:
    """Hold three bars that could be stored, one that could not, and an answer that was no row."""
    rows = make_bars(0, 1, 2, 3, timeframe=60)
    rows["open_time"] = epoch_ms(now) // MINUTE_MS * MINUTE_MS - MINUTE_MS * np.arange(10, 14)
    rows["low"][3] = -1
    rejected = [(0, "the price leaps"), (1, "the price leaps"), (2, "the price leaps"), (3, "low is zero or negative")]
    origin = f"{instrument.venue} answer"
    hold(
        instrument=instrument,
        series="bars",
        timeframe=60,
        origin=origin,
        doubts=doubts_of(rows=rows, rejected=rejected),
    )
    raw = '<html><head><title>403 Forbidden</title></head><body>{"code": -1003}</body></html>'
    hold(
        instrument=instrument, series="open_interest", origin=origin, doubts=[Doubt(raw, "the answer can not be read")]
    )
