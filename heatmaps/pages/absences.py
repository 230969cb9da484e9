"""When which members were missing from an asset pair's map: for the read-out of the chart and the picture's notice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from heatmaps import queries
from heatmaps.core.sums import STEP_MS, numbers_of
from heatmaps.core.tile import TILE
from heatmaps.pages import figures, naming
from market import queries as market

if TYPE_CHECKING:
    import datetime as dt

    from heatmaps.models import Heatmap


def between(*, heatmap: Heatmap | None, since: dt.datetime, until: dt.datetime) -> dict[str, Any] | None:
    """Return the spans (from, until] of columns in which members were missing, and whom; None of one instrument."""
    if heatmap is None or not heatmap.instrument.is_pair:
        return None
    since_ms, until_ms = figures.epoch_ms(since) or 0, figures.epoch_ms(until) or 0
    return {"since_ms": since_ms, "until_ms": until_ms, "spans": _spans(heatmap, since_ms, until_ms)}


def _spans(heatmap: Heatmap, since_ms: int, until_ms: int) -> list[dict[str, Any]]:
    last_ms = min(until_ms, figures.epoch_ms(heatmap.drawn_through()) or 0)
    cols = range(since_ms // STEP_MS // TILE, (last_ms - 1) // STEP_MS // TILE + 1)
    records = queries.read_records(heatmap=heatmap, cols=cols)
    if not records:
        return []
    periods = np.concatenate([col * TILE + np.arange(TILE) for col in sorted(records)])
    record = np.concatenate([records[col] for col in sorted(records)])
    # Where nobody is in there is no column at all.
    missing = np.where(record["present"] != 0, record["expected"] & ~record["present"], np.uint64(0))
    inside = (periods * STEP_MS >= since_ms) & ((periods + 1) * STEP_MS <= last_ms)
    missing, periods = missing[inside], periods[inside]
    starts = np.flatnonzero((np.diff(missing, prepend=np.uint64(0)) != 0) | (np.diff(periods, prepend=-1) != 1))
    names = _names(heatmap) if missing.any() else {}
    return [
        {
            "from_ms": int(periods[start]) * STEP_MS,
            "until_ms": int(periods[stop - 1] + 1) * STEP_MS,
            "missing": ", ".join(names[number] for number in numbers_of(int(missing[start]))),
        }
        for start, stop in zip(starts, [*starts[1:], len(missing)], strict=True)
        if missing[start]
    ]


def _names(heatmap: Heatmap) -> dict[int, str]:
    members = market.list_members(pair_id=heatmap.instrument_id)
    return {one.number: f"{naming.venue_label(one.instrument)} {one.instrument.symbol}" for one in members}


def newest(*, heatmap: Heatmap | None, at: dt.datetime | None = None) -> str:
    """Name the members that are missing from the newest column, or from the last one by ``at``; empty if none is."""
    if heatmap is None or heatmap.built_through is None or not heatmap.instrument.is_pair:
        return ""
    end_ms = figures.epoch_ms(heatmap.drawn_through(at)) or 0
    spans = _spans(heatmap, end_ms - STEP_MS, end_ms)
    return str(spans[-1]["missing"]) if spans else ""
