"""The instrument strip: last price, estimates near it, open interest, funding, range; each with its doubt."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from heatmaps import queries
from heatmaps.pages import figures, recency
from market.series import moment

if TYPE_CHECKING:
    from heatmaps.core.bands import Banded
    from heatmaps.queries import Around, Slice
    from market.models import Instrument
    from market.series import Records

_DAY: Final = dt.timedelta(days=1)
_STEP: Final = 300
_STEP_SPAN: Final = dt.timedelta(seconds=_STEP)
NEAR_PCT: Final = 5.0
OPEN_INTEREST: Final = "Open interest"
# The distance between prints taken where there is only one.
FUNDING_INTERVAL: Final = dt.timedelta(hours=8)


@dataclass(frozen=True, slots=True)
class Kpi:
    """One figure of the strip; ``reason`` says why where the value is a dash."""

    label: str
    value: str
    note: str = ""
    is_estimate: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Strip:
    """What the strip shows, in words, and the last price as a number for what follows."""

    last: float | None
    last_text: str
    change_text: str
    kpis: tuple[Kpi, ...]


def load(*, instrument: Instrument, digits: int, around: Around | None, newest: Slice | None) -> Strip:
    """Return the strip as of the newest bar; all of it from one moment. Without any rows it has nothing to say."""
    if around is None:
        return Strip(None, figures.DASH, "", (Kpi("Market data", figures.DASH, reason="nothing stored yet"),))
    bars, as_of = around.day, around.as_of
    last = float(bars["close"][-1]) if bars.size else None
    return Strip(
        last=last,
        last_text=figures.price(last, digits),
        change_text=_change(bars, as_of),
        kpis=(
            *_near(newest, last),
            _open_interest(instrument, around, last),
            _funding(instrument, around),
            _range(bars, as_of, digits),
        ),
    )


def _cut(as_of: dt.datetime) -> int:
    return round((as_of - _DAY).timestamp() * 1000)


def _change(bars: Records, as_of: dt.datetime) -> str:
    ended = bars["open_time"] + _STEP * 1000
    before = bars[ended <= _cut(as_of)]
    if before.size == 0:
        return ""
    return f"{figures.signed((float(bars['close'][-1]) / float(before['close'][-1]) - 1) * 100)} 24h"


def _range(bars: Records, as_of: dt.datetime, digits: int) -> Kpi:
    day = bars[bars["open_time"] >= _cut(as_of)]
    if day.size == 0:
        return Kpi("24h range", figures.DASH, reason="no bars in 24 h")
    low, high = float(day["low"].min()), float(day["high"].max())
    return Kpi("24h range", figures.price_range(low, high, digits))


def _near(newest: Slice | None, last: float | None) -> tuple[Kpi, Kpi]:
    labels = (f"Longs within {figures.MINUS}{NEAR_PCT:.0f}%", f"Shorts within +{NEAR_PCT:.0f}%")
    if newest is None or last is None:
        missing = (Kpi(label, figures.DASH, is_estimate=True, reason="no estimate yet") for label in labels)
        return next(missing), next(missing)
    longs, shorts = queries.within_distance(slice=newest, close=last, pct=NEAR_PCT)
    return _banded(labels[0], longs), _banded(labels[1], shorts)


def _banded(label: str, amount: Banded) -> Kpi:
    return Kpi(label, figures.usd(amount.usd), figures.usd_range(amount.low, amount.high), is_estimate=True)


def _open_interest(instrument: Instrument, around: Around, last: float | None) -> Kpi:
    samples, as_of = around.open_interest, around.as_of
    reason = recency.age_reason(times=samples["time"], as_of=as_of, otherwise=_STEP_SPAN, is_sum=instrument.is_pair)
    if reason or last is None:
        return Kpi(OPEN_INTEREST, figures.DASH, reason=reason or "no price to value it at")
    value = float(samples["open_interest_value"][-1])
    if not np.isfinite(value):
        value = float(samples["open_interest"][-1]) * last
    day_before = samples["time"][-1] - _DAY // dt.timedelta(milliseconds=1)
    before = samples[samples["time"] <= day_before]
    note = ""
    if before.size and before["open_interest"][-1] > 0:
        change = float(samples["open_interest"][-1] / before["open_interest"][-1]) - 1
        times = [moment(int(one["time"][-1])) for one in (before, samples)]
        is_same = queries.has_same_members(instrument=instrument, times=times)
        note = f"{figures.signed(change * 100, digits=1)} 24h" if is_same else "other members 24h ago"
    return Kpi(OPEN_INTEREST, figures.usd(value), note)


def _funding(instrument: Instrument, around: Around) -> Kpi:
    rates = around.funding
    reason = recency.age_reason(times=rates["time"], as_of=around.as_of, otherwise=FUNDING_INTERVAL)
    if reason:
        return Kpi("Funding", figures.DASH, reason=queries.ONE_A_VENUE if instrument.is_pair else reason)
    note = recency.interval_text(recency.spacing(rates["time"]))
    return Kpi("Funding", figures.signed(float(rates["rate"][-1]) * 100, digits=4), note)
