"""Follow zones over the stored columns: a pure function of tiles, taken strip by strip, each in its own transaction.

A zone's row says what its newest event told. Events are only ever added, so that what was shown at any
moment can be read again.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
from django.db import transaction
from django.db.models import Max

from heatmaps.core.bands import Factors
from heatmaps.core.clusters import Column
from heatmaps.core.estimators import tracked
from heatmaps.core.flags import Flag
from heatmaps.core.grid import bin_edge, bin_width
from heatmaps.core.strips import Strip
from heatmaps.core.sums import is_partial
from heatmaps.core.tile import COMMITTED, DENSITY_BPS, LEVELS, TILE, usd_from_code
from heatmaps.core.tracked import Kind
from heatmaps.core.zones import Tracker
from heatmaps.models import Heatmap, Zone, ZoneEvent, ZoneTracking
from heatmaps.queries import (
    get_current_heatmap,
    get_current_heatmaps,
    read_column,
    read_records,
    read_strip,
    strip_doubts,
)
from market.queries import list_members
from market.series import epoch_ms, moment

from . import storing
from .evidence import Formation, freeze, freeze_members

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import numpy.typing as npt

    from heatmaps.core.doubts import Doubt, Doubts
    from heatmaps.core.tile import Codes
    from heatmaps.core.tracked import Event

STEP_MS: Final = LEVELS[0].step_ms
# Strips per job: half a year, well below a minute.
STRIPS_PER_JOB: Final = 200


@dataclass(frozen=True, slots=True)
class Followed:
    """How many zones formed and ended, and up to where."""

    born: int = 0
    ended: int = 0
    through: dt.datetime | None = None
    is_complete: bool = True

    def and_then(self, later: Followed) -> Followed:
        """This and what followed on the same map."""
        return Followed(self.born + later.born, self.ended + later.ended, later.through, later.is_complete)

    def beside(self, other: Followed) -> Followed:
        """This and what was done on another map: complete where both are, through where both are."""
        reached = [moment for moment in (self.through, other.through) if moment]
        is_complete = self.is_complete and other.is_complete
        return Followed(self.born + other.born, self.ended + other.ended, min(reached, default=None), is_complete)


def track_all(*, instrument_ids: Sequence[int], now: dt.datetime) -> None:
    """Follow the zones of some instruments."""
    due = {slug: get_current_heatmaps(instrument_ids=instrument_ids, estimator=slug) for slug in tracked()}
    for instrument_id in instrument_ids:
        _track({slug: maps.get(instrument_id) for slug, maps in due.items()}, now, STRIPS_PER_JOB)


def track_zones(
    *,
    instrument_id: int,
    now: dt.datetime,
    strips: int | None = STRIPS_PER_JOB,
    on_strip: Callable[[dt.datetime, dt.datetime], None] | None = None,
) -> Followed:
    """Follow the zones of an instrument's maps to their newest committed column; repeating it changes nothing.

    ``strips`` bounds the work, ``on_strip`` hears of the column reached and the last. ``now`` bounds what is read.
    """
    maps = {slug: get_current_heatmap(instrument_id=instrument_id, estimator=slug) for slug in tracked()}
    return _track(maps, now, strips, on_strip)


def _track(
    maps: Mapping[str, Heatmap | None],
    now: dt.datetime,
    left: int | None,
    on_strip: Callable[[dt.datetime, dt.datetime], None] | None = None,
) -> Followed:
    total = Followed()
    for slug, heatmap in maps.items():
        done = Followed(is_complete=heatmap is None)
        while heatmap is not None and not done.is_complete and left != 0:
            with transaction.atomic():
                storing.lock(purpose=f"zones.{slug}", instrument_id=heatmap.instrument_id)
                step = _follow_strip(heatmap.pk, now)
            left = None if left is None else left - 1
            done = done.and_then(step)
            if on_strip and step.through and heatmap.built_through:
                on_strip(step.through, heatmap.built_through)
        total = total.beside(done)
    return total


def _follow_strip(heatmap_id: int, now: dt.datetime) -> Followed:
    heatmap = Heatmap.objects.select_related("release", "instrument").select_for_update(of=("self",)).get(pk=heatmap_id)
    start = heatmap.zones_through or heatmap.built_from
    if start is None or heatmap.built_through is None:
        return Followed()
    end = min(heatmap.built_through, now)
    if start >= end:
        return Followed(through=heatmap.zones_through)
    first = epoch_ms(start) // STEP_MS
    stop = min(epoch_ms(end) // STEP_MS, (first // TILE + 1) * TILE)
    columns = _Columns(heatmap)
    tracker = _take_up(heatmap, columns)
    log = _Log(heatmap, columns)
    for column in columns.between(first, stop):
        log.note(tracker.step(column))
    log.save()
    storing.store_tracking(heatmap=heatmap, body=json.dumps(tracker.dump()))
    heatmap.zones_through = moment(stop * STEP_MS)
    heatmap.save(update_fields=["zones_through"])
    return Followed(log.born, log.ended, heatmap.zones_through, heatmap.zones_through >= end)


def _take_up(heatmap: Heatmap, columns: _Columns) -> Tracker:
    """Where following stopped; at a map's beginning, from nothing."""
    width, kept = bin_width(heatmap.bin_bps), ZoneTracking.objects.filter(heatmap=heatmap).first()
    if kept is None:
        newest = Zone.objects.filter(heatmap=heatmap).aggregate(newest=Max("number"))["newest"] or 0
        return Tracker(width, next_key=newest + 1)
    dumped = json.loads(kept.body)
    before = None if dumped["before_ms"] is None else dumped["before_ms"] // STEP_MS - 1
    return Tracker.load(dumped, width=width, before=None if before is None else columns.at(before))


