"""The estimator's record beside its map: its release, how far the map is built, and what it could not place."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from heatmaps.pages import bands, figures

if TYPE_CHECKING:
    from heatmaps.models import Heatmap
    from market.queries import Freshness

_LAG: Final = dt.timedelta(minutes=15)


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


def load(*, heatmap: Heatmap, freshness: Freshness, at: dt.datetime | None) -> Record:
    """Tell it of now, or as of a moment."""
    share = heatmap.allocated_share if at is None else None
    through = heatmap.built_through if at is None else min(at, heatmap.built_through or at)
    return Record(
        name=f"{heatmap.release.slug} {heatmap.release.version}",
        frozen_text=figures.day(heatmap.release.created_at),
        allocated_text=figures.DASH if share is None else f"{100 * share:.1f}%",
        built_text=figures.moment(through),
        is_provisional=heatmap.provisional_through is not None and at is None,
        lag_text=_lag(heatmap, freshness) if at is None else "",
        is_bounded=bands.reaches_estimate(heatmap=heatmap),
    )


def _lag(heatmap: Heatmap, freshness: Freshness) -> str:
    """Say so where the map has fallen behind the bars; a step's worth is its nature."""
    drawn = heatmap.drawn_through()
    if drawn is None or freshness.as_of is None or freshness.as_of - drawn < _LAG:
        return ""
    return f"{figures.age(freshness.as_of - drawn)} behind the bars"
