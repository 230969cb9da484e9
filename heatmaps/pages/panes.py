"""What the chart shows below and beside the candles, on the grid of its bars; a bar without a figure is a hole."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from heatmaps import queries
from heatmaps.pages import figures, recency, strip
from market import queries as market
from market.series import HOUR_MS, moment

if TYPE_CHECKING:
    import numpy.typing as npt

    from market.models import Instrument
    from market.series import Records

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Column = list[float | None]

# volume, delta, open_interest, liquidated_* [USD]; funding [% per interval]; long_price, short_price: mean of prints.
COLUMNS: Final = (
    "volume",
    "delta",
    "open_interest",
    "funding",
    "liquidated_longs",
    "liquidated_shorts",
    "long_price",
    "short_price",
)
# What may be shown below the candles: names of the chart's code, and titles.
PANES: Final = (
    ("open_interest", "Open interest"),
    ("funding", "Funding"),
    ("cvd", "Cumulative volume delta"),
    ("volatility", "Realised volatility"),
    ("liquidations", "Liquidations"),
)
_DIGITS: Final = 4
_PRICE_DIGITS: Final = 7
_LONG, _SHORT = 1, -1


class Frame(NamedTuple):
    """The chart's grid: open times int64[n] [ms], a bar's length [ms], and what may be known at most."""

    grid: Ints
    step: int
    until: dt.datetime

    @property
    def since(self) -> dt.datetime:
        """Return the left edge of the first bar."""
        return moment(int(self.grid[0]))

    @property
    def ends(self) -> Ints:
        """Return each bar's right edge [ms]."""
        return self.grid + self.step


def columns(*, instrument: Instrument, bars: Records, frame: Frame) -> tuple[dict[str, Column], int | None]:
    """Return each of COLUMNS with an entry a bar, and what a funding rate is paid for [ms]."""
    at = np.searchsorted(frame.grid, bars["open_time"])
    close = _spread(bars["close"], at, frame)
    quote = np.where(np.isfinite(bars["quote_volume"]), bars["quote_volume"], bars["volume"] * bars["close"])
    delta = (2.0 * bars["taker_buy_volume"] - bars["volume"]) * bars["close"]
    rates = market.load_funding(
        instrument_id=instrument.pk, since=frame.since - queries.FUNDING_SPAN, until=frame.until
    )
    interval = recency.spacing(rates["time"])
    found = {
        "volume": _short(_spread(quote, at, frame)),
        "delta": _short(_spread(delta, at, frame)),
        "open_interest": _short(_open_interest(instrument, frame, close)),
        "funding": _funding(rates, frame),
        **_liquidations(instrument, frame),
    }
    return found, None if interval is None else interval // dt.timedelta(milliseconds=1)


def _spread(values: Floats, at: npt.NDArray[np.intp], frame: Frame) -> Floats:
    """Put values at their bars' places; NaN elsewhere."""
    found = np.full(frame.grid.size, np.nan)
    found[at] = values
    return found


def _short(values: Floats, digits: int = _DIGITS) -> Column:
    return [figures.rounded(value, digits) for value in values.tolist()]


def _open_interest(instrument: Instrument, frame: Frame, close: Floats) -> Floats:
    """Return the last sample inside each bar [quote]."""
    samples = market.load_open_interest(instrument_id=instrument.pk, since=frame.since, until=frame.until)
    if samples.size == 0:
        return np.full(frame.grid.size, np.nan)
    found = np.searchsorted(samples["time"], frame.ends, side="right") - 1
    picked = samples[np.maximum(found, 0)]
    is_inside = (found >= 0) & (picked["time"] > frame.grid)
    value = picked["open_interest_value"]
    value = np.where(np.isfinite(value), value, picked["open_interest"] * close)
    return np.where(is_inside, value, np.nan)


def _funding(rates: Records, frame: Frame) -> Column:
    """Return the rate in force at each bar's end [% per interval]; it holds until the next one, but over no gap."""
    if rates.size == 0:
        return [None] * frame.grid.size
    hold_ms = recency.longest_hold(rates["time"], strip.FUNDING_INTERVAL) / dt.timedelta(milliseconds=1)
    found = np.searchsorted(rates["time"], frame.ends, side="right") - 1
    # A bar longer than the interval shows its last print.
    held = (found >= 0) & (frame.ends - rates["time"][np.maximum(found, 0)] <= max(hold_ms, frame.step))
    return [round(float(rates["rate"][i]) * 100, 5) if ok else None for i, ok in zip(found, held, strict=True)]


def _liquidations(instrument: Instrument, frame: Frame) -> dict[str, Column]:
    """Return what was liquidated in each bar [USD] and at which mean price.

    Where no print is stored, hourly totals are told, which know no price. A bar without either is a hole: venues
    report some of their liquidations only, so that nothing reported is not nothing liquidated.
    """
    usd = {side: np.full(frame.grid.size, np.nan) for side in (_LONG, _SHORT)}
    price = {side: np.full(frame.grid.size, np.nan) for side in (_LONG, _SHORT)}
    prints = market.load_liquidation_sums(
        instrument_id=instrument.pk, since=frame.since, until=frame.until, timeframe=frame.step // 1000
    )
    for side in (_LONG, _SHORT):
        mine = prints[prints["position_side"] == side]
        at = np.searchsorted(frame.grid, mine["open_time"])
        inside = at < frame.grid.size
        usd[side][at[inside]], price[side][at[inside]] = mine["usd"][inside], mine["price"][inside]
    if prints.size == 0 and frame.step % HOUR_MS == 0:
        totals = market.load_liquidation_totals(instrument_id=instrument.pk, since=frame.since, until=frame.until)
        usd = {side: _added(totals["open_time"], totals[name], frame) for side, name in _TOTALS}
    return {
        "liquidated_longs": _short(usd[_LONG]),
        "liquidated_shorts": _short(usd[_SHORT]),
        "long_price": _short(price[_LONG], _PRICE_DIGITS),
        "short_price": _short(price[_SHORT], _PRICE_DIGITS),
    }


_TOTALS: Final = ((_LONG, "long_usd"), (_SHORT, "short_usd"))


def _added(times: Ints, values: Floats, frame: Frame) -> Floats:
    """Add hourly values up by bar."""
    at = np.searchsorted(frame.grid, times, side="right") - 1
    inside = (at >= 0) & (times < frame.ends[-1])
    found = np.full(frame.grid.size, np.nan)
    found[np.unique(at[inside])] = 0.0
    np.add.at(found, at[inside], values[inside])
    return found
