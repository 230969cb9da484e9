"""One zone's page: what it is now, and what was frozen when it formed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from heatmaps import queries
from heatmaps.core.tile import usd_from_code
from heatmaps.pages import conditions, figures, leverage, life, naming, places, shown, touches, zones
from market import queries as market

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heatmaps.models import Zone
    from market.models import Instrument

# The frozen profile's box [SVG units]: bars grow from the left, labels stand at the right.
WIDTH: Final = 640.0
HEIGHT: Final = 320.0
_BARS: Final = 500.0
_PRICE_LABELS: Final = 6
# From the middle of a digit to the line it stands on.
_TEXT: Final = 4.0
_ONE: Final = 1.0005


@dataclass(frozen=True, slots=True)
class Bar:
    """One bin of the frozen profile [SVG units]."""

    y: str
    width: str
    height: str
    is_inside: bool


@dataclass(frozen=True, slots=True)
class Label:
    """A price beside the frozen profile."""

    y: str
    text: str


@dataclass(frozen=True, slots=True)
class Profile:
    """The slice around the band as it was when the zone formed."""

    bars: tuple[Bar, ...]
    labels: tuple[Label, ...]
    band_y: str
    band_height: str
    top_text: str


@dataclass(frozen=True, slots=True)
class ZonePage:
    """What the page shows."""

    zone: Zone
    row: zones.ZoneRow
    instrument: Instrument
    title: str
    venue: str
    life: life.Life
    # How far from the price, and for how long it has lived.
    standing: str
    ending: str
    as_of_text: str
    evidence: tuple[tuple[str, str], ...]
    profile: Profile | None
    record: str
    seen_text: str
    is_bounded: bool
    shown: shown.Shown
    quality: conditions.Quality | None
    leverage: leverage.Leverage | None
    chances: tuple[touches.Chance, ...]
    chances_at: str
    where: places.Where | None
    box: str = f"0 0 {WIDTH:.0f} {HEIGHT:.0f}"


def load(*, zone_id: int, now: dt.datetime, at: dt.datetime | None = None) -> ZonePage:
    """Read the page of a zone; as it was told of by a moment, if one is given. Raises Zone.DoesNotExist."""
    zone = queries.zone_as_of(zone_id=zone_id, at=at) if at else queries.get_zone(zone_id=zone_id)
    instrument = zone.heatmap.instrument
    digits = figures.decimals(instrument.tick_size)
    release = zone.heatmap.release
    freshness = market.freshness(instrument=instrument, now=now)
    age = queries.age_doubt(heatmap=zone.heatmap, freshness=freshness, now=now, at=at)
    [zone] = queries.aged(zones=[zone], age=age)
    span = market.stored_span(instrument_id=instrument.pk)
    as_of = min(span[1], at or span[1]) if span else None
    drawn = queries.newest_day(heatmap=zone.heatmap, at=at)
    last = drawn.slice.close if drawn and drawn.slice else None
    touching = touches.load(instrument_id=instrument.pk, zones=[zone], last=last, as_of=as_of)
    others = queries.list_zones(heatmap=zone.heatmap, at=at) if zone.ended_at is None else []
    where = places.load(instrument=instrument, zones=others, touching=touching, as_of=as_of)
    return ZonePage(
        zone=zone,
        row=zones.row(zone=zone, last=None, digits=digits),
        instrument=instrument,
        title=naming.title(instrument),
        venue=naming.venue_label(instrument),
        life=life.load(zone=zone, at=at),
        standing=_standing(zone, touching.price, as_of),
        ending=life.ending(zone),
        as_of_text=f"{figures.moment(at)} UTC" if at else "",
        evidence=_evidence(zone.evidence, digits),
        profile=_profile(zone.evidence, digits),
        record=f"{release.slug} {release.version}",
        seen_text=f"{figures.moment(zone.last_seen_at)} UTC",
        shown=shown.load(instrument=instrument),
        quality=conditions.quality(day=drawn.day, age=age) if drawn and zone.is_alive else None,
        leverage=None if at else leverage.load(zone=zone),
        # Rounding apart: the factor is exactly one or clearly more.
        chances=touching.by_zone.get(zone.pk, ()),
        where=where.get(zone.pk),
        chances_at=f"{figures.moment(as_of)} UTC",
        is_bounded=zone.usd_high <= zone.usd * _ONE,
    )


def _standing(zone: Zone, price: float | None, as_of: dt.datetime | None) -> str:
    until = zone.ended_at or max(as_of or zone.born_at, zone.born_at)
    lived = f"{'Lived' if zone.ended_at else 'Alive'} for {figures.age(until - zone.born_at)}."
    if zone.ended_at or price is None:
        return lived
    away = figures.pct_away(zone.price_peak, price)
    return f"{abs(away):.1f}% {'below' if away < 0 else 'above'} the price. {lived}"


def _number(evidence: Mapping[str, Any], name: str) -> float | None:
    """Read a number that is kept as text; None where an older schema lacks it."""
    text = evidence.get(name)
    return None if text is None else float(text)


def _evidence(evidence: Mapping[str, Any], digits: int) -> tuple[tuple[str, str], ...]:
    share = _number(evidence, "allocated_share")
    formed = evidence.get("formed_at")
    low, high = _number(evidence, "price_low"), _number(evidence, "price_high")
    return (
        ("Formed", f"{figures.moment(dt.datetime.fromisoformat(formed))} UTC" if formed else figures.DASH),
        ("Price at formation", figures.price(_number(evidence, "price_at_formation"), digits)),
        ("Distance", figures.signed(_number(evidence, "distance_pct"))),
        ("Band", figures.price_range(low, high, digits)),
        ("Estimate", figures.usd(_number(evidence, "usd"))),
        ("80% interval", figures.usd_range(_number(evidence, "usd_low"), _number(evidence, "usd_high"))),
        ("Estimator", f"{evidence.get('estimator', figures.DASH)} {evidence.get('version', '')}"),
        ("Open interest placed", figures.DASH if share is None else f"{100 * share:.1f}%"),
        ("Simulated", str(evidence.get("is_simulated", figures.DASH))),
        *_members(evidence),
    )


def _members(evidence: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Write what each member of an asset pair had within 10 % of the price, and who was missing."""
    return tuple(
        (f"Of {one['instrument']}", f"{float(one['share_pct']):.1f}% of the heat" if one["share_pct"] else "missing")
        for one in evidence.get("members", ())
    )


