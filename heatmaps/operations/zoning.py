"""Follow zones over the stored columns: a pure function of tiles, taken strip by strip, each in its own transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from django.db import transaction
from django.db.models import Max

from heatmaps.core.bands import Factors
from heatmaps.core.estimators import BUILT, load_built
from heatmaps.core.grid import bin_edge, bin_width
from heatmaps.core.sums import is_partial
from heatmaps.core.tile import COMMITTED, DENSITY_BPS, LEVELS, TILE, usd_from_code
from heatmaps.core.zones import SLICE_MS, Cluster, Column, Tracked, Tracker, find_clusters
from heatmaps.models import Heatmap, Zone
from heatmaps.queries import get_current_heatmap, read_column, read_records, read_strip
from market.queries import list_members
from market.series import epoch_ms, moment

from . import storing
from .evidence import Formation, freeze, freeze_members

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from heatmaps.core.strips import Strip
    from market.queries import Member

STEP_MS: Final = LEVELS[0].step_ms
# Strips per job: half a year, well below a minute.
STRIPS_PER_JOB: Final = 200
_FIELDS: Final = (
    "state",
    "tested_at",
    "ended_at",
    "price_low",
    "price_high",
    "price_peak",
    "usd",
    "usd_low",
    "usd_high",
    "usd_peak",
    "missing_count",
    "last_seen_at",
)


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
    total, left = Followed(), strips
    for slug in (slug for slug in BUILT if load_built(slug).tracks_zones):
        heatmap = get_current_heatmap(instrument_id=instrument_id, estimator=slug)
        done = Followed(is_complete=heatmap is None)
        while heatmap is not None and not done.is_complete and left != 0:
            with transaction.atomic():
                storing.lock(purpose=f"zones.{slug}", instrument_id=instrument_id)
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
    follower = _Follower.begin(heatmap, first)
    strip = read_strip(heatmap=heatmap, col=first // TILE)
    for column in follower.columns(strip, first, stop):
        follower.step(column, strip)
    follower.save()
    heatmap.zones_through = moment(stop * STEP_MS)
    heatmap.save(update_fields=["zones_through"])
    return Followed(follower.born, follower.ended, heatmap.zones_through, heatmap.zones_through >= end)


@dataclass(slots=True)
class _Follower:
    """The zones of one map while a strip goes by."""

    heatmap: Heatmap
    factors: Factors
    tracker: Tracker
    rows: dict[int, Zone]
    next_number: int
    members: list[Member]
    last: Column | None = None
    born: int = 0
    ended: int = 0

    @classmethod
    def begin(cls, heatmap: Heatmap, first: int) -> _Follower:
        width = bin_width(heatmap.bin_bps)
        rows = {zone.number: zone for zone in Zone.objects.filter(heatmap=heatmap, state=Zone.State.ACTIVE)}
        alive = [_tracked(zone, width) for _, zone in sorted(rows.items())]
        newest = Zone.objects.filter(heatmap=heatmap).aggregate(newest=Max("number"))["newest"] or 0
        members = list_members(pair_id=heatmap.instrument_id) if heatmap.instrument.is_pair else []
        follower = cls(
            heatmap, Factors.of(heatmap.release.parameters), Tracker(width, alive), rows, newest + 1, members
        )
        follower._look_back(first)
        return follower

    def columns(self, strip: Strip, first: int, stop: int) -> Iterator[Column]:
        """The committed columns of a strip as the tracker reads them."""
        width, places = self.tracker.width, np.arange(first, stop) % TILE
        low_bin, codes = strip.block()
        usd = usd_from_code(codes[:, places].T, self.heatmap.code_floor_usd) * (self.heatmap.bin_bps / DENSITY_BPS)
        rests_on = strip.spine[places]
        used = rests_on["status"] == COMMITTED
        low, high, close = (np.log(np.where(used, rests_on[name], 1.0)) / width for name in ("low", "high", "close"))
        share = rests_on["total"] / np.where(used, rests_on["open_interest"], 1.0)
        gone = self._is_partial(first // TILE)[places]
        for i in np.flatnonzero(used).tolist():
            end_ms, prices = (first + i + 1) * STEP_MS, (float(low[i]), float(high[i]), float(close[i]))
            yield Column(end_ms, low_bin, usd[i], *prices, float(share[i]), bool(gone[i]))

    def _is_partial(self, col: int) -> npt.NDArray[np.bool_]:
        """Where members of a pair are missing from a strip; nowhere in the map of one instrument."""
        records = (
            read_records(heatmap=self.heatmap, cols=range(col, col + 1)) if self.heatmap.instrument.is_pair else {}
        )
        return is_partial(records[col]) if col in records else np.zeros(TILE, np.bool_)

    def step(self, column: Column, strip: Strip) -> None:
        """Take in one column and give rows to what is new."""
        born, ended = self.tracker.step(column)
        for zone in born:
            self._create(zone, column, strip)
        for zone in ended:
            self._update(zone, column)
        self.born, self.ended, self.last = self.born + len(born), self.ended + len(ended), column

    def save(self) -> None:
        """Write every zone that was alive."""
        for zone in self.tracker.alive:
            if self.last is not None:
                self._update(zone, self.last)
        known = [row for row in self.rows.values() if row.pk is not None]
        Zone.objects.bulk_create([row for row in self.rows.values() if row.pk is None])
        # One INSERT that always meets its row: bulk_update builds an expression for every value.
        Zone.objects.bulk_create(known, update_conflicts=True, unique_fields=["id"], update_fields=list(_FIELDS))

    def _look_back(self, first: int) -> None:
        """Find again the clusters of the slice before, which confirm those of the next."""
        period = first * STEP_MS // SLICE_MS * SLICE_MS // STEP_MS - 1
        strip = read_strip(heatmap=self.heatmap, col=period // TILE)
        for column in self.columns(strip, period, period + 1):
            self.tracker.before, self.tracker.before_ms = find_clusters(column, self.tracker.width), column.end_ms

    def _create(self, zone: Tracked, column: Column, strip: Strip) -> None:
        zone.key = self.next_number
        self.next_number += 1
        place = (column.end_ms // STEP_MS - 1) % TILE
        row = Zone(
            heatmap=self.heatmap,
            number=zone.key,
            position_side=zone.cluster.side,
            born_at=moment(zone.born_ms),
        )
        self.rows[zone.key] = row
        self._update(zone, column)
        brought = read_column(heatmap=self.heatmap, period=column.end_ms // STEP_MS - 1) if self.members else None
        members = freeze_members(self.members, *brought) if brought else []
        formation = Formation(self.heatmap, row, zone.cluster, strip.spine[place], *strip.column(place), members)
        row.evidence, row.evidence_sha256 = freeze(formation)
        row.input_digest = bytes(strip.spine[place]["digest"]).hex()

    def _update(self, zone: Tracked, column: Column) -> None:
        row, width, cluster = self.rows[zone.key or 0], self.tracker.width, zone.cluster
        away = (np.exp((cluster.peak + 0.5 - column.close) * width) - 1.0) * 100.0
        interval = self.factors.band(zone.usd, cluster.side, float(away))
        row.price_low, row.price_high = bin_edge(cluster.low, width), bin_edge(cluster.high, width)
        row.price_peak = float(np.exp((cluster.peak + 0.5) * width))
        row.usd, row.usd_low, row.usd_high, row.usd_peak = interval.usd, interval.low, interval.high, zone.usd_peak
        row.missing_count, row.last_seen_at = zone.missing, moment(zone.seen_ms)
        row.tested_at = None if zone.tested_ms is None else moment(zone.tested_ms)
        row.ended_at = None if zone.ended_ms is None else moment(zone.ended_ms)
        row.state = Zone.State.ACTIVE if zone.ending is None else Zone.State(zone.ending.value)


def _tracked(row: Zone, width: float) -> Tracked:
    low, high = (round(float(np.log(price) / width)) for price in (row.price_low, row.price_high))
    peak = round(float(np.log(row.price_peak) / width) - 0.5)
    return Tracked(
        cluster=Cluster(row.position_side, low, high, peak, row.usd),
        usd=row.usd,
        born_ms=epoch_ms(row.born_at),
        seen_ms=epoch_ms(row.last_seen_at),
        usd_peak=row.usd_peak,
        tested_ms=None if row.tested_at is None else epoch_ms(row.tested_at),
        missing=row.missing_count,
        key=row.number,
    )
