"""Sum the maps of an asset pair's members: no estimator runs, tiles are decoded, added and encoded again."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
from django.db import transaction

from heatmaps.core.estimators import load_built
from heatmaps.core.estimators.base import parameters_digest
from heatmaps.core.grid import bin_width
from heatmaps.core.strips import Scale, Strips
from heatmaps.core.sums import EXPECTED_MS, RECORD, REMEMBERED, pack, sum_strip
from heatmaps.core.tile import COMMITTED, LEVELS, PROVISIONAL, TILE, code_floor
from heatmaps.models import Heatmap, SummedStrip, Tile
from heatmaps.queries import DEFAULT_ESTIMATOR, read_records, sum_slug
from market.queries import find_instrument, rankings
from market.series import DAY_MS, STEP_MS, epoch_ms, moment

from . import storing
from .building import Built
from .members import BEHIND_MS, STRIP_MS, inputs_of, prints_of, reach_of, sources_of
from .publishing import SCALE_SPAN, freeze_release, freeze_scale, note_changes, point
from .stock import Stock

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    from heatmaps.core.strips import Columns
    from heatmaps.core.sums import Reach, Record, Summed
    from heatmaps.models import EstimatorRelease
    from market.models import Instrument

    from .members import Source

# Strips in one transaction: it may be killed at any moment.
STRIPS_PER_PART: Final = 8


def sum_members(
    *,
    instrument_id: int,
    now: dt.datetime,
    parts: int | None = None,
    on_part: Callable[[dt.datetime, dt.datetime, dt.datetime], None] | None = None,
) -> Built:
    """Bring a pair's map up to its members' maps, each part in its own transaction; repeating it changes nothing.

    Only strips that a member's tiles have changed in, and what follows them, are summed again. ``parts`` bounds the
    work; ``on_part`` hears of the start, the step reached and the end. Nothing is done while a member's map is being
    built again: it would be missing for a moment.
    """
    summer = _Summer(find_instrument(instrument_id=instrument_id), now)
    while not summer.is_complete and (parts is None or summer.parts < parts):
        with transaction.atomic():
            summer.sum_part()
        if on_part and summer.span:
            on_part(*summer.span)
    return summer.result()


@dataclass(slots=True)
class _Summer:
    pair: Instrument
    now: dt.datetime
    is_complete: bool = False
    parts: int = 0
    # Where this run has come to: before it nothing changes any more.
    begin: int = -(2**31)
    span: tuple[dt.datetime, dt.datetime, dt.datetime] | None = None
    steps: int = 0
    tiles: int = 0
    tile_bytes: int = 0

    def result(self) -> Built:
        through = self.span[1] if self.span else None
        return Built(DEFAULT_ESTIMATOR, self.steps, self.tiles, self.tile_bytes, through, self.is_complete)

    def sum_part(self) -> None:
        """One part, inside a transaction that its caller opened."""
        storing.lock(purpose="sum", instrument_id=self.pair.pk)
        self.parts += 1
        release = _release()
        heatmap = Heatmap.objects.select_for_update().filter(instrument=self.pair, release=release).first()
        sources = sources_of(self.pair)
        if not sources or any(one.is_being_rebuilt for one in sources):
            self.is_complete = True
            return
        work = _plan(self.pair, heatmap, sources, self.begin)
        if work is None:
            self.is_complete = True
            return
        summed = work.sum(heatmap)
        self.is_complete, self.begin = work.is_last, work.cols.stop
        if heatmap is None:
            floor = work.floor(summed)
            if floor is None:
                return
            bin_bps = sources[0].heatmap.bin_bps
            heatmap = Heatmap(instrument=self.pair, release=release, bin_bps=bin_bps, code_floor_usd=floor)
            heatmap.save()
        self._write(heatmap, work, summed)

    def _write(self, heatmap: Heatmap, work: _Work, summed: dict[int, Summed]) -> None:
        stock = Stock()
        strips = Strips(
            Scale(bin_width(heatmap.bin_bps), heatmap.code_floor_usd, 1.0),
            load=partial(stock.strips, heatmap.pk),
        )
        newest = work.paint(strips, heatmap, summed)
        changed = list(strips.changes())
        tiles, size = note_changes(heatmap, changed, self.now)
        work.note(heatmap, summed)
        if newest is not None:
            since = work.begins(summed) or heatmap.built_from or moment(int(newest.end_ms[0]) - STEP_MS)
            point(heatmap, since=since, through=moment(int(newest.end_ms[-1])), bins=strips.bins)
            heatmap.allocated_share = float(newest.spine["total"][-1] / newest.spine["open_interest"][-1])
            heatmap.input_digest = work.inputs[work.cols[-1]]
        stock.store(heatmap, changed, None)
        stock.flush()
        # While members catch up, a sum that ends long ago is a part of what the colours will have to tell apart.
        if self.is_complete and heatmap.built_through and self.now - heatmap.built_through <= SCALE_SPAN:
            freeze_scale(heatmap)
        if heatmap.built_from and heatmap.built_through:
            self.span = (heatmap.built_from, heatmap.built_through, moment(work.reach.through_ms))
        self.steps += sum(len(one.columns.end_ms) for one in summed.values())
        self.tiles, self.tile_bytes = self.tiles + tiles, self.tile_bytes + size


@dataclass(frozen=True, slots=True)
class _Work:
    """One part: strips that follow each other, from the earliest that has changed on."""

    pair: Instrument
    sources: Sequence[Source]
    reach: Reach
    first: int
    cols: range
    is_last: bool
    inputs: Mapping[int, str]
    rankings: Mapping[dt.date, Sequence[int]]

    def sum(self, heatmap: Heatmap | None) -> dict[int, Summed]:
        bodies, before, summed = self._bodies(), self._before(heatmap), {}
        for col in self.cols:
            summed[col] = sum_strip(
                [one.part(bodies[one.heatmap.pk, col]) for one in self.sources],
                col,
                rank=self._rank(col),
                reach=self.reach,
                before=before,
            )
            before = np.concatenate((before, summed[col].record))[TILE:]
        return summed

    def paint(self, strips: Strips, heatmap: Heatmap, summed: Mapping[int, Summed]) -> Columns | None:
        """Write the sum into tiles; return the newest committed columns."""
        after = None if self.cols.start == self.first else self.cols.start * STRIP_MS
        if after is not None and heatmap.built_through is not None:
            after = min(after, epoch_ms(heatmap.built_through))
        newest, through = None, self.reach.through_ms
        for one in summed.values():
            columns = one.between(0, through, COMMITTED)
            if len(columns.end_ms):
                strips.paint(columns, after_ms=after)
                newest, after = columns, int(columns.end_ms[-1])
        heatmap.provisional_through = None
        for one in summed.values() if self.is_last else ():
            columns = one.between(through, self.reach.drawn_ms, PROVISIONAL)
            if len(columns.end_ms):
                strips.paint(columns, after_ms=after, levels=LEVELS[:1])
                after = int(columns.end_ms[-1])
                heatmap.provisional_through = moment(after)
        return newest

    def note(self, heatmap: Heatmap, summed: Mapping[int, Summed]) -> None:
        """Write down what the strips were summed from; what follows them is out of date."""
        rows = [
            SummedStrip(
                heatmap=heatmap, col=col, inputs=self.inputs[col], record=pack(one.record), shares=pack(one.shares)
            )
            for col, one in summed.items()
        ]
        fields = ["inputs", "record", "shares"]
        SummedStrip.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["heatmap", "col"], update_fields=fields
        )
        SummedStrip.objects.filter(heatmap=heatmap, col__gte=self.cols.stop).update(inputs="")

    def begins(self, summed: Mapping[int, Summed]) -> dt.datetime | None:
        """Where the map begins, if this part holds its beginning."""
        if self.cols.start != self.first:
            return None
        ends = [int(one.columns.end_ms[0]) for one in summed.values() if len(one.columns.end_ms)]
        return moment(min(ends) - STEP_MS) if ends else None

    def floor(self, summed: Mapping[int, Summed]) -> float | None:
        """The density of code 1 for a pair of the size that it begins with; None without a committed column."""
        for one in summed.values():
            spine = one.between(0, self.reach.through_ms, COMMITTED).spine
            if len(spine):
                return code_floor(float(spine["open_interest"][0] * spine["close"][0]))
        return None

    def _bodies(self) -> dict[tuple[int, int], dict[int, bytes]]:
        found: defaultdict[tuple[int, int], dict[int, bytes]] = defaultdict(dict)
        tiles = Tile.objects.filter(
            heatmap__in=[one.heatmap for one in self.sources], level=0, col__gte=self.cols.start, col__lt=self.cols.stop
        )
        for heatmap_id, col, row, body in tiles.values_list("heatmap_id", "col", "row", "body"):
            found[heatmap_id, col][row] = bytes(body)
        return found

    def _before(self, heatmap: Heatmap | None) -> Record:
        cols = range(self.cols.start - REMEMBERED, self.cols.start)
        known = read_records(heatmap=heatmap, cols=cols) if heatmap else {}
        return np.concatenate([known.get(col, np.zeros(TILE, RECORD)) for col in cols])

    def _rank(self, col: int) -> npt.NDArray[np.int64]:
        """Members' numbers for each column, as they ranked on its day; those without a rank come last."""
        numbers = {one.member.instrument.pk: one.member.number for one in self.sources}
        ranks = np.empty((TILE, len(numbers)), np.int64)
        days = ((col * TILE + np.arange(TILE)) * STEP_MS) // DAY_MS
        for day in np.unique(days).tolist():
            ranking = [pk for pk in self.rankings.get(moment(day * DAY_MS).date(), ()) if pk in numbers]
            ranks[days == day] = [numbers[pk] for pk in dict.fromkeys([*ranking, *numbers])]
        return ranks


