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
from market.queries import changes, find_instrument, load_open_interest, load_terms, load_window, stored_span
from market.series import STEP_MS, epoch_ms, moment

from . import storing
from .publishing import POINTER, freeze_release, freeze_scale, point, store_changes

if TYPE_CHECKING:
    from collections.abc import Callable

    from heatmaps.core.estimators.base import BuiltEstimator, Estimate, State
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
    builder = _Builder(instrument, estimator, span[0], end, now, since)
    while not builder.is_complete and (parts is None or builder.parts < parts):
        with transaction.atomic():
            builder.build_part()
        if on_part and builder.through:
            on_part(builder.start, builder.through, end)
    return builder.result()


@dataclass(slots=True)
class _Builder:
    instrument: Instrument
    slug: str
    start: dt.datetime
    end: dt.datetime
    now: dt.datetime
    again_since: dt.datetime | None
    estimator: BuiltEstimator = field(init=False)
    state: State | None = None
    # What was read last: the steps that it did not complete are shown from it, too.
    window: Window | None = None
    is_complete: bool = False
    through: dt.datetime | None = None
    parts: int = 0
    steps: int = 0
    tiles: int = 0
    tile_bytes: int = 0

    def __post_init__(self) -> None:
        self.estimator = load_built(self.slug, terms=load_terms(instrument=self.instrument))

    def result(self) -> Built:
        return Built(self.slug, self.steps, self.tiles, self.tile_bytes, self.through, self.is_complete)

    def build_part(self) -> None:
        """One part, inside a transaction that its caller opened."""
        storing.lock(purpose=f"build.{self.slug}", instrument_id=self.instrument.pk)
        release = freeze_release(
            slug=self.estimator.slug, version=self.estimator.version, parameters=self.estimator.parameters
        )
        heatmap = Heatmap.objects.select_for_update().filter(instrument=self.instrument, release=release).first()
        change_id = self._hear_of_changes(heatmap)
        before = self._take_up(heatmap)
        after_ms = before.through_ms if before else None
        estimate = self._estimate(before)
        self.parts, self.state = self.parts + 1, estimate.state
        if estimate.state is None:
            self.is_complete = True
            return
        if heatmap is None:
            heatmap = Heatmap(instrument=self.instrument, release=release, bin_bps=self.estimator.bin_bps)
            heatmap.code_floor_usd = code_floor(self._first_usd(estimate))
            heatmap.save()
        heatmap.change_id = change_id
        self._write(heatmap, estimate, estimate.state, after_ms)

    def _hear_of_changes(self, heatmap: Heatmap | None) -> int:
        """Go back to where rows came or changed inside of the map; return the last change that is in it then.

        What came before the map's beginning is taken in on request only: it would move all of its history.
        """
        after_id = heatmap.change_id if heatmap else 0
        found = changes(instrument_id=self.instrument.pk, after_id=after_id)
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
        head = None if self.again_since else storing.load_head(heatmap=heatmap)
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
        beside = self.estimator.reads
        window = load_window(instrument_id=self.instrument.pk, since=since, until=until, beside=beside)
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
        strips = Strips(scale, load=partial(storing.load_strips, heatmap.pk))
        strips.paint(estimate.painted(COMMITTED), after_ms=after_ms)
        heatmap.provisional_through = None
        if self.is_complete:
            self._show_open_steps(heatmap, state, strips)
        tiles, size = store_changes(heatmap, strips.changes(), self.now)
        storing.store_snapshots(heatmap=heatmap, kept=estimate.kept)
        self._point(heatmap, estimate, state, strips.bins)
        heatmap.save(update_fields=POINTER)
        if len(estimate.steps):
            storing.store_head(heatmap=heatmap, body=freeze(state))
        if self.is_complete:
            if estimate.kept:
                storing.thin_snapshots(heatmap=heatmap)
            freeze_scale(heatmap)
        self.through = heatmap.built_through
        self.steps += len(estimate.steps)
        self.tiles += tiles
        self.tile_bytes += size

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
