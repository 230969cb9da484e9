"""What the terminal shows, as rows that other programs read: the heat in view, zones, layers.

Numbers are numbers, holes are empty, and no text of a cell can be taken for a formula by a spreadsheet.
"""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import numpy as np

from access.sheets import lines
from heatmaps import queries
from heatmaps.core.bands import Factors
from heatmaps.core.layers import LAYERS, load_layer
from heatmaps.core.tile import DENSITY_BPS, GAP, LEVELS, TILE, usd_from_code
from heatmaps.pages import chart, conditions, still
from market import queries as market
from market.series import epoch_ms, moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from heatmaps.core.doubts import Doubt
    from heatmaps.models import Heatmap
    from market.models import Instrument

What: TypeAlias = Literal["heat", "zones", "layers"]
NOTE: Final = "Estimate, not exchange data"
MOST_COLUMNS: Final = 500
# Within so much of the last price of the span [fraction].
REACH: Final = 0.15
_ZONES: Final = 500
HEADS: Final[dict[What, tuple[str, ...]]] = {
    "heat": (
        "time", "price_low", "price_high", "side", "usd_per_tenth_pct", "usd", "usd_low_80", "usd_high_80", "state",
    ),
    "zones": (
        "zone", "side", "state", "price_low", "price_high", "usd", "usd_low_80", "usd_high_80",
        "formed_at", "touched_at", "ended_at", "cause",
    ),
    "layers": ("layer", "value", "unit", "percentile", "percentile_hours", "note"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wish:
    """Of which instrument what is wanted, at which time frame, and up to or within which moments."""

    key: str
    what: What
    timeframe: str
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Export:
    """A table with what it is about."""

    about: dict[str, Any]
    heads: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def load(*, wish: Wish, now: dt.datetime) -> Export:
    """Read what is seen; raises Instrument.DoesNotExist, and ValueError that says what to change."""
    instrument = market.get_instrument(key=wish.key)
    fresh = market.freshness(instrument=instrument, now=now)
    heatmap = queries.get_heatmap(instrument_id=instrument.pk)
    as_of = min(filter(None, (fresh.as_of, wish.at)), default=None) if fresh.as_of else None
    age = queries.age_doubt(heatmap=heatmap, freshness=fresh, now=now, at=wish.at)
    about = {
        "note": NOTE,
        "instrument": instrument.key,
        "is_simulated": instrument.is_simulated,
        "what": wish.what,
        "as_of": _text(as_of),
        "estimator": str(heatmap.release) if heatmap else None,
        "parameters_sha256": heatmap.release.digest if heatmap else None,
        "interval": "80 %, calibrated on simulated markets",
    }
    return Export(about, HEADS[wish.what], list(_rows(wish, instrument, heatmap, as_of, age)))


def _rows(
    wish: Wish, instrument: Instrument, heatmap: Heatmap | None, as_of: dt.datetime | None, age: Doubt
) -> Iterator[tuple[Any, ...]]:
    if as_of is None:
        return iter(())
    if wish.what == "layers":
        return _layers(instrument, as_of)
    if heatmap is None or heatmap.built_through is None:
        return iter(())
    return _zones(heatmap, wish.at, age) if wish.what == "zones" else _heat(heatmap, wish, as_of)


def _heat(heatmap: Heatmap, wish: Wish, as_of: dt.datetime) -> Iterator[tuple[Any, ...]]:
    """One row a bin that holds an estimate, column by column; a column without data is one row that says so."""
    step = chart.TIMEFRAMES[wish.timeframe] * 1000
    number = max(n for n, level in enumerate(LEVELS) if step % level.step_ms == 0)
    until = min(wish.until or as_of, as_of, heatmap.built_through or as_of)
    since = wish.since or until - dt.timedelta(milliseconds=step * still.BARS[wish.timeframe])
    ends = np.arange(-(-epoch_ms(since) // step) * step, epoch_ms(until) + 1, step)
    if not 0 < len(ends) <= MOST_COLUMNS:
        raise ValueError(f"From and to span {len(ends)} columns; ask for 1 to {MOST_COLUMNS}.")
    rows = market.load_bars(
        instrument_id=heatmap.instrument_id, since=moment(int(ends[0]) - step), until=until, timeframe=step // 1000
    )
    closes = dict(zip((rows["open_time"] + step).tolist(), rows["close"].tolist(), strict=True))
    if not closes:
        return
    spans = conditions.of_bars(heatmap=heatmap, end_ms=ends)
    factors = [doubt.widen(Factors.of(heatmap.release.parameters)) for doubt in spans.doubts]
    columns = _columns(heatmap, number, ends, list(closes.values()))
    for end, column, span in zip(ends.tolist(), columns, spans.number.tolist(), strict=True):
        yield from _column(heatmap, number, end, (*column, factors[span]), closes.get(end))


def _columns(heatmap: Heatmap, number: int, ends: np.ndarray[Any, Any], closes: Sequence[float]) -> Iterator[Any]:
    """The codes of each column with the number of its lowest bin, within REACH of the closes."""
    level = LEVELS[number]
    width = heatmap.bin_bps * 1e-4 * level.factor
    bins = (int(np.log(min(closes) * (1 - REACH)) // width), int(np.log(max(closes) * (1 + REACH)) // width))
    columns = ends // level.step_ms - 1
    rows, cols = (bins[0] // TILE, bins[1] // TILE), (int(columns[0]) // TILE, int(columns[-1]) // TILE)
    codes = queries.read_codes(heatmap=heatmap, level=number, rows=rows, cols=cols)
    low = rows[0] * TILE
    for column in (columns - cols[0] * TILE).tolist():
        yield bins[0], codes[bins[0] - low : bins[1] - low + 1, column]


def _column(heatmap: Heatmap, number: int, end: int, column: Any, close: float | None) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401  # bin, codes, factors
    first, codes, factors = column
    at, bps = _text(moment(end)), heatmap.bin_bps * LEVELS[number].factor
    if close is None or (codes == GAP).any():
        yield (at, *[None] * 7, "no data")
        return
    edges = np.exp(np.arange(first, first + len(codes) + 1) * bps * 1e-4)
    density = usd_from_code(codes, heatmap.code_floor_usd)
    usd, middles = density * bps / DENSITY_BPS, np.sqrt(edges[:-1] * edges[1:])
    is_long = edges[1:] <= close
    low, high = factors.ends(usd, is_long, (middles / close - 1.0) * 100.0)
    for j in np.flatnonzero(usd > 0).tolist():
        side = "longs" if is_long[j] else "shorts"
        amounts = (round(float(one[j])) for one in (density, usd, low, high))
        yield (at, _price(edges[j]), _price(edges[j + 1]), side, *amounts, "")


def _price(value: float) -> float:
    return float(f"{value:.8g}")


def _zones(heatmap: Heatmap, at: dt.datetime | None, age: Doubt) -> Iterator[tuple[Any, ...]]:
    for zone in queries.aged(zones=queries.list_zones(heatmap=heatmap, limit=_ZONES, at=at), age=age):
        yield (
            zone.label,
            "longs" if zone.position_side == 1 else "shorts",
            zone.get_state_display(),
            *(_price(value) for value in (zone.price_low, zone.price_high)),
            *(round(value) for value in (zone.usd, zone.usd_low, zone.usd_high)),
            *(_text(value) for value in (zone.born_at, zone.tested_at, zone.ended_at)),
            zone.get_cause_display() if zone.cause else "",
        )


def _layers(instrument: Instrument, as_of: dt.datetime) -> Iterator[tuple[Any, ...]]:
    view = queries.read_layers(instrument=instrument, at=as_of)
    for slug in LAYERS:
        layer, reading = load_layer(slug), view.readings[slug]
        value, percentile = (_known(one) for one in (reading.values, reading.percentiles))
        told: Any = layer.states[int(value)] if layer.kind == "state" and value is not None else value
        hours = int(reading.known[-1]) if percentile is not None else None
        yield (slug, told, layer.unit, percentile, hours, reading.reason or f"hour ending {_text(view.at)}")


def _known(values: np.ndarray[Any, Any]) -> float | None:
    newest = float(values[-1]) if len(values) else np.nan
    return round(newest, 6) if np.isfinite(newest) else None


def _text(value: dt.datetime | None) -> str | None:
    return None if value is None else value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def as_csv(export: Export) -> str:
    """Write a table with what it is about in its first lines, each behind a #."""
    stream = io.StringIO()
    for name, value in export.about.items():
        stream.write(f"# {name}: {'' if value is None else ' '.join(str(value).split())}\r\n")
    stream.writelines(lines([export.heads, *export.rows]))
    return stream.getvalue()


def as_document(export: Export) -> dict[str, Any]:
    """Return the same for JSON."""
    return {**export.about, "rows": [dict(zip(export.heads, row, strict=True)) for row in export.rows]}


def file_name(wish: Wish, as_of: str | None, ending: str) -> str:
    """Name the file in plain letters."""
    stamp = (as_of or "").replace(":", "").replace("-", "")
    return f"{wish.key.replace(':', '-')}-{wish.what}-{wish.timeframe}-{stamp}.{ending}"