@dataclass(slots=True)
class _Columns:
    """The committed columns of a map as the tracker reads them, one strip in memory."""

    heatmap: Heatmap
    col: int | None = None
    strip: Strip = field(default_factory=Strip)
    doubts: Doubts | None = None

    def between(self, first: int, stop: int) -> Iterator[Column]:
        """Those of the periods [first, stop) of one strip."""
        width, places = bin_width(self.heatmap.bin_bps), np.arange(first, stop) % TILE
        self._open(first // TILE)
        low_bin, codes = self.strip.block()
        usd = usd_from_code(codes[:, places].T.copy(), self.heatmap.code_floor_usd)
        usd *= self.heatmap.bin_bps / DENSITY_BPS
        rests_on = self.strip.spine[places]
        used = rests_on["status"] == COMMITTED
        low, high, close = (np.log(np.where(used, rests_on[name], 1.0)) / width for name in ("low", "high", "close"))
        share = rests_on["total"] / np.where(used, rests_on["open_interest"], 1.0)
        swept = np.log(np.where(used[:, None], rests_on["swept"], 1.0)) / width
        is_last = (rests_on["flags"] & Flag.LAST_PRICE) != 0
        wick = float(self.heatmap.release.parameters.get("options", {}).get("wick", 1.0))
        present, gone = self._members(first // TILE)
        for i in np.flatnonzero(used).tolist():
            yield Column(
                end_ms=(first + i + 1) * STEP_MS, first_bin=low_bin, usd=usd[i],
                low=float(low[i]), high=float(high[i]), close=float(close[i]), allocated=float(share[i]),
                is_partial=bool(gone[places[i]]), members=int(present[places[i]]),
                kept=(float(rests_on["kept"][i, 0]), float(rests_on["kept"][i, 1])),
                swept=(float(swept[i, 0]), float(swept[i, 1])), wick=wick if is_last[i] else 0.0,
            )  # fmt: skip

    def at(self, period: int) -> Column | None:
        """One column; None where it is not there any more."""
        return next(self.between(period, period + 1), None)

    def basis(self, period: int) -> tuple[np.void, int, Codes]:
        """What a column of the strip rests on, its first bin and its codes."""
        return self.strip.spine[period % TILE], *self.strip.column(period % TILE)

    def doubt(self, end_ms: int) -> Doubt:
        """How much is in doubt of a column of the strip."""
        if self.doubts is None:
            self.doubts = strip_doubts(heatmap=self.heatmap, col=(end_ms // STEP_MS - 1) // TILE)
        return self.doubts[(end_ms // STEP_MS - 1) % TILE]

    def _open(self, col: int) -> None:
        if self.col != col:
            self.col, self.strip, self.doubts = col, read_strip(heatmap=self.heatmap, col=col), None

    def _members(self, col: int) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
        """Who is in each column of a pair, and where somebody is missing; nobody in the map of one instrument."""
        records = (
            read_records(heatmap=self.heatmap, cols=range(col, col + 1)) if self.heatmap.instrument.is_pair else {}
        )
        if col not in records:
            return np.zeros(TILE, np.uint64), np.zeros(TILE, np.bool_)
        return records[col]["present"], is_partial(records[col])


class _Log:
    """What was told while a strip went by, as rows."""

    def __init__(self, heatmap: Heatmap, columns: _Columns) -> None:
        self.heatmap, self.columns, self.width = heatmap, columns, bin_width(heatmap.bin_bps)
        self.factors = Factors.of(heatmap.release.parameters)
        self.members = list_members(pair_id=heatmap.instrument_id) if heatmap.instrument.is_pair else []
        self.zones: dict[int, Zone] = {}
        self.events: list[ZoneEvent] = []
        self.born = self.ended = 0

    def note(self, events: Sequence[Event]) -> None:
        """Take in what was told of one column."""
        unknown = {event.key for event in events if event.kind is not Kind.FORMED} - set(self.zones)
        if unknown:
            known = Zone.objects.filter(heatmap=self.heatmap, number__in=unknown)
            self.zones |= {zone.number: zone for zone in known}
        for event in events:
            row = self._row(event)
            if event.kind is Kind.FORMED:
                self.zones[event.key] = row.zone = self._form(event, row)
            row.zone.take(row)
            self.events.append(row)
            self.born, self.ended = self.born + (event.kind is Kind.FORMED), self.ended + event.state.is_over

    def save(self) -> None:
        """Write the events, and every zone as its newest one told."""
        known = [zone for zone in self.zones.values() if zone.pk is not None]
        Zone.objects.bulk_create([zone for zone in self.zones.values() if zone.pk is None])
        storing.store_zones(known)
        for event in self.events:
            event.zone_id = event.zone.pk
        storing.store_events(self.events)

    def _row(self, event: Event) -> ZoneEvent:
        cluster, width = event.cluster, self.width
        away = (np.exp((cluster.peak + 0.5 - event.close) * width) - 1.0) * 100.0
        banded = self.factors.band(event.usd, cluster.side, float(away))
        interval = self.columns.doubt(event.at_ms).widen_one(banded)
        return ZoneEvent(
            zone=self.zones.get(event.key),
            number=event.number,
            at=moment(event.at_ms),
            kind=event.kind.value,
            state=event.state.value,
            cause=event.cause.value if event.cause else "",
            other_number=event.other,
            tested_at=None if event.tested_ms is None else moment(event.tested_ms),
            price_low=bin_edge(cluster.low, width),
            price_high=bin_edge(cluster.high, width),
            price_peak=float(np.exp((cluster.peak + 0.5) * width)),
            usd=interval.usd,
            usd_low=interval.low,
            usd_high=interval.high,
            usd_peak=event.usd_peak,
            **asdict(event.flows),
        )

    def _form(self, event: Event, row: ZoneEvent) -> Zone:
        """A zone with what is frozen of it."""
        zone = Zone(heatmap=self.heatmap, number=event.key, position_side=event.cluster.side, born_at=row.at)
        zone.take(row)
        period = event.at_ms // STEP_MS - 1
        brought = read_column(heatmap=self.heatmap, period=period) if self.members else None
        members = freeze_members(self.members, *brought) if brought else []
        basis, doubt = self.columns.basis(period), self.columns.doubt(event.at_ms)
        formation = Formation(self.heatmap, zone, event.cluster, *basis, members, doubt)
        zone.evidence, zone.evidence_sha256 = freeze(formation)
        zone.input_digest = bytes(formation.rests_on["digest"]).hex()
        return zone