def _plan(pair: Instrument, heatmap: Heatmap | None, sources: Sequence[Source], begin: int) -> _Work | None:
    """The part to do next, from ``begin`` on; None where nothing has changed."""
    reach, prints = reach_of(sources), prints_of(sources)
    last = (reach.drawn_ms - 1) // STRIP_MS
    cols = range(min(prints, default=last + 1), last + 1)
    if not cols:
        return None
    days = [moment(ms).date() for ms in (cols.start * STRIP_MS, cols.stop * STRIP_MS)]
    ranked = rankings(pair_id=pair.pk, since=days[0], until=days[1])
    inputs = {col: inputs_of(col, sources, reach, prints.get(col, {}), ranked) for col in cols}
    known = dict(SummedStrip.objects.filter(heatmap=heatmap).values_list("col", "inputs")) if heatmap else {}
    changed = [col for col in cols if col >= begin and known.get(col) != inputs[col]]
    if not changed:
        return None
    part = range(changed[0], min(changed[0] + STRIPS_PER_PART, last + 1))
    return _Work(pair, sources, reach, cols.start, part, part.stop > last, inputs, ranked)


def _release() -> EstimatorRelease:
    """The sum's release: frozen with that of the estimator whose maps are summed, and with its intervals.

    Members' maps rest on the same assumptions, so their errors go together: the ends of their intervals are summed.
    """
    estimator = load_built(DEFAULT_ESTIMATOR)
    of = {"slug": estimator.slug, "version": estimator.version}
    parameters = {
        "of": of | {"parameters_sha256": parameters_digest(estimator.parameters)},
        "bin_bps": estimator.bin_bps,
        "bands": estimator.bands,
        "zones": estimator.parameters["zones"],
        "behind_ms": BEHIND_MS,
        "expected_ms": EXPECTED_MS,
    }
    return freeze_release(slug=sum_slug(estimator.slug), version=estimator.version, parameters=parameters)
