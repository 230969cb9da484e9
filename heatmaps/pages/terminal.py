"""The terminal: everything on the page around the chart, from one moment."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from django.core.cache import cache

from heatmaps import queries
from heatmaps.pages import (
    chart,
    conditions,
    context,
    figures,
    known,
    members,
    naming,
    outages,
    panes,
    places,
    record,
    replay,
    shown,
    state,
    strip,
    touches,
    zones,
)
from market.series import HOUR_MS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

    from heatmaps.core.doubts import Doubt
    from heatmaps.models import Heatmap
    from market.models import Instrument
    from market.queries import Freshness

_ZONE_ROWS: Final = 24
# What may change without a change of the version, such as chances that were learnt anew, waits so long at most.
_KEEP_SECONDS: Final = 30
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
class _Told:
    """What rests on stored data alone: the same for everyone until the page's version changes."""

    strip: strip.Strip
    context: context.Context | None
    clusters: zones.Clusters
    zones: list[zones.ZoneRow]
    # Why chances of a touch are missing; empty where none is.
    refusal: str
    record: record.Record | None
    # What the map's last day rests on, and why its intervals are wider.
    quality: conditions.Quality | None
    # When the map begins.
    starts_ms: int | None


@dataclass(frozen=True, slots=True)
class Terminal(_Told):
    """One consistent view: every figure as of ``status.as_of_ms``."""

    instrument: Instrument
    title: str
    venue: str
    status: state.Status
    members: members.Members | None
    # Venues that nothing can come from now, and since when.
    outages: list[str]
    timeframe: str
    version: int
    # Names all that rests on stored data, so that what is written of it can be kept.
    mark: str
    # As of when everything is told; None for now.
    at: dt.datetime | None = None
    timeframes: tuple[str, ...] = tuple(chart.TIMEFRAMES)
    checklist: tuple[str, ...] = CHECKLIST
    panes: tuple[tuple[str, str], ...] = panes.PANES

    @property
    def at_ms(self) -> int | None:
        """Return the moment of a replay for addresses; None for now."""
        return figures.epoch_ms(self.at)

    @property
    def at_query(self) -> str:
        """Return the moment of a replay as the end of an address; empty for now."""
        return f"&at={self.at_ms}" if self.at else ""

    @property
    def at_input(self) -> str:
        """Return the moment of a replay as a form's field takes it."""
        return f"{self.at:%Y-%m-%dT%H:%M}" if self.at else ""

    @property
    def first_hour_ms(self) -> int:
        """Return the end of the first whole hour that the map holds, from which it can be replayed."""
        return -(-(self.starts_ms or 0) // HOUR_MS) * HOUR_MS + HOUR_MS

    @property
    def at_text(self) -> str:
        """Write the moment of a replay."""
        return figures.moment(self.at) if self.at else ""

    @property
    def level_layers(self) -> tuple[tuple[str, str], ...]:
        """Return slug and title of the layers that the chart can draw."""
        return context.level_layers()

    @property
    def limits(self) -> tuple[str, ...]:
        """Return what the map does not say."""
        return PAIR_LIMITS if self.instrument.is_pair else LIMITS

    @property
    def missing(self) -> str:
        """Say why there is no open interest to make a map of; empty where there is."""
        return next((kpi.reason for kpi in self.strip.kpis if kpi.label == strip.OPEN_INTEREST), "")

    @property
    def shown(self) -> shown.Shown:
        """Read what was shown of such maps, which pages that are kept as written need not."""
        return shown.load(instrument=self.instrument)

    @property
    def has_estimate(self) -> bool:
        """Tell whether there is a map to draw."""
        return self.record is not None


class _Spot(NamedTuple):
    """What is looked at, and as of when; None for now."""

    instrument: Instrument
    freshness: Freshness
    heatmap: Heatmap | None
    age: Doubt
    at: dt.datetime | None

    @property
    def mark(self) -> str:
        """Return what differs as soon as anything of the page that rests on stored data may."""
        mark = state.mark(self.instrument, self.heatmap, self.freshness, self.age)
        return f"heatmaps:terminal:{mark}:{figures.epoch_ms(self.at)}"


def load(*, key: str, timeframe: str, now: dt.datetime, at: dt.datetime | None = None) -> Terminal:
    """Read the page of an instrument, every figure of it as of ``at`` if that is given."""
    spot = _look(key, now, at)
    return _load(spot, timeframe, now, _outages(spot, now))


def live_parts(
    *, key: str, now: dt.datetime, at: dt.datetime | None, write: Callable[[Terminal], str]
) -> Mapping[str, str]:
    """Return the parts of the fragment around the chart by their digests, from the kept ones where nothing changed.

    What ``write`` makes of a page is kept for every member: nothing of a request may be in it. A pair's parts are
    written each time: how late its members are changes with the clock.
    """
    spot = _look(key, now, at)
    away = _outages(spot, now)
    if spot.instrument.is_pair:
        return known.parts_of(write(_load(spot, chart.DEFAULT_TIMEFRAME, now, away)))
    kept = f"{spot.mark}:{figures.epoch_ms(spot.freshness.as_of)}:{known.digest(str(away))}:live"
    parts: Mapping[str, str] | None = cache.get(kept)
    if parts is None:
        parts = known.parts_of(write(_load(spot, chart.DEFAULT_TIMEFRAME, now, away)))
        cache.set(kept, parts, _KEEP_SECONDS)
    return parts


def _look(key: str, now: dt.datetime, at: dt.datetime | None) -> _Spot:
    instrument, freshness, heatmap = queries.find(key=key, now=now)
    at = replay.known_at(at=at, newest=freshness.as_of)
    age = queries.age_doubt(heatmap=heatmap, freshness=freshness, now=now, at=at)
    return _Spot(instrument, freshness, heatmap, age, at)


def _outages(spot: _Spot, now: dt.datetime) -> list[str]:
    """List who is away, which is told of now only."""
    return outages.load(instrument=spot.instrument, now=now) if spot.at is None else []


def _load(spot: _Spot, timeframe: str, now: dt.datetime, away: list[str]) -> Terminal:
    instrument, freshness, heatmap, age, at = spot
    told: _Told | None = cache.get(spot.mark)
    if told is None:
        told = _tell(instrument, heatmap, freshness, at, age)
        cache.set(spot.mark, told, _KEEP_SECONDS)
    is_built = heatmap is not None and told.record is not None
    return Terminal(
        **{one.name: getattr(told, one.name) for one in fields(told)},
        instrument=instrument,
        title=naming.title(instrument),
        venue=naming.venue_label(instrument),
        status=state.describe(freshness=freshness, now=now),
        # Who is missing, and since when, is told of now only.
        members=members.load(heatmap=heatmap, now=now) if heatmap is not None and is_built and at is None else None,
        outages=away,
        timeframe=timeframe if timeframe in chart.TIMEFRAMES else chart.DEFAULT_TIMEFRAME,
        version=state.version(freshness=freshness, heatmap=heatmap),
        mark=spot.mark,
        at=at,
    )


def _tell(
    instrument: Instrument, heatmap: Heatmap | None, freshness: Freshness, at: dt.datetime | None, age: Doubt
) -> _Told:
    as_of = at or freshness.as_of
    built = heatmap if heatmap is not None and _is_built(heatmap, at) else None
    around, layers = _look_around(instrument, as_of, built, at)
    stored = around.tiles if around else None
    drawn = queries.newest_day(heatmap=built, at=at, stored=stored) if built is not None else None
    newest = queries.aged_slice(newest=drawn.slice, age=age) if drawn else None
    listed = queries.list_zones(heatmap=built, limit=_ZONE_ROWS, at=at) if built is not None else None
    found = None if listed is None else queries.aged(zones=listed, age=age)
    digits = figures.decimals(instrument.tick_size)
    figured = strip.load(instrument=instrument, digits=digits, around=around, newest=newest)
    rows = zones.table(zones=found or [], last=figured.last, digits=digits)
    touching = touches.load(
        instrument_id=instrument.pk, zones=found or [], last=figured.last, as_of=as_of, around=around
    )
    where = places.load(instrument=instrument, zones=found or [], touching=touching, as_of=as_of)
    return _Told(
        strip=figured,
        context=layers,
        clusters=zones.clusters(zones=found, last=figured.last, digits=digits),
        zones=[replace(row, chances=touching.by_zone.get(row.pk, ()), where=where.get(row.pk)) for row in rows],
        refusal=touching.refusal,
        record=record.load(heatmap=built, freshness=freshness, at=at) if built is not None else None,
        quality=conditions.quality(day=drawn.day, age=age) if drawn else None,
        starts_ms=figures.epoch_ms(built.built_from) if built is not None else None,
    )


def _look_around(
    instrument: Instrument, as_of: dt.datetime | None, built: Heatmap | None, at: dt.datetime | None
) -> tuple[queries.Around | None, context.Context | None]:
    """Read the rows around a moment with the map's last day, and the layers with them unless those are kept."""
    if as_of is None:
        return None, None
    kept = context.find_kept(instrument=instrument, as_of=as_of)
    hours = kept is None
    around = queries.read_around(instrument=instrument, as_of=as_of, with_hours=hours, heatmap=built, at=at)
    if kept is None:
        view = queries.read_layers(instrument=instrument, at=as_of, series=around.hourly)
        kept = context.keep(instrument=instrument, view=view, as_of=as_of)
    return around, kept


def _is_built(heatmap: Heatmap, at: dt.datetime | None) -> bool:
    """Tell whether there is a map, by a moment if one is given."""
    if heatmap.built_from is None or heatmap.built_through is None:
        return False
    return at is None or at > heatmap.built_from