def _profile(evidence: Mapping[str, Any], digits: int) -> Profile | None:
    picture: Mapping[str, Any] = evidence.get("picture") or {}
    low, high = _number(evidence, "price_low"), _number(evidence, "price_high")
    if not picture.get("codes") or low is None or high is None:
        return None
    density = usd_from_code(np.array(picture["codes"]), float(picture["code_floor_usd"]))
    count, width = density.size, float(picture["bin_bps"]) * 1e-4
    edges = np.exp((int(picture["bin_lo"]) + np.arange(count + 1)) * width)
    y = HEIGHT * (1 - np.log(edges / edges[0]) / np.log(edges[-1] / edges[0]))
    top = float(density.max()) or 1.0
    band = np.interp(np.log([high, low]), np.log(edges), y)
    middles = np.sqrt(edges[:-1] * edges[1:])
    return Profile(
        bars=tuple(
            Bar(
                y=f"{y[i + 1]:.2f}",
                width=f"{density[i] / top * _BARS:.1f}",
                height=f"{y[i] - y[i + 1]:.2f}",
                is_inside=bool(low <= middles[i] <= high),
            )
            for i in range(count)
        ),
        labels=_labels(edges, digits),
        band_y=f"{band[0]:.1f}",
        band_height=f"{max(1.0, band[1] - band[0]):.1f}",
        top_text=f"{figures.usd(top)} per 0.1%",
    )


def _labels(edges: np.ndarray[Any, Any], digits: int) -> tuple[Label, ...]:
    """Return evenly spaced prices, as round as their distance allows."""
    span = float(edges[-1] - edges[0])
    step = 10 ** np.floor(np.log10(span / _PRICE_LABELS))
    step *= next(factor for factor in (1, 2, 5, 10) if span / (factor * step) <= _PRICE_LABELS)
    prices = np.arange(np.ceil(edges[0] / step) * step, edges[-1], step)
    heights = HEIGHT * (1 - np.log(prices / edges[0]) / np.log(edges[-1] / edges[0]))
    pairs = zip(prices, heights, strict=True)
    return tuple(
        Label(
            f"{min(HEIGHT - _TEXT, max(2 * _TEXT, y + _TEXT)):.1f}", figures.price(float(p), 0 if step >= 1 else digits)
        )
        for p, y in pairs
    )
