"""The market around the heat: each layer's newest value beside its own past, or the reason why there is none."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from django.core.cache import cache

from heatmaps import queries
from heatmaps.core.layers import LAYERS, load_layer
from heatmaps.core.layers.base import DAY
from heatmaps.pages import figures

if TYPE_CHECKING:
    from heatmaps.core.layers import Kind, Layer, Level, Reading
    from heatmaps.core.structure import Range
    from heatmaps.queries import LayerView
    from market.models import Instrument

_KEEP_SECONDS: Final = 3600
_HOUR: Final = dt.timedelta(hours=1)
_GROUPS: Final[tuple[tuple[Kind, str], ...]] = (("gauge", "Gauges"), ("state", "States"), ("levels", "Structure"))
_TURNS: Final = 2
# Where a percentile's marker goes, and how wide the strip of a state's history is [SVG units].
_BAR: Final = 69.0
STRIP: Final = 288.0


@dataclass(frozen=True, slots=True)
class Run:
    """Hours in a row in one state, on the strip of its history [SVG units]."""

    x: str
    width: str
    state: int


@dataclass(frozen=True, slots=True)
class Row:
    """One layer in words; ``percentile`` is None where too little is stored to compare with.

    past: what the percentile is over, or which share of its history a state had; runs: that history.
    """

    slug: str
    label: str
    value: str
    note: str
    rule: str
    percentile: float | None
    past: str
    runs: tuple[Run, ...] = ()

    @property
    def mark_x(self) -> str:
        """Return the marker's place on a bar of 72 units."""
        return f"{(self.percentile or 0.0) / 100.0 * _BAR:.1f}"

    @property
    def short_past(self) -> str:
        """Return the percentile alone, where there is little room."""
        return self.past.replace("percentile ", "P").partition(" of ")[0]


@dataclass(frozen=True, slots=True)
class Group:
    """The layers of one kind."""

    kind: Kind
    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Context:
    """The rail's second block as of the end of a complete hour, and what the chart and the zones need of it."""

    at: dt.datetime
    groups: tuple[Group, ...]
    levels: dict[str, tuple[Level, ...]]
    range: Range | None
    range_reason: str
    nodes: tuple[float, ...]
    depth: np.void
    # Of prices, after the point.
    digits: int

    @property
    def at_text(self) -> str:
        """Write the hour that all of it ends with."""
        return figures.moment(self.at)

    @property
    def rows(self) -> tuple[Row, ...]:
        """Return the layers of every kind."""
        return tuple(row for group in self.groups for row in group.rows)


def level_layers() -> tuple[tuple[str, str], ...]:
    """Return slug and title of the layers that are drawn on the chart."""
    layers = [load_layer(slug) for slug in LAYERS]
    return tuple((one.slug, one.title) for one in layers if one.kind == "levels")


def load_at(*, instrument: Instrument, as_of: dt.datetime | None, at: dt.datetime | None) -> Context | None:
    """Return the context of the newest bar, or of an earlier moment; None where nothing is stored."""
    if as_of is None:
        return None
    return load(instrument=instrument, as_of=min(at, as_of) if at else as_of)


def for_client(*, instrument: Instrument, as_of: dt.datetime | None, at: dt.datetime | None) -> list[dict[str, Any]]:
    """Return the prices that the chart draws, by layer."""
    found = load_at(instrument=instrument, as_of=as_of, at=at)
    return [
        {
            "layer": slug,
            "label": one.label,
            "style": one.style,
            "from_ms": one.from_ms,
            "low": one.low,
            "high": one.high,
            "strong": one.is_strong,
        }
        for slug, levels in (found.levels.items() if found else ())
        for one in levels
    ]


def find_kept(*, instrument: Instrument, as_of: dt.datetime) -> Context | None:
    """Return the context of a moment if it is kept."""
    kept: Context | None = cache.get(_key(instrument, as_of))
    return kept


def load(*, instrument: Instrument, as_of: dt.datetime) -> Context:
    """Return the context of a moment; what was late may still join an hour, so it is read again each five minutes."""
    kept = find_kept(instrument=instrument, as_of=as_of)
    return kept or keep(instrument=instrument, view=queries.read_layers(instrument=instrument, at=as_of), as_of=as_of)


def keep(*, instrument: Instrument, view: LayerView, as_of: dt.datetime) -> Context:
    """Put layers that were read into words, and keep those."""
    found = _describe(instrument, view, as_of)
    cache.set(_key(instrument, as_of), found, _KEEP_SECONDS)
    return found


def _key(instrument: Instrument, as_of: dt.datetime) -> str:
    return f"heatmaps:layers:{instrument.pk}:{int(as_of.timestamp()) // 300}"


