"""What the chart draws besides tiles: bars, panes, the newest slice and zones, as one small JSON document."""

from __future__ import annotations

import base64
import datetime as dt
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from heatmaps import queries
from heatmaps.core.tile import DENSITY_BPS, LEVELS, TILE, codes_from_usd
from heatmaps.pages import absences, bands, conditions, context, figures, recency, scale, strip, tiles, touches
from market import queries as market

if TYPE_CHECKING:
    from heatmaps.core.doubts import Doubt
    from heatmaps.models import Heatmap, Zone
    from heatmaps.queries import Slice
    from market.models import Instrument
    from market.series import Records

TIMEFRAMES: Final = {"5m": 300, "15m": 900, "1h": 3600, "4h": 14_400, "1d": 86_400}
DEFAULT_TIMEFRAME: Final = "1h"
BARS: Final = 600
_ZONES: Final = 36
_INTEREST_DIGITS: Final = 4


class UnknownTimeframeError(ValueError):
    """The address asks for a time frame that is not offered."""


def data(  # noqa: PLR0913  # an address has as many parts
    *,
    key: str,
    timeframe: str,
    now: dt.datetime,
    since_ms: int | None = None,
    until_ms: int | None = None,
    at: dt.datetime | None = None,
) -> dict[str, Any]:
    """Return the newest bars, those before ``until_ms``, or those from ``since_ms`` on; at most BARS of them.

    Structure is told as of ``at``, else of the newest bar.
    """
    if timeframe not in TIMEFRAMES:
        raise UnknownTimeframeError(timeframe)
    seconds = TIMEFRAMES[timeframe]
    instrument = market.get_instrument(key=key)
    freshness = market.freshness(instrument=instrument, now=now)
    heatmap = queries.get_heatmap(instrument_id=instrument.pk)
    since, until = _window(freshness.as_of, seconds, since_ms, until_ms)
    is_newest = until_ms is None
    age = queries.age_doubt(heatmap=heatmap, freshness=freshness, now=now, at=at)
    return {
        "instrument": instrument.key,
        "timeframe": timeframe,
        "step_ms": seconds * 1000,
        "digits": figures.decimals(instrument.tick_size),
        "as_of_ms": figures.epoch_ms(freshness.as_of),
        **_series(instrument, seconds, since, until),
        "heat": _heat(heatmap, instrument) if is_newest else None,
        "slice": _slice(heatmap) if is_newest else None,
        "zones": _zones(heatmap, since, until, at, age),
        "touches": touches.for_client(instrument_id=instrument.pk, as_of=freshness.as_of) if is_newest else None,
        "levels": context.for_client(instrument=instrument, as_of=freshness.as_of, at=at) if is_newest else None,
        "absences": absences.between(heatmap=heatmap, since=since, until=until),
        "conditions": conditions.for_client(heatmap=heatmap, seconds=seconds, since=since, until=until),
    }


