"""The market around the heat: each figure beside its own past, as a percentile of what is stored."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from django.core.cache import cache

from heatmaps.pages import figures
from market import queries as market

if TYPE_CHECKING:
    import numpy.typing as npt

    from market.series import Records

    Floats = npt.NDArray[np.float64]

WINDOW: Final = dt.timedelta(days=60)
_HOUR: Final = 3600
_HOURS_A_DAY: Final = 24
_HOURS_A_YEAR: Final = 24 * 365
_RANGE_DAYS: Final = 14
# A percentile of a few days says nothing.
_LEAST: Final = 5 * 24
_KEEP_SECONDS: Final = 3600


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


def load(*, instrument_id: int, as_of: dt.datetime) -> Context:
    """Return the context of a moment; it changes with each five minutes of data."""
    slot = int(as_of.timestamp()) // 300
    key = f"heatmaps:context:{instrument_id}:{slot}"
    kept: Context | None = cache.get(key)
    if kept is None:
        kept = _measure(instrument_id, as_of)
        cache.set(key, kept, _KEEP_SECONDS)
    return kept


def _measure(instrument_id: int, as_of: dt.datetime) -> Context:
    since = as_of - WINDOW
    bars = market.load_bars(instrument_id=instrument_id, since=since, until=as_of, timeframe=_HOUR)
    interest = market.load_open_interest(instrument_id=instrument_id, since=since, until=as_of)
    funding = market.load_funding(instrument_id=instrument_id, since=since, until=as_of)
    rows = (_range_row(bars), _funding_row(funding), _interest_row(interest), _volatility_row(bars))
    return Context(rows=rows, days=_span_days(bars))


def _span_days(bars: Records) -> int:
    if bars.size < _HOURS_A_DAY:
        return 0
    return round(float(bars["open_time"][-1] - bars["open_time"][0]) / 86_400_000)


def _range_row(bars: Records) -> ContextRow:
    label = "Range position"
    recent = bars[-_RANGE_DAYS * _HOURS_A_DAY :]
    if recent.size < _HOURS_A_DAY:
        return ContextRow(label, figures.DASH, "less than a day stored", None)
    low, high, close = float(recent["low"].min()), float(recent["high"].max()), float(recent["close"][-1])
    share = 100.0 * (close - low) / (high - low) if high > low else 50.0
    return ContextRow(label, f"{share:.0f}%", f"of {max(1, round(recent.size / 24))} d range", share)


def _funding_row(funding: Records) -> ContextRow:
    label = "Funding"
    if funding.size == 0:
        return ContextRow(label, figures.DASH, "not reported", None)
    rates = np.asarray(funding["rate"], dtype=np.float64)
    # Eight-hourly prints: the same span holds fewer of them than hours.
    percentile = _percentile(rates, float(rates[-1]), least=_LEAST // 8)
    return ContextRow(label, figures.signed(float(rates[-1]) * 100, digits=4), "per 8 h", percentile)


def _interest_row(interest: Records) -> ContextRow:
    label = "Open interest"
    hourly = _hourly(interest)
    if hourly.size <= _HOURS_A_DAY:
        return ContextRow(label, figures.DASH, "less than a day stored", None)
    change = (hourly[_HOURS_A_DAY:] / hourly[:-_HOURS_A_DAY] - 1.0) * 100.0
    now = float(change[-1])
    return ContextRow(label, figures.signed(now, digits=1), "24h", _percentile(change, now))


def _hourly(interest: Records) -> Floats:
    """Return the last sample of each hour, [base]; an hour without one repeats the hour before."""
    held = interest[interest["open_interest"] > 0]
    if held.size == 0:
        return np.zeros(0)
    hours = np.arange(held["time"][0], held["time"][-1] + 1, _HOUR * 1000)
    # Anchored at the newest sample, so that the last figure is the present one.
    hours += held["time"][-1] - hours[-1]
    found = np.searchsorted(held["time"], hours, side="right") - 1
    return np.asarray(held["open_interest"][np.maximum(found, 0)], dtype=np.float64)


def _volatility_row(bars: Records) -> ContextRow:
    label = "Realised vol"
    if bars.size <= _HOURS_A_DAY:
        return ContextRow(label, figures.DASH, "less than a day stored", None)
    squares = np.diff(np.log(bars["close"])) ** 2
    sums = np.convolve(squares, np.ones(_HOURS_A_DAY), mode="valid")
    annual = 100.0 * np.sqrt(np.asarray(sums) / _HOURS_A_DAY * _HOURS_A_YEAR)
    now = float(annual[-1])
    return ContextRow(label, f"{now:.0f}%", "24h ann.", _percentile(annual, now))


def _percentile(past: Floats, now: float, *, least: int = _LEAST) -> float | None:
    return float(100.0 * np.mean(past <= now)) if past.size >= least else None