def _describe(instrument: Instrument, view: LayerView, as_of: dt.datetime) -> Context:
    rows: dict[Kind, list[Row]] = {kind: [] for kind, _ in _GROUPS}
    digits = figures.decimals(instrument.tick_size)
    for slug in LAYERS:
        layer = load_layer(slug)
        reading = view.readings[slug]
        reason = _reason(layer, view, as_of)
        row = _row(layer, reading, digits) if not reason else _absent(layer, reason)
        rows[layer.kind].append(row)
    found, area = view.readings["range"], view.readings["value-area"]
    return Context(
        at=view.at,
        groups=tuple(Group(kind, title, tuple(rows[kind])) for kind, title in _GROUPS),
        levels={slug: one.levels for slug, one in view.readings.items() if one.levels},
        range=found.found,  # type: ignore[arg-type]  # the layer of ranges finds ranges
        range_reason=found.reason,
        nodes=getattr(area.found, "nodes", ()),
        depth=view.depth,
        digits=digits,
    )


def _reason(layer: Layer, view: LayerView, as_of: dt.datetime) -> str:
    """Say why a layer has nothing to show, with the age of what it last had; empty where it has."""
    reason = view.readings[layer.slug].reason
    newest = [view.newest.get(name) for name in layer.needs if name != "bars"]
    is_old = layer.kind == "gauge" and newest and newest[0] is not None and view.at - newest[0] >= _HOUR
    if reason and reason != queries.ONE_A_VENUE and is_old:
        assert newest[0] is not None
        return f"last reported {figures.age(as_of - newest[0])} ago"
    return reason


def _absent(layer: Layer, reason: str) -> Row:
    return Row(layer.slug, layer.title, figures.DASH, reason, layer.rule, None, "too little is stored to compare with")


def _row(layer: Layer, reading: Reading, digits: int) -> Row:
    percentile = float(reading.percentiles[-1])
    is_ranked = bool(np.isfinite(percentile))
    runs = _runs(reading) if layer.kind == "state" else ()
    past = _shares(layer, reading) if layer.kind == "state" else ""
    if is_ranked:
        past = f"percentile {percentile:.0f} of {int(reading.known[-1]) // DAY} d"
    return Row(
        slug=layer.slug,
        label=layer.title,
        value=_value(layer, reading, digits),
        note=_note(layer, reading, digits),
        rule=layer.rule,
        percentile=percentile if is_ranked else None,
        past=past or "too little is stored to compare with",
        runs=runs,
    )


def _value(layer: Layer, reading: Reading, digits: int) -> str:
    now = float(reading.values[-1])
    if layer.kind == "state":
        return layer.states[int(now)].capitalize()
    if layer.unit == "USD":
        return figures.usd(now)
    if layer.unit == "price":
        return figures.price(now, digits)
    if layer.is_signed:
        return figures.signed(now, digits=layer.digits, unit=layer.unit)
    return f"{now:.{layer.digits}f}{layer.unit}"


def _note(layer: Layer, reading: Reading, digits: int) -> str:
    if layer.kind == "levels":
        return " · ".join((layer.note, *_places(reading.levels, digits)))
    if layer.kind == "state":
        return " · ".join(f"{name.replace('_', ' ')} {_number(name, value)}" for name, value in reading.numbers.items())
    if "interval_hours" in reading.numbers:
        return f"per {reading.numbers['interval_hours']:g} h"
    return layer.note


def _number(name: str, value: float) -> str:
    text = f"{value:.0f}" if name.endswith(("percentile", "broken")) else f"{value:.2f}"
    return text.replace("-", figures.MINUS)


def _places(levels: tuple[Level, ...], digits: int) -> list[str]:
    """Name the lines, the outer ends of the bands, and the last two points."""
    bands = [one for one in levels if one.style == "band"]
    lines = [one for one in levels if one.style == "line"]
    points = [one for one in levels if one.style == "point"][-_TURNS:]
    told = [f"{one.label.lower()} {figures.price(one.low, digits)}" for one in (*lines, *points)]
    if bands:
        ends = figures.price_range(min(one.low for one in bands), max(one.high for one in bands), digits)
        told.insert(0, f"{bands[0].label.lower()} {ends}")
    return told


def _runs(reading: Reading) -> tuple[Run, ...]:
    """Return the history as runs of hours in one state; hours without one are gaps."""
    words = np.where(np.isnan(reading.values), -1, reading.values).astype(np.int64)
    starts = np.flatnonzero(np.diff(words, prepend=-2))
    stops = np.append(starts[1:], len(words))
    unit = STRIP / len(words)
    return tuple(
        Run(f"{start * unit:.1f}", f"{(stop - start) * unit:.1f}", int(words[start]))
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)
        if words[start] >= 0
    )


def _shares(layer: Layer, reading: Reading) -> str:
    known = reading.values[np.isfinite(reading.values)]
    shares = [(float(np.mean(known == number)), word) for number, word in enumerate(layer.states)]
    told = ", ".join(f"{word} {100 * share:.0f}%" for share, word in sorted(shares, key=lambda one: -one[0]))
    return f"{len(known) // DAY} d: {told}"
