"""How much is in doubt of the columns of a map: flags, reasons of gaps, and what widens their intervals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from heatmaps.core.bands import Banded
from heatmaps.core.doubts import Doubt, Doubts
from heatmaps.core.strips import SPINE_ROW
from heatmaps.core.sums import in_share, unpack_record, unpack_shares
from heatmaps.core.tile import LEVELS, SPINE, TILE, decode_spine
from heatmaps.models import SummedStrip, Tile
from market.series import DAY_MS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from heatmaps.core.grid import Floats
    from heatmaps.core.tile import Spine
    from heatmaps.models import Heatmap, Zone
    from heatmaps.queries.slices import Slice
    from market.queries import Freshness

_HOUR_S: Final = 3600.0
_STEP_MS: Final = LEVELS[0].step_ms


@dataclass(frozen=True, slots=True)
class Conditions:
    """Five-minute columns [first, first + n) that follow each other: what each rests on, and the doubt about it."""

    first: int
    spine: Spine
    doubts: Doubts


def conditions(*, heatmap: Heatmap, first: int, stop: int) -> Conditions:
    """Return what is known of the columns [first, stop); of unbuilt ones the status is 0."""
    cols = strips_behind(first=first, stop=stop)
    return conditions_in(heatmap=heatmap, cols=cols, spine=read_spines(heatmap=heatmap, cols=cols), span=(first, stop))


def strips_behind(*, first: int, stop: int) -> range:
    """Return the strips on whose spines the doubt about the columns [first, stop) rests: those of a day before, too."""
    return range((first - DAY_MS // _STEP_MS) // TILE, (stop - 1) // TILE + 1)


def conditions_in(*, heatmap: Heatmap, cols: range, spine: Spine, span: tuple[int, int]) -> Conditions:
    """Return the same of a span whose strips were read: SPINE of all columns of ``cols``."""
    present = _present(heatmap, cols) if heatmap.instrument.is_pair else None
    chosen = slice(span[0] - cols.start * TILE, span[1] - cols.start * TILE)
    return Conditions(span[0], spine[chosen], Doubts.of(spine, present=present).part(chosen))


def strip_doubts(*, heatmap: Heatmap, col: int) -> Doubts:
    """Return the doubt about each of the 256 columns of a strip."""
    return conditions(heatmap=heatmap, first=col * TILE, stop=(col + 1) * TILE).doubts


def age_doubt(
    *, heatmap: Heatmap | None, freshness: Freshness, now: dt.datetime, at: dt.datetime | None = None
) -> Doubt:
    """Return the doubt that comes of the map's age alone; of history it is how far the map is behind the bars.

    None of a past moment ``at``, which is told as it was stored, nor where there is no map.
    """
    if heatmap is None or at is not None:
        return Doubt()
    newest = heatmap.drawn_through()
    until = freshness.as_of if freshness.stale_after is None else now
    if newest is None or until is None:
        return Doubt()
    return Doubt(age_hours=max((until - newest).total_seconds(), 0.0) / _HOUR_S)


def aged(*, zones: Sequence[Zone], age: Doubt) -> list[Zone]:
    """Return zones whose intervals are as wide as some time without a newer column makes them; nothing is stored."""
    for zone in zones if age.is_any else ():
        if zone.is_alive:
            wider = age.widen_one(Banded(zone.usd, zone.usd_low, zone.usd_high))
            zone.usd_low, zone.usd_high = wider.low, wider.high
    return list(zones)


def aged_slice(*, newest: Slice | None, age: Doubt) -> Slice | None:
    """Return the newest column with intervals as wide as ``aged`` makes those of zones."""
    if newest is None or not age.is_any:
        return newest
    return replace(newest, factors=age.widen(newest.factors))


def read_spines(*, heatmap: Heatmap, cols: range) -> Spine:
    """Return SPINE of all five-minute columns of some strips, zeros where nothing is stored."""
    stored = Tile.objects.filter(heatmap=heatmap, level=0, row=SPINE_ROW, col__gte=cols.start, col__lt=cols.stop)
    return join_spines({col: bytes(body) for col, body in stored.values_list("col", "body")}, cols)


def join_spines(bodies: Mapping[int, bytes], cols: range) -> Spine:
    """Return SPINE of all columns of some strips from what is stored of them, by strip."""
    found = np.zeros((len(cols), TILE), SPINE)
    for col, body in bodies.items():
        found[col - cols.start] = decode_spine(body)
    return found.reshape(-1)


def _present(heatmap: Heatmap, cols: range) -> Floats:
    """Of a pair: the share of known open interest that is in each column."""
    rows = SummedStrip.objects.filter(heatmap=heatmap, col__gte=cols.start, col__lt=cols.stop).order_by("col")
    found = {
        col: (unpack_record(bytes(record)), unpack_shares(bytes(shares)))
        for col, record, shares in rows.values_list("col", "record", "shares")
    }
    whole = np.ones((len(cols), TILE))
    if found:
        whole[[col - cols.start for col in found]] = in_share(list(found.values())).reshape(-1, TILE)
    return whole.reshape(-1)
