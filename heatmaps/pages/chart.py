"""What the chart draws besides tiles: bars, panes, the newest slice and zones, as one small JSON document."""

from __future__ import annotations

import base64
import datetime as dt
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from django.core.cache import cache

from heatmaps import queries
from heatmaps.core.estimators import BUILT
from heatmaps.core.tile import DENSITY_BPS, LEVELS, TILE, codes_from_usd
from heatmaps.pages import (
    absences,
    bands,
    conditions,
    context,
    figures,
    known,
    panes,
    replay,
    scale,
    shares,
    state,
    tiles,
    touches,
)
from market import queries as market

if TYPE_CHECKING:
    from heatmaps.core.doubts import Doubt
    from heatmaps.models import Heatmap, Zone
    from heatmaps.queries import Slice
    from market.models import Instrument
    from market.series import Records

TIMEFRAMES: Final = {"5m": 300, "15m": 900, "1h": 3600, "4h": 14_400, "1d": 86_400}
DEFAULT_TIMEFRAME: Final = "1h"
OURS: Final = queries.DEFAULT_ESTIMATOR
MAPS: Final = BUILT
# The newest window is what a screen shows and some more; what lies before it comes when it is asked for.
NEWEST_BARS: Final = 360
BARS: Final = 600
_ZONES: Final = 36
# What may change without a change of the version waits so long at most.
_KEEP_SECONDS: Final = 30
_PRICES: Final = ("open", "high", "low", "close")


class UnknownMapError(ValueError):
    """The address asks for a map of an estimator that is not built."""


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
    estimator: str = OURS,
) -> dict[str, Any]:
    """Return the newest bars, those before ``until_ms``, or those from ``since_ms`` on; at most BARS, or NEWEST_BARS.

    With ``at`` all of it is as it was known then: no bar, column, zone or level from later.
    """
    if timeframe not in TIMEFRAMES:
        raise UnknownTimeframeError(timeframe)
    if estimator not in MAPS:
        raise UnknownMapError(estimator)
    instrument, freshness, heatmap = queries.find(key=key, now=now, estimator=estimator)
    at = replay.known_at(at=at, newest=freshness.as_of)
    wish = _Wish(timeframe, at or freshness.as_of, since_ms, until_ms, at)
    age = queries.age_doubt(heatmap=heatmap, freshness=freshness, now=now, at=at)
    mark = state.mark(instrument, heatmap, freshness, age)
    kept = f"heatmaps:chart:{mark}:{timeframe}:{since_ms}:{figures.epoch_ms(at)}"
    document: dict[str, Any] | None = cache.get(kept) if wish.is_common else None
    if document is None:
        document = known.with_digests(_tell(instrument, heatmap, wish, age))
        if wish.is_common:
            cache.set(kept, document, _KEEP_SECONDS)
    return {**document, "as_of_ms": figures.epoch_ms(freshness.as_of)}


class _Wish(NamedTuple):
    """What of an instrument is asked for; as_of: the end of the newest bar that may be known."""

    timeframe: str
    as_of: dt.datetime | None
    since_ms: int | None
    until_ms: int | None
    at: dt.datetime | None

    @property
    def step_ms(self) -> int:
        """Return a bar's length."""
        return TIMEFRAMES[self.timeframe] * 1000

    @property
    def is_common(self) -> bool:
        """Tell whether many ask for the same: the whole newest window, or its last bars."""
        end = figures.epoch_ms(self.as_of) or 0
        return self.until_ms is None and (self.since_ms is None or self.since_ms >= end - 3 * self.step_ms)


def _tell(instrument: Instrument, heatmap: Heatmap | None, wish: _Wish, age: Doubt) -> dict[str, Any]:
    seconds, at = TIMEFRAMES[wish.timeframe], wish.at
    since, until = _window(wish.as_of, seconds, wish.since_ms, wish.until_ms)
    is_newest = wish.until_ms is None
    latest = queries.latest_slice(heatmap=heatmap, at=at) if heatmap is not None and is_newest else None
    newest = queries.aged_slice(newest=latest, age=age)
    return {
        "instrument": instrument.key,
        "timeframe": wish.timeframe,
        "step_ms": wish.step_ms,
        "digits": figures.decimals(instrument.tick_size),
        "at_ms": figures.epoch_ms(at),
        **_series(instrument, seconds, since, min(until, at or until)),
        "heat": _heat(heatmap, instrument, at) if is_newest else None,
        "slice": _coded(heatmap, newest) if heatmap is not None and newest is not None else None,
        "leverage": shares.for_client(heatmap=heatmap, newest=newest, at=at),
        "zones": _zones(heatmap, since, until, at, age),
        "touches": touches.for_client(instrument_id=instrument.pk, as_of=wish.as_of) if is_newest else None,
        "levels": context.for_client(instrument=instrument, as_of=wish.as_of, at=at) if is_newest else None,
        "absences": absences.between(heatmap=heatmap, since=since, until=min(until, at or until)),
        "conditions": conditions.for_client(heatmap=heatmap, seconds=seconds, since=since, until=until, at=at),
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
    start = end - (NEWEST_BARS if until_ms is None else BARS) * step
    if since_ms is not None:
        start = max(start, since_ms // step * step)
    return _moment(start), _moment(end)


def _moment(ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(max(0, ms) / 1000, tz=dt.UTC)


def _series(instrument: Instrument, seconds: int, since: dt.datetime, until: dt.datetime) -> dict[str, Any]:
    bars = market.load_bars(instrument_id=instrument.pk, since=since, until=until, timeframe=seconds)
    if bars.size == 0:
        names = (*_PRICES, *panes.COLUMNS)
        return {"start_ms": figures.epoch_ms(until), "funding_interval_ms": None, "bars": {name: [] for name in names}}
    step = seconds * 1000
    first, last = int(bars["open_time"][0]), int(bars["open_time"][-1])
    frame = panes.Frame(np.arange(first, last + 1, step), step, min(until, _moment(last + step)))
    digits = figures.decimals(instrument.tick_size)
    rows = {name: _on_grid(bars, frame.grid, name, digits) for name in _PRICES}
    below, interval = panes.columns(instrument=instrument, bars=bars, frame=frame)
    return {"start_ms": first, "funding_interval_ms": interval, "bars": {**rows, **below}}


def _on_grid(bars: Records, grid: np.ndarray[Any, Any], name: str, digits: int) -> list[float | None]:
    values: list[float | None] = [None] * grid.size
    for index, value in zip(np.searchsorted(grid, bars["open_time"]), bars[name].tolist(), strict=True):
        values[index] = round(value, digits)
    return values


def _heat(heatmap: Heatmap | None, instrument: Instrument, at: dt.datetime | None) -> dict[str, Any] | None:
    if heatmap is None or heatmap.built_from is None or heatmap.built_through is None:
        return None
    if at is not None and at <= heatmap.built_from:
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
        "built_through_ms": figures.epoch_ms(min(heatmap.built_through, at or heatmap.built_through)),
        "provisional_through_ms": figures.epoch_ms(heatmap.provisional_through) if at is None else None,
        "version": figures.epoch_ms(heatmap.updated_at),
        "bands": bands.for_client(heatmap=heatmap),
    }


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
        "usd": figures.rounded(zone.usd),
        "usd_low": figures.rounded(zone.usd_low),
        "usd_high": figures.rounded(zone.usd_high),
        "born_ms": figures.epoch_ms(zone.born_at),
        "tested_ms": figures.epoch_ms(zone.tested_at),
        "ended_ms": figures.epoch_ms(zone.ended_at),
    }
