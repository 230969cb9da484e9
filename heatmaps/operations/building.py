"""Build a heatmap forward from its newest snapshot: bars in, tiles out, one pointer moved at the end of each part."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from django.db import transaction

from heatmaps.core.estimators import load_built
from heatmaps.core.estimators.base import freeze
from heatmaps.core.grid import bin_width
from heatmaps.core.strips import Scale, Strips
from heatmaps.core.tile import COMMITTED, LEVELS, PROVISIONAL, code_floor
from heatmaps.models import Heatmap, Snapshot
from market.contracts import in_contracts
from market.queries import (
    find_instrument,
    load_open_interest,
    load_terms,
    stored_span,
)
from market.series import STEP_MS, epoch_ms, moment

from . import storing
from .publishing import freeze_release, freeze_scale, note_changes, point
from .stock import Stock, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from heatmaps.core.estimators.base import BuiltEstimator, Estimate, State
    from heatmaps.models import EstimatorRelease
    from market.models import Instrument
    from market.series import Window

STEP: Final = dt.timedelta(milliseconds=STEP_MS)
# Steps per transaction: it may be killed at any moment.
PART_STEPS: Final = 2048
# Unfinished steps to show while open interest is late.
PROVISIONAL_STEPS: Final = 12
# Snapshots whose input is checked again before going on: a venue's corrections of the last day are taken in.
CHECKED_SNAPSHOTS: Final = 5


@dataclass(frozen=True, slots=True)
class Built:
    """What a build did; ``is_complete`` is False where a job stopped at its share of a long history."""

    estimator: str
    steps: int = 0
    tiles: int = 0
    tile_bytes: int = 0
    through: dt.datetime | None = None
    is_complete: bool = True


def build(  # noqa: PLR0913 -- the command's options
    *,
    instrument_id: int,
    estimator: str,
    now: dt.datetime,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    parts: int | None = None,
    on_part: Callable[[dt.datetime, dt.datetime, dt.datetime], None] | None = None,
) -> Built:
    """Build one heatmap to ``until`` (at most the newest bar), each part in its own transaction.

    ``since`` builds again from the last snapshot before it, from the beginning of history where there is none.
    ``parts`` bounds the work. ``on_part`` hears of the start, the step reached and the end. Repeating it changes
    nothing.
    """
    span = stored_span(instrument_id=instrument_id)
    if span is None:
        return Built(estimator)
    end = min(moment for moment in (now, until, span[1]) if moment)
    instrument = find_instrument(instrument_id=instrument_id)
    terms = load_terms(instrument=instrument)
    builder = Builder(instrument, load_built(estimator, terms=terms), span[0], end, now, since)
    while not builder.is_complete and (parts is None or builder.parts < parts):
        build_parts([builder])
        if on_part and builder.through:
            on_part(builder.start, builder.through, end)
    return builder.result()


def build_parts(builders: Sequence[Builder]) -> None:
    """One part of each, in one transaction, with one statement for what they read and write alike."""
    if not builders:
        return
    with transaction.atomic():
        stock = Stock()
        storing.lock_all([(f"build.{one.estimator.slug}", one.instrument.pk) for one in builders])
        releases = {slug: _release(one) for slug, one in {one.estimator.slug: one for one in builders}.items()}
        for one in builders:
            one.release = releases[one.estimator.slug]
        if len(builders) > 1:
            stock.fetch([one.wanted() for one in builders])
        for one in builders:
            one.build_part(stock)
        stock.flush()
        for one in builders:
            one.tidy()


def _release(builder: Builder) -> EstimatorRelease:
    estimator = builder.estimator
    return freeze_release(slug=estimator.slug, version=estimator.version, parameters=estimator.parameters)


@dataclass(slots=True)
class Builder:
    """A map on its way to ``end``: part by part, each on what came of the one before."""

    instrument: Instrument
    estimator: BuiltEstimator
    start: dt.datetime
    end: dt.datetime
    now: dt.datetime
    again_since: dt.datetime | None = None
    release: EstimatorRelease = field(init=False)
    stock: Stock = field(init=False)
    heatmap: Heatmap | None = None
    state: State | None = None
    # What was read last: the steps that it did not complete are shown from it, too.
    window: Window | None = None
    is_complete: bool = False
    through: dt.datetime | None = None
    parts: int = 0
    steps: int = 0
    tiles: int = 0
    tile_bytes: int = 0

    def result(self) -> Built:
        """What was done so far."""
        return Built(self.estimator.slug, self.steps, self.tiles, self.tile_bytes, self.through, self.is_complete)

    def wanted(self) -> Wanted:
        """What its next part will read."""
        return Wanted(self.instrument.pk, self.release.pk, self.end, self.estimator.reads)

    def build_part(self, stock: Stock) -> None:
        """One part, under its caller's lock and in its transaction; what it leaves in the stock is to be written."""
        self.stock = stock
        self.heatmap = heatmap = stock.heatmap(self.instrument.pk, self.release.pk)
        change_id = self._hear_of_changes(heatmap)
        before = self._take_up(heatmap)
        after_ms = before.through_ms if before else None
        estimate = self._estimate(before)
        self.parts, self.state = self.parts + 1, estimate.state
        if estimate.state is None:
            self.is_complete = True
            return
        if heatmap is None:
            self.heatmap = heatmap = Heatmap(
                instrument=self.instrument, release=self.release, bin_bps=self.estimator.bin_bps
            )
            heatmap.code_floor_usd = code_floor(self._first_usd(estimate))
            heatmap.save()
        heatmap.change_id = change_id
        self._write(heatmap, estimate, estimate.state, after_ms)

    def _hear_of_changes(self, heatmap: Heatmap | None) -> int:
        """Go back to where rows came or changed inside of the map; return the last change that is in it then.

        What came before the map's beginning is taken in on request only: it would move all of its history.
        """
        found = self.stock.changes(self.instrument.pk, heatmap)
        first = heatmap.built_from if heatmap else None
        if found.since is not None and first is not None and found.since >= first:
            self.again_since = min(found.since, self.again_since or found.since)
            self.state = None
        return found.last_id

    def _take_up(self, heatmap: Heatmap | None) -> State | None:
        """The state to go on from: what this run holds if nobody moved the map meanwhile, else a snapshot."""
        if heatmap is None or heatmap.built_through is None:
            return None
        if self.state is not None and self.state.through_ms == epoch_ms(heatmap.built_through):
            return self.state
        head = None if self.again_since else self.stock.head(heatmap)
        if head is not None:
            return self.estimator.resume_exactly(head)
        snapshots = Snapshot.objects.filter(heatmap=heatmap).order_by("-step_at")
        if self.again_since is not None:
            # A sample of open interest belongs to the step that it ends, so one from that very moment is in doubt, too.
            snapshots.filter(step_at__gte=self.again_since).delete()
            self.again_since = None
        return self._believe(list(snapshots[:CHECKED_SNAPSHOTS]))

    def _believe(self, newest: list[Snapshot]) -> State | None:
        """The newest snapshot whose input still reads the same; those after a correction are dropped."""
        if not newest:
            return None
        oldest = self.estimator.resume(bytes(newest[-1].body))
        window = self._window(moment(oldest.through_ms), newest[0].step_at + STEP)
        digests = self.estimator.digests(window, oldest)
        for snapshot in newest[:-1]:
            found = digests.get(epoch_ms(snapshot.step_at))
            if found is not None and found.hex() == snapshot.input_digest:
                return self.estimator.resume(bytes(snapshot.body))
            snapshot.delete()
        return oldest

    def _estimate(self, state: State | None) -> Estimate:
        """Estimate one part; where open interest is missing for longer, the part grows until a step ends."""
        since = moment(state.through_ms) if state else self._first_sample()
        steps = PART_STEPS
        while True:
            until = min(since + STEP * steps, self.end)
            self.window = self._window(since, until)
            estimate = self.estimator.estimate(self.window, state)
            self.is_complete = until >= self.end
            if self.is_complete or len(estimate.steps):
                return estimate
            steps *= 2

    def _window(self, since: dt.datetime, until: dt.datetime) -> Window:
        window = self.stock.window(self.instrument.pk, since, until, self.estimator.reads)
        contract_usd = self._contract_usd()
        return window if contract_usd is None else in_contracts(window, contract_usd)

    def _first_sample(self) -> dt.datetime:
        """The slot of the first sample of open interest: before it nothing can be said."""
        rows = load_open_interest(instrument_id=self.instrument.pk, since=self.start, until=self.end)
        first = int(rows["time"][0]) if len(rows) else epoch_ms(self.end)
        return max(self.start, moment((first - 1) // STEP_MS * STEP_MS - STEP_MS))

    def _first_usd(self, estimate: Estimate) -> float:
        steps = estimate.steps
        return float(steps.open_interest[0]) * (self._contract_usd() or float(steps.close[0]))

    def _contract_usd(self) -> float | None:
        # An inverse contract is worth a fixed amount of quote currency wherever it is liquidated.
        return self.instrument.contract_size if self.instrument.contract_type == "inverse" else None

    def _write(self, heatmap: Heatmap, estimate: Estimate, state: State, after_ms: int | None) -> None:
        scale = Scale(bin_width(heatmap.bin_bps), heatmap.code_floor_usd, self._contract_usd())
        strips = Strips(scale, load=partial(self.stock.strips, heatmap.pk))
        strips.paint(estimate.painted(COMMITTED), after_ms=after_ms)
        heatmap.provisional_through = None
        if self.is_complete:
            self._show_open_steps(heatmap, state, strips)
        changed = list(strips.changes())
        tiles, size = note_changes(heatmap, changed, self.now)
        self._point(heatmap, estimate, state, strips.bins)
        self.stock.store(heatmap, changed, freeze(state) if len(estimate.steps) else None)
        self.stock.keep(heatmap, estimate.kept, is_last=self.is_complete)
        self.through = heatmap.built_through
        self.steps += len(estimate.steps)
        self.tiles += tiles
        self.tile_bytes += size

    def tidy(self) -> None:
        """What waits until all of a part is written."""
        if self.is_complete and self.heatmap is not None:
            freeze_scale(self.heatmap)

    def _point(self, heatmap: Heatmap, estimate: Estimate, state: State, bins: tuple[int, int] | None) -> None:
        point(heatmap, since=moment(state.first_ms - STEP_MS), through=moment(state.through_ms), bins=bins)
        heatmap.input_digest = state.digest.hex()
        if len(estimate.steps):
            heatmap.allocated_share = float(estimate.total[-1] / estimate.steps.open_interest[-1])

    def _show_open_steps(self, heatmap: Heatmap, state: State, strips: Strips) -> None:
        assert self.window is not None
        shown = self.estimator.provisional(self.window, state, limit=PROVISIONAL_STEPS)
        strips.paint(shown.painted(PROVISIONAL), after_ms=state.through_ms, levels=LEVELS[:1])
        if len(shown.steps):
            heatmap.provisional_through = moment(int(shown.steps.end_ms[-1]))
