"""The market around the heat: each figure beside its own past, as a percentile of what is stored."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from django.core.cache import cache

from heatmaps.pages import figures, recency, strip
from market import queries as market

if TYPE_CHECKING:
    import numpy.typing as npt

    from market.models import Instrument
    from market.series import Records

    Floats = npt.NDArray[np.float64]

WINDOW: Final = dt.timedelta(days=60)
_HOUR: Final = 3600
_HOURS_A_DAY: Final = 24
_DAY_MS: Final = 86_400_000
_HOURS_A_YEAR: Final = 24 * 365
_RANGE_DAYS: Final = 14
# A percentile of a few days says nothing.
_LEAST: Final = 5 * 24
_KEEP_SECONDS: Final = 3600
# Where one sample alone can not tell how far apart they are.
_SAMPLED: Final = dt.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class ContextRow:
    """One figure; ``percentile`` is None where too little is stored to compare with."""

    label: str
    value: str
    note: str
    percentile: float | None

    @property
    def mark_x(self) -> str:
        """Return the marker's place on a bar of 72 units."""
        return f"{(self.percentile or 0.0) / 100.0 * 69.0:.1f}"


@dataclass(frozen=True, slots=True)
class Context:
    """The rail's second block."""

    rows: tuple[ContextRow, ...]
    days: int


def load(*, instrument: Instrument, as_of: dt.datetime) -> Context:
    """Return the context of a moment; it changes with each five minutes of data."""
    slot = int(as_of.timestamp()) // 300
    key = f"heatmaps:context:{instrument.pk}:{slot}"
    kept: Context | None = cache.get(key)
    if kept is None:
        kept = _measure(instrument, as_of)
        cache.set(key, kept, _KEEP_SECONDS)
    return kept


def _measure(instrument: Instrument, as_of: dt.datetime) -> Context:
    instrument_id = instrument.pk
    since = as_of - WINDOW
    bars = market.load_bars(instrument_id=instrument_id, since=since, until=as_of, timeframe=_HOUR)
    interest = market.load_open_interest(instrument_id=instrument_id, since=since, until=as_of)
    funding = market.load_funding(instrument_id=instrument_id, since=since, until=as_of)
    rows = (
        _range_row(bars, as_of),
        _funding_row(instrument, funding, as_of),
        _interest_row(instrument, interest, as_of),
        _volatility_row(bars),
    )
    return Context(rows=rows, days=_span_days(bars))


def _span_days(bars: Records) -> int:
    if bars.size < _HOURS_A_DAY:
        return 0
    return round(float(bars["open_time"][-1] - bars["open_time"][0]) / 86_400_000)


def _range_row(bars: Records, as_of: dt.datetime) -> ContextRow:
    label = "Range position"
    since_ms = (as_of - dt.timedelta(days=_RANGE_DAYS)).timestamp() * 1000
    recent = bars[bars["open_time"] >= since_ms]
    if recent.size < _HOURS_A_DAY:
        return ContextRow(label, figures.DASH, "less than a day stored", None)
    low, high, close = float(recent["low"].min()), float(recent["high"].max()), float(recent["close"][-1])
    share = 100.0 * (close - low) / (high - low) if high > low else 50.0
    return ContextRow(label, f"{share:.0f}%", f"of {max(1, round(recent.size / 24))} d range", share)


def _funding_row(instrument: Instrument, funding: Records, as_of: dt.datetime) -> ContextRow:
    label = "Funding"
    reason = recency.age_reason(times=funding["time"], as_of=as_of, otherwise=strip.FUNDING_INTERVAL)
    if reason:
        return ContextRow(label, figures.DASH, strip.ONE_A_VENUE if instrument.is_pair else reason, None)
    rates = np.asarray(funding["rate"], dtype=np.float64)
    interval = recency.spacing(funding["time"])
    # The same span holds fewer prints than hours.
    hours = max(1.0, (interval or strip.FUNDING_INTERVAL) / dt.timedelta(hours=1))
    percentile = _percentile(rates, float(rates[-1]), least=round(_LEAST / hours))
    return ContextRow(
        label, figures.signed(float(rates[-1]) * 100, digits=4), recency.interval_text(interval), percentile
    )


def _interest_row(instrument: Instrument, interest: Records, as_of: dt.datetime) -> ContextRow:
    label = "Open interest"
    reason = recency.age_reason(times=interest["time"], as_of=as_of, otherwise=_SAMPLED, is_sum=instrument.is_pair)
    if reason:
        return ContextRow(label, figures.DASH, reason, None)
    hourly = _hourly(interest)
    if hourly.size <= _HOURS_A_DAY:
        return ContextRow(label, figures.DASH, "less than a day stored", None)
    change = (hourly[_HOURS_A_DAY:] / hourly[:-_HOURS_A_DAY] - 1.0) * 100.0
    now = float(change[-1])
    if not np.isfinite(now):
        return ContextRow(label, figures.DASH, "not reported 24h ago", None)
    newest = int(interest["time"][-1])
    if not strip.has_same_members(instrument, newest - _DAY_MS, newest):
        return ContextRow(label, figures.DASH, "other members 24h ago", None)
    return ContextRow(label, figures.signed(now, digits=1), "24h", _percentile(change, now))


def _hourly(interest: Records) -> Floats:
    """Return the last sample of each hour, [base]; NaN for an hour without one."""
    held = interest[interest["open_interest"] > 0]
    if held.size == 0:
        return np.zeros(0)
    hour_ms = _HOUR * 1000
    hours = np.arange(held["time"][0], held["time"][-1] + 1, hour_ms)
    # Anchored at the newest sample, so that the last figure is the present one.
    hours += held["time"][-1] - hours[-1]
    found = np.maximum(np.searchsorted(held["time"], hours, side="right") - 1, 0)
    is_in_hour = np.abs(hours - held["time"][found]) < hour_ms
    return np.where(is_in_hour, held["open_interest"][found], np.nan)


def _volatility_row(bars: Records) -> ContextRow:
    label = "Realised vol"
    if bars.size <= _HOURS_A_DAY:
        return ContextRow(label, figures.DASH, "less than a day stored", None)
    hour_ms = _HOUR * 1000
    closes = np.full(int((bars["open_time"][-1] - bars["open_time"][0]) // hour_ms) + 1, np.nan)
    closes[(bars["open_time"] - bars["open_time"][0]) // hour_ms] = bars["close"]
    squares = np.diff(np.log(closes)) ** 2
    sums = np.convolve(squares, np.ones(_HOURS_A_DAY), mode="valid")
    annual = 100.0 * np.sqrt(np.asarray(sums) / _HOURS_A_DAY * _HOURS_A_YEAR)
    now = float(annual[-1])
    if not np.isfinite(now):
        return ContextRow(label, figures.DASH, "hours are missing in the last day", None)
    return ContextRow(label, f"{now:.0f}%", "24h ann.", _percentile(annual, now))


def _percentile(past: Floats, now: float, *, least: int = _LEAST) -> float | None:
    known = past[np.isfinite(past)]
    return float(100.0 * np.mean(known <= now)) if known.size >= least else None