def _window(
    as_of: dt.datetime | None, seconds: int, since_ms: int | None, until_ms: int | None
) -> tuple[dt.datetime, dt.datetime]:
    step = seconds * 1000
    end = figures.epoch_ms(as_of) or 0
    if until_ms is not None:
        end = min(end, until_ms)
    # Up to the end of the period that is still open.
    end = -(-end // step) * step
    start = end - BARS * step
    if since_ms is not None:
        start = max(start, since_ms // step * step)
    return _moment(start), _moment(end)


def _moment(ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(max(0, ms) / 1000, tz=dt.UTC)


def _series(instrument: Instrument, seconds: int, since: dt.datetime, until: dt.datetime) -> dict[str, Any]:
    bars = market.load_bars(instrument_id=instrument.pk, since=since, until=until, timeframe=seconds)
    if bars.size == 0:
        return {"start_ms": figures.epoch_ms(until), "funding_interval_ms": None, "bars": _empty()}
    step = seconds * 1000
    first, last = int(bars["open_time"][0]), int(bars["open_time"][-1])
    grid = np.arange(first, last + 1, step)
    digits = figures.decimals(instrument.tick_size)
    rows = {name: _on_grid(bars, grid, name, digits) for name in ("open", "high", "low", "close")}
    close = np.full(grid.size, np.nan)
    close[np.searchsorted(grid, bars["open_time"])] = bars["close"]
    rates = market.load_funding(
        instrument_id=instrument.pk, since=_moment(first) - strip.FUNDING_SPAN, until=_moment(last + step)
    )
    panes = {
        "open_interest": _open_interest(instrument, grid, step, close),
        "funding": _funding(rates, grid, step),
    }
    return {
        "start_ms": first,
        "funding_interval_ms": _interval_ms(rates),
        "bars": {**rows, "volume": _volume(bars, grid), **panes},
    }


def _empty() -> dict[str, list[float]]:
    names = ("open", "high", "low", "close", "volume", "open_interest", "funding")
    return {name: [] for name in names}


def _on_grid(bars: Records, grid: np.ndarray[Any, Any], name: str, digits: int) -> list[float | None]:
    values: list[float | None] = [None] * grid.size
    for index, value in zip(np.searchsorted(grid, bars["open_time"]), bars[name].tolist(), strict=True):
        values[index] = round(value, digits)
    return values


def _volume(bars: Records, grid: np.ndarray[Any, Any]) -> list[float | None]:
    """Return quote volume; where the venue reports none, volume times close is close enough to read."""
    values: list[float | None] = [None] * grid.size
    quote = np.where(np.isfinite(bars["quote_volume"]), bars["quote_volume"], bars["volume"] * bars["close"])
    for index, value in zip(np.searchsorted(grid, bars["open_time"]), quote.tolist(), strict=True):
        values[index] = _short(value)
    return values


def _short(value: float) -> float | None:
    return float(f"{value:.{_INTEREST_DIGITS}g}") if math.isfinite(value) else None


def _open_interest(
    instrument: Instrument, grid: np.ndarray[Any, Any], step: int, close: np.ndarray[Any, Any]
) -> list[float | None]:
    """Return the last sample inside each bar [quote]; a bar without one is a hole."""
    ends = grid + step
    samples = market.load_open_interest(
        instrument_id=instrument.pk, since=_moment(int(grid[0])), until=_moment(int(ends[-1]))
    )
    if samples.size == 0:
        return [None] * grid.size
    found = np.searchsorted(samples["time"], ends, side="right") - 1
    picked = samples[np.maximum(found, 0)]
    held = (found >= 0) & (picked["time"] > grid)
    value = picked["open_interest_value"]
    value = np.where(np.isfinite(value), value, picked["open_interest"] * close)
    return [_short(float(v)) if ok else None for v, ok in zip(value, held, strict=True)]


def _funding(rates: Records, grid: np.ndarray[Any, Any], step: int) -> list[float | None]:
    """Return the rate in force at each bar's end [% per interval]; it holds until the next one, but over no gap."""
    if rates.size == 0:
        return [None] * grid.size
    ends = grid + step
    hold_ms = recency.longest_hold(rates["time"], strip.FUNDING_INTERVAL) / dt.timedelta(milliseconds=1)
    found = np.searchsorted(rates["time"], ends, side="right") - 1
    # A bar longer than the interval shows its last print.
    held = (found >= 0) & (ends - rates["time"][np.maximum(found, 0)] <= max(hold_ms, step))
    return [round(float(rates["rate"][i]) * 100, 5) if ok else None for i, ok in zip(found, held, strict=True)]


def _interval_ms(rates: Records) -> int | None:
    interval = recency.spacing(rates["time"])
    return None if interval is None else interval // dt.timedelta(milliseconds=1)


def _heat(heatmap: Heatmap | None, instrument: Instrument) -> dict[str, Any] | None:
    if heatmap is None or heatmap.built_through is None:
        return None
    display = scale.display_scale(heatmap=heatmap)
    return {
        "tiles_url": tiles.base_url(heatmap=heatmap, key=instrument.key),
        "tile": TILE,
        "levels": [{"step_ms": level.step_ms, "factor": level.factor} for level in LEVELS],
        "bin_bps": heatmap.bin_bps,
        "code_floor_usd": heatmap.code_floor_usd,
        "floor_usd": display.floor_usd,
        "ceiling_usd": display.ceiling_usd,
        "bin_lo": heatmap.bin_lo,
        "bin_hi": heatmap.bin_hi,
        "built_from_ms": figures.epoch_ms(heatmap.built_from),
        "built_through_ms": figures.epoch_ms(heatmap.built_through),
        "provisional_through_ms": figures.epoch_ms(heatmap.provisional_through),
        "version": figures.epoch_ms(heatmap.updated_at),
        "bands": bands.for_client(heatmap=heatmap),
    }


def _slice(heatmap: Heatmap | None) -> dict[str, Any] | None:
    newest = queries.latest_slice(heatmap=heatmap) if heatmap is not None else None
    return None if heatmap is None or newest is None else _coded(heatmap, newest)


def _coded(heatmap: Heatmap, newest: Slice) -> dict[str, Any]:
    """Return the slice as tile codes: a byte a bin."""
    codes = codes_from_usd(newest.usd * (DENSITY_BPS / heatmap.bin_bps), heatmap.code_floor_usd)
    return {
        "at_ms": figures.epoch_ms(newest.at),
        "bin_lo": newest.bin_lo,
        "close": newest.close,
        "provisional": newest.provisional,
        "wider": bands.pairs(newest.factors),
        "codes": base64.b64encode(codes.tobytes()).decode("ascii"),
    }


def _zones(
    heatmap: Heatmap | None, since: dt.datetime, until: dt.datetime, at: dt.datetime | None, age: Doubt
) -> list[dict[str, Any]]:
    if heatmap is None:
        return []
    found = queries.zones_between(heatmap=heatmap, since=since, until=until, at=at)
    shown = sorted(found, key=lambda zone: (not zone.is_alive, -zone.usd_peak))[:_ZONES]
    return [_zone(zone) for zone in queries.aged(zones=shown, age=age)]


def _zone(zone: Zone) -> dict[str, Any]:
    return {
        "id": zone.pk,
        "label": zone.label,
        "side": zone.position_side,
        "state": zone.state,
        "low": zone.price_low,
        "high": zone.price_high,
        "usd": _short(zone.usd),
        "usd_low": _short(zone.usd_low),
        "usd_high": _short(zone.usd_high),
        "born_ms": figures.epoch_ms(zone.born_at),
        "tested_ms": figures.epoch_ms(zone.tested_at),
        "ended_ms": figures.epoch_ms(zone.ended_at),
    }
