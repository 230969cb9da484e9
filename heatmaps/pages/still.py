"""What the server's picture of the map needs, gathered: the same bars, tiles and zones that the chart draws."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from django.core.cache import cache

from heatmaps import palette, picture, queries
from heatmaps.core.bands import Factors
from heatmaps.core.tile import LEVELS, TILE, codes_from_usd
from heatmaps.pages import absences, chart, conditions, context, figures, naming, replay, scale
from heatmaps.picture import small
from market import queries as market

if TYPE_CHECKING:
    import numpy.typing as npt

    from heatmaps.models import Heatmap, Zone
    from heatmaps.palette import Theme
    from market.models import Instrument

    Floats = npt.NDArray[np.float64]

BARS: Final = {"5m": 288, "15m": 288, "1h": 216, "4h": 180, "1d": 160}
WIDTHS: Final = (390, 1052, 1440)
HEIGHTS: Final = {390: 440, 1052: 640, 1440: 810}
_KEEP_SECONDS: Final = 900
_LABELLED: Final = 6
# Classes are told to this many bins from the close, and as there beyond.
_REACH: Final = 4096


class _Wish(NamedTuple):
    timeframe: str
    theme: Theme
    width: int
    # A moment of a replay; None for now.
    at: dt.datetime | None


class NothingToDrawError(LookupError):
    """The instrument has no bars yet."""


def picture_of(  # noqa: PLR0913  # an address has as many parts
    *, key: str, timeframe: str, theme: Theme, width: int, now: dt.datetime, at: dt.datetime | None = None
) -> tuple[bytes, str]:
    """Return the PNG of an instrument and an entity tag; drawn once for each state of the data, as known ``at``."""
    instrument = market.get_instrument(key=key)
    newest = market.freshness(instrument=instrument, now=now).as_of
    if newest is None:
        raise NothingToDrawError(key)
    at = replay.known_at(at=at, newest=newest)
    as_of = at or newest
    heatmap = queries.get_heatmap(instrument_id=instrument.pk)
    drawn_at = heatmap.updated_at.isoformat() if heatmap is not None else ""
    state = f"{instrument.pk}|{timeframe}|{theme}|{width}|{as_of.isoformat()}|{drawn_at}"
    tag = hashlib.sha256(state.encode()).hexdigest()[:24]
    body: bytes | None = cache.get(f"heatmaps:picture:{tag}")
    if body is None:
        scene = _scene(instrument, heatmap, _Wish(timeframe, theme, width, at), as_of)
        body = picture.draw(scene=scene, theme=theme, width=width, height=HEIGHTS[width])
        cache.set(f"heatmaps:picture:{tag}", body, _KEEP_SECONDS)
    return body, tag


def small_of(*, key: str, theme: Theme, now: dt.datetime) -> tuple[bytes, str]:
    """Return the small PNG of an instrument's last nine days and an entity tag; drawn once for each step."""
    instrument = market.get_instrument(key=key)
    as_of = market.freshness(instrument=instrument, now=now).as_of
    if as_of is None:
        raise NothingToDrawError(key)
    heatmap = queries.get_heatmap(instrument_id=instrument.pk)
    # Once a step is often enough for what has no scale.
    through = heatmap.built_through if heatmap and heatmap.built_through else as_of
    step = dt.datetime.fromtimestamp(min(through, as_of).timestamp() // 300 * 300, tz=dt.UTC)
    state = f"small|{instrument.pk}|{theme}|{step.isoformat()}|{heatmap.revision if heatmap else 0}"
    tag = hashlib.sha256(state.encode()).hexdigest()[:24]
    body: bytes | None = cache.get(f"heatmaps:picture:{tag}")
    if body is None:
        scene = _scene(instrument, heatmap, _Wish("1h", theme, small.WIDTH, None), as_of)
        body = small.draw_small(scene=scene, theme=theme)
        cache.set(f"heatmaps:picture:{tag}", body, _KEEP_SECONDS)
    return body, tag


def past_scene(
    *, instrument: Instrument, heatmap: Heatmap | None, theme: Theme, width: int, at: dt.datetime
) -> picture.Scene:
    """Return the hours up to a moment as they were told of then, with the caption of what is shown late."""
    scene = _scene(instrument, heatmap, _Wish("1h", theme, width, at), at)
    return replace(
        scene,
        title=f"{instrument.base}, {figures.moment(at)} UTC" if _has_room(instrument, width) else scene.title,
        caption=f"Delayed. {scene.caption}",
    )


def _has_room(instrument: Instrument, width: int) -> bool:
    """Tell whether a narrow picture's foot has room for the time beside its caption."""
    return width == min(WIDTHS) and not instrument.is_simulated


def _scene(instrument: Instrument, heatmap: Heatmap | None, wish: _Wish, as_of: dt.datetime) -> picture.Scene:
    timeframe, theme, width, at = wish
    step = chart.TIMEFRAMES[timeframe] * 1000
    starts, bars = _bars(instrument, timeframe, as_of)
    codes, bin_lo, factor = _codes(heatmap, starts, step, bars, at)
    tables, classes = _classes(heatmap, starts + step, factor, at) if codes is not None else (None, None)
    simulated = "Simulated market. " if instrument.is_simulated else ""
    missing = absences.newest(heatmap=heatmap, at=at)
    display = scale.display_scale(heatmap=heatmap) if heatmap is not None else None
    return picture.Scene(
        title=_title(instrument, timeframe, width, as_of),
        caption=f"{simulated}Estimate, not exchange data",
        digits=figures.decimals(instrument.tick_size),
        bars=bars,
        times=[_tick_text(int(start), step) for start in starts],
        codes=codes,
        bin_lo=bin_lo,
        bin_width=(heatmap.bin_bps if heatmap else 5.0) * 1e-4 * factor,
        colours=_colours(heatmap, display, theme) if codes is not None else None,
        scale_codes=_scale_codes(heatmap, display),
        scale_text=(_scale_text(display.floor_usd), _scale_text(display.ceiling_usd)) if display else ("", ""),
        zones=_zones(heatmap, starts, step, at=at),
        lines=_lines(instrument, as_of) if width in WIDTHS else (),
        notice=f"Partial: without {missing}" if missing else "",
        tables=tables,
        classes=classes,
    )


def _bars(instrument: Instrument, timeframe: str, as_of: dt.datetime) -> tuple[npt.NDArray[np.int64], Floats]:
    seconds = chart.TIMEFRAMES[timeframe]
    since = as_of - dt.timedelta(seconds=seconds * BARS[timeframe])
    rows = market.load_bars(instrument_id=instrument.pk, since=since, until=as_of, timeframe=seconds)
    if rows.size == 0:
        raise NothingToDrawError(instrument.key)
    starts = np.arange(rows["open_time"][0], rows["open_time"][-1] + 1, seconds * 1000)
    bars = np.full((starts.size, 4), np.nan)
    at = np.searchsorted(starts, rows["open_time"])
    for column, name in enumerate(("open", "high", "low", "close")):
        bars[at, column] = rows[name]
    return starts, bars


def _tick_text(start: int, step: int) -> str:
    moment = dt.datetime.fromtimestamp(start / 1000, tz=dt.UTC)
    return moment.strftime("%d %b" if step >= chart.TIMEFRAMES["1h"] * 1000 else "%d %b %H:%M")


def _codes(
    heatmap: Heatmap | None, starts: npt.NDArray[np.int64], step: int, bars: Floats, at: dt.datetime | None
) -> tuple[npt.NDArray[np.uint8] | None, int, int]:
    """Return codes [bin, bar] over the picture's price range, the first bin, and the level's factor."""
    if heatmap is None or heatmap.built_through is None or heatmap.built_from is None:
        return None, 0, 1
    number = max(n for n, level in enumerate(LEVELS) if step % level.step_ms == 0)
    level = LEVELS[number]
    newest = figures.epoch_ms(heatmap.drawn_through(at)) or 0
    columns = np.minimum((starts + step) // level.step_ms - 1, (newest - 1) // level.step_ms)
    low, high = picture.price_range(bars)
    width = heatmap.bin_bps * 1e-4 * level.factor
    bins = [int(np.floor(np.log(max(price, low / 2, 1e-12)) / width)) for price in (low, high)]
    rows, cols = (bins[0] // TILE, bins[1] // TILE), (int(columns[0]) // TILE, int(columns[-1]) // TILE)
    codes = queries.read_codes(heatmap=heatmap, level=number, rows=rows, cols=cols)
    return codes[:, columns - cols[0] * TILE], rows[0] * TILE, level.factor


def _classes(
    heatmap: Heatmap | None, ends: npt.NDArray[np.int64], factor: int, at: dt.datetime | None
) -> tuple[npt.NDArray[np.int64] | None, npt.NDArray[np.uint8] | None]:
    """Return the number of each bar's table of classes, and classes [table, side, bins from the close]."""
    if heatmap is None or "bands" not in heatmap.release.parameters:
        return None, None
    newest = figures.epoch_ms(heatmap.drawn_through(at)) or 0
    spans = conditions.of_bars(heatmap=heatmap, end_ms=np.minimum(ends, newest))
    width, bins = heatmap.bin_bps * 1e-4 * factor, np.arange(_REACH)
    factors = Factors.of(heatmap.release.parameters)
    away = np.abs(np.expm1(np.array([[-1.0], [1.0]]) * bins * width)) * 100.0
    return spans.number, np.stack([doubt.widen(factors).class_at(away) for doubt in spans.doubts])


def _colours(heatmap: Heatmap | None, display: scale.Scale | None, theme: Theme) -> npt.NDArray[np.uint8] | None:
    if heatmap is None or display is None:
        return None
    return palette.lookup(
        theme=theme,
        code_floor_usd=heatmap.code_floor_usd,
        floor_usd=display.floor_usd,
        ceiling_usd=display.ceiling_usd,
    )


def _scale_codes(heatmap: Heatmap | None, display: scale.Scale | None) -> tuple[int, int]:
    if heatmap is None or display is None:
        return (1, 1)
    ends = codes_from_usd(np.array([display.floor_usd, display.ceiling_usd]), heatmap.code_floor_usd)
    return int(ends[0]), int(ends[1])


def _scale_text(value: float) -> str:
    """Write an end of the scale, which is round by choice."""
    return figures.usd(value).replace(".00", "").replace(".0", "")


def _title(instrument: Instrument, timeframe: str, width: int, as_of: dt.datetime) -> str:
    # On a phone the caption needs the room.
    if width == min(WIDTHS):
        return f"{instrument.base} {timeframe}"
    pair = f"{instrument.base}-{instrument.quote} {timeframe}"
    return f"{pair}, {naming.venue_label(instrument)}, through {figures.moment(as_of)} UTC"


def _zones(
    heatmap: Heatmap | None, starts: npt.NDArray[np.int64], step: int, *, at: dt.datetime | None = None
) -> tuple[picture.Band, ...]:
    if heatmap is None or heatmap.built_through is None:
        return ()
    active = [zone for zone in queries.list_zones(heatmap=heatmap, at=at) if zone.is_alive]
    largest = sorted(active, key=lambda zone: -zone.usd)[:_LABELLED]
    return tuple(_band(zone, int(starts[0]), step) for zone in largest)


def _lines(instrument: Instrument, as_of: dt.datetime) -> tuple[tuple[str, float, bool], ...]:
    """Return what the layers draw as lines over the whole chart, but for low-volume nodes."""
    found = context.load(instrument=instrument, as_of=as_of)
    lines = [one for slug in found.levels for one in found.levels[slug] if one.style == "line"]
    return tuple((one.label, one.low, one.is_strong) for one in lines if one.is_strong or "node" not in one.label)


def _band(zone: Zone, start: int, step: int) -> picture.Band:
    born = figures.epoch_ms(zone.born_at) or 0
    return picture.Band(
        start=max(0, (born - start) // step),
        low=zone.price_low,
        high=zone.price_high,
        is_long=zone.position_side == 1,
        label=f"{zone.label} {figures.usd(zone.usd)} ({figures.usd_range(zone.usd_low, zone.usd_high)})",
    )
