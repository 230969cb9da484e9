"""The terminal: everything on the page around the chart, from one moment."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from heatmaps import queries
from heatmaps.pages import (
    bands,
    chart,
    conditions,
    context,
    figures,
    members,
    naming,
    outages,
    places,
    shown,
    state,
    strip,
    touches,
    zones,
)
from market import queries as market

if TYPE_CHECKING:
    from heatmaps.models import Heatmap
    from market.models import Instrument
    from market.queries import Freshness

_ZONE_ROWS: Final = 24
_LAG: Final = dt.timedelta(minutes=15)
_LIMITS: Final = (
    "Not where price goes next. A cluster may stay untouched.",
    "Not real positions. Entries, leverage and margin are inferred from public volume and open interest.",
    "Hedges, cross margin and added collateral are not visible and may move levels.",
)
LIMITS: Final = (
    *_LIMITS,
    "Not this venue's whole market: positions at other venues are outside this estimate.",
)
PAIR_LIMITS: Final = (
    *_LIMITS,
    "Not the whole market: positions at venues that are not listed below are outside this sum.",
    "USDT, USDC and USD count as one dollar, and prices of venues differ a little: levels are as sharp as that.",
)
CHECKLIST: Final = (
    "The invalidation level is written down",
    "The interval of the zone was read, not only its centre",
    "What this estimate does not say was read",
    "Loss at invalidation is within the account limit",
)


@dataclass(frozen=True, slots=True)
class Record:
    """Which estimator drew the map, and what is known about it."""

    name: str
    frozen_text: str
    allocated_text: str
    built_text: str
    is_provisional: bool
    lag_text: str
    # Somewhere the estimate is itself the upper end of its interval.
    is_bounded: bool


@dataclass(frozen=True, slots=True)
class Terminal:
    """One consistent view: every figure as of ``status.as_of_ms``."""

    instrument: Instrument
    title: str
    venue: str
    status: state.Status
    strip: strip.Strip
    context: context.Context | None
    clusters: zones.Clusters
    zones: list[zones.ZoneRow]
    # Why chances of a touch are missing; empty where none is.
    refusal: str
    record: Record | None
    # What the map's last day rests on, and why its intervals are wider.
    quality: conditions.Quality | None
    members: members.Members | None
    # Venues that nothing can come from now, and since when.
    outages: list[str]
    # What was shown of such maps.
    shown: shown.Shown
    timeframe: str
    version: int
    # As of when context and structure are told; None for now.
    at_ms: int | None = None
    timeframes: tuple[str, ...] = tuple(chart.TIMEFRAMES)
    checklist: tuple[str, ...] = CHECKLIST

    @property
    def level_layers(self) -> tuple[tuple[str, str], ...]:
        """Return slug and title of the layers that the chart can draw."""
        return context.level_layers()

    @property
    def limits(self) -> tuple[str, ...]:
        """Return what the map does not say."""
        return PAIR_LIMITS if self.instrument.is_pair else LIMITS

    @property
    def has_estimate(self) -> bool:
        """Tell whether there is a map to draw."""
        return self.record is not None


def load(*, key: str, timeframe: str, now: dt.datetime, at: dt.datetime | None = None) -> Terminal:
    """Read the page of an instrument, with context, structure, figures and zones as of ``at``."""
    instrument = market.get_instrument(key=key)
    freshness = market.freshness(instrument=instrument, now=now)
    heatmap = queries.get_heatmap(instrument_id=instrument.pk)
    built = heatmap if heatmap is not None and heatmap.built_through is not None else None
    as_of = min(freshness.as_of, at or freshness.as_of) if freshness.as_of else None
    newest = queries.latest_slice(heatmap=built, at=at) if built is not None else None
    age = queries.age_doubt(heatmap=built, freshness=freshness, now=now, at=at)
    listed = queries.list_zones(heatmap=built, limit=_ZONE_ROWS, at=at) if built is not None else None
    found = None if listed is None else queries.aged(zones=listed, age=age)
    digits = figures.decimals(instrument.tick_size)
    figured = strip.load(instrument=instrument, digits=digits, as_of=as_of, newest=newest)
    rows = zones.table(zones=found or [], last=figured.last, digits=digits)
    touching = touches.load(instrument_id=instrument.pk, zones=found or [], last=figured.last, as_of=as_of)
    where = places.load(instrument=instrument, zones=found or [], touching=touching, as_of=as_of)
    return Terminal(
        instrument=instrument,
        title=naming.title(instrument),
        venue=naming.venue_label(instrument),
        status=state.describe(freshness=freshness, now=now),
        strip=figured,
        context=context.load_at(instrument=instrument, as_of=freshness.as_of, at=at),
        clusters=zones.clusters(zones=found, last=figured.last, digits=digits),
        zones=[replace(row, chances=touching.by_zone.get(row.pk, ()), where=where.get(row.pk)) for row in rows],
        refusal=touching.refusal,
        record=_record(built, freshness) if built is not None else None,
        quality=conditions.quality(heatmap=built, age=age, at=at) if built is not None else None,
        members=members.load(heatmap=built, now=now) if built is not None else None,
        outages=outages.load(instrument=instrument, now=now),
        shown=shown.load(instrument=instrument),
        timeframe=timeframe if timeframe in chart.TIMEFRAMES else chart.DEFAULT_TIMEFRAME,
        version=state.version(freshness=freshness, heatmap=heatmap),
        at_ms=figures.epoch_ms(at),
    )


def _record(heatmap: Heatmap, freshness: Freshness) -> Record:
    share = heatmap.allocated_share
    return Record(
        name=f"{heatmap.release.slug} {heatmap.release.version}",
        frozen_text=figures.day(heatmap.release.created_at),
        allocated_text=figures.DASH if share is None else f"{100 * share:.1f}%",
        built_text=figures.moment(heatmap.built_through),
        is_provisional=heatmap.provisional_through is not None,
        lag_text=_lag(heatmap, freshness),
        is_bounded=bands.reaches_estimate(heatmap=heatmap),
    )


def _lag(heatmap: Heatmap, freshness: Freshness) -> str:
    """Say so where the map has fallen behind the bars; a step's worth is its nature."""
    drawn = heatmap.provisional_through or heatmap.built_through
    if drawn is None or freshness.as_of is None or freshness.as_of - drawn < _LAG:
        return ""
    return f"{figures.age(freshness.as_of - drawn)} behind the bars"
