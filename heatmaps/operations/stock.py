"""What builds read and write under their locks, for many maps in one statement each.

A build asks for what it needs by name. What was fetched beforehand is at hand, all else is read when it is asked for:
a build alone and one among many see the same rows. What is written waits for ``flush``, in the same transaction.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from heatmaps.core.tile import LEVELS, TILE
from heatmaps.models import Head, Heatmap
from market.queries import changes, changes_of_all, load_window, load_windows
from market.series import STEP_MS, epoch_ms

from . import storing

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from heatmaps.core.estimators.base import Kept
    from market.queries import Changes
    from market.series import Window

    from .storing import Bodies, Change

# A window up to this length is read with those of others; a longer one is a part by itself.
_SHORT: Final = dt.timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A map that is to be built: whose, of which release, up to when, and which series it reads."""

    instrument_id: int
    release_id: int
    until: dt.datetime
    reads: frozenset[str]


@dataclass(slots=True)
class Stock:
    """Rows by the names under which builds ask for them; see the methods."""

    _maps: dict[tuple[int, int], Heatmap | None] = field(default_factory=dict)
    _heads: dict[int, bytes | None] = field(default_factory=dict)
    _changes: dict[int, Changes] = field(default_factory=dict)
    _windows: dict[tuple[int, dt.datetime, dt.datetime, frozenset[str]], Window] = field(default_factory=dict)
    _strips: dict[int, dict[tuple[int, int], dict[int, bytes]]] = field(default_factory=dict)
    _tiles: list[tuple[int, Sequence[Change]]] = field(default_factory=list)
    _kept: list[tuple[Heatmap, Kept]] = field(default_factory=list)
    _thinned: list[Heatmap] = field(default_factory=list)
    _states: list[tuple[Heatmap, bytes]] = field(default_factory=list)
    _pointers: list[Heatmap] = field(default_factory=list)

    def fetch(self, wanted: Sequence[Wanted]) -> None:
        """Read what the next part of each of these maps will most likely ask for; their locks are held."""
        maps = Heatmap.objects.select_for_update().filter(
            instrument__in={one.instrument_id for one in wanted}, release__in={one.release_id for one in wanted}
        )
        found = {(one.instrument_id, one.release_id): one for one in maps.order_by("pk")}
        self._maps |= {key: found.get(key) for key in ((one.instrument_id, one.release_id) for one in wanted)}
        pairs = [(one, found[one.instrument_id, one.release_id]) for one in wanted if self._is_at_hand(one, found)]
        heatmaps = [heatmap for _, heatmap in pairs]
        self._changes |= dict(
            zip(
                [heatmap.pk for heatmap in heatmaps],
                changes_of_all(known=[(one.instrument_id, one.change_id) for one in heatmaps]),
                strict=True,
            )
        )
        rows = Head.objects.filter(heatmap__in=heatmaps).values_list("heatmap_id", "step_at", "body")
        heads = {pk: (at, bytes(body)) for pk, at, body in rows}
        for heatmap in heatmaps:
            at, body = heads.get(heatmap.pk, (None, None))
            self._heads[heatmap.pk] = body if at == heatmap.built_through else None
        self._fetch_windows(pairs)
        self._fetch_strips(pairs)

    @staticmethod
    def _is_at_hand(one: Wanted, found: dict[tuple[int, int], Heatmap]) -> bool:
        heatmap = found.get((one.instrument_id, one.release_id))
        through = heatmap.built_through if heatmap else None
        return through is not None and through <= one.until <= through + _SHORT

    def _fetch_windows(self, pairs: Sequence[tuple[Wanted, Heatmap]]) -> None:
        spans: defaultdict[frozenset[str], set[tuple[int, dt.datetime, dt.datetime]]] = defaultdict(set)
        for one, heatmap in pairs:
            assert heatmap.built_through is not None  # _is_at_hand() looked
            spans[one.reads].add((one.instrument_id, heatmap.built_through, one.until))
        for reads, asked in spans.items():
            windows = load_windows(spans=sorted(asked), beside=reads)
            self._windows |= {(*span, reads): window for span, window in windows.items()}

    def _fetch_strips(self, pairs: Sequence[tuple[Wanted, Heatmap]]) -> None:
        at = {}
        for one, heatmap in pairs:
            assert heatmap.built_through is not None
            at[heatmap.pk] = _strips_between(epoch_ms(heatmap.built_through), epoch_ms(one.until))
        found = storing.load_strips(at)
        self._strips |= {pk: {key: found.get((pk, *key), {}) for key in keys} for pk, keys in at.items()}

    def heatmap(self, instrument_id: int, release_id: int) -> Heatmap | None:
        """An instrument's map of a release, locked; None where there is none yet."""
        key = (instrument_id, release_id)
        if key not in self._maps:
            rows = Heatmap.objects.select_for_update().filter(instrument=instrument_id, release=release_id)
            self._maps[key] = rows.first()
        return self._maps[key]

    def changes(self, instrument_id: int, heatmap: Heatmap | None) -> Changes:
        """What changed behind the edge that is not in the map."""
        if heatmap is not None and heatmap.pk in self._changes:
            return self._changes[heatmap.pk]
        return changes(instrument_id=instrument_id, after_id=heatmap.change_id if heatmap else 0)

    def head(self, heatmap: Heatmap) -> bytes | None:
        """The state at the map's newest step, if it was kept."""
        if heatmap.pk not in self._heads:
            self._heads[heatmap.pk] = storing.load_head(heatmap=heatmap)
        return self._heads[heatmap.pk]

    def window(self, instrument_id: int, since: dt.datetime, until: dt.datetime, beside: frozenset[str]) -> Window:
        """Bars and samples of a span, not to be written into: other maps of the instrument read the same."""
        key = (instrument_id, since, until, beside)
        if key not in self._windows:
            return load_window(instrument_id=instrument_id, since=since, until=until, beside=beside)
        return self._windows[key]

    def strips(self, heatmap_id: int, at: Collection[tuple[int, int]]) -> Bodies:
        """The stored bodies of columns of tiles (level, col), by tile row."""
        known = self._strips.get(heatmap_id, {})
        missing = [key for key in at if key not in known]
        read = storing.load_strips({heatmap_id: missing}) if missing else {}
        return {key: known[key] if key in known else read.get((heatmap_id, *key), {}) for key in at}

    def store(self, heatmap: Heatmap, changed: Sequence[Change], state: bytes | None) -> None:
        """Take in what a part of a build changed: tiles, the pointer, and the state at its newest step if it moved."""
        self._tiles.append((heatmap.pk, changed))
        self._pointers.append(heatmap)
        if state is not None:
            self._states.append((heatmap, state))

    def keep(self, heatmap: Heatmap, kept: Sequence[Kept], *, is_last: bool) -> None:
        """Take in the canonical states that a part passed; after the last part old ones are thinned."""
        self._kept += [(heatmap, one) for one in kept]
        if kept and is_last:
            self._thinned.append(heatmap)

    def flush(self) -> None:
        """Write all that was taken in."""
        storing.store_tiles(self._tiles)
        storing.store_snapshots(self._kept)
        storing.store_heads(self._states)
        storing.store_pointers(self._pointers)
        storing.thin_snapshots(self._thinned)
        for written in (self._tiles, self._kept, self._thinned, self._states, self._pointers):
            written.clear()


def _strips_between(after_ms: int, until_ms: int) -> list[tuple[int, int]]:
    """The columns of tiles (level, col) that columns after one moment and up to another are painted into.

    The open step is shown at the finest level alone, and may end beyond ``until_ms``.
    """
    levels = LEVELS if until_ms // STEP_MS > after_ms // STEP_MS else LEVELS[:1]
    ends = {level.number: (until_ms + STEP_MS * (level.number == 0) - 1) // level.step_ms for level in levels}
    return [
        (level.number, col)
        for level in levels
        for col in range((after_ms // level.step_ms) // TILE, ends[level.number] // TILE + 1)
    ]
