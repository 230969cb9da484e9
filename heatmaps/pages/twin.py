"""The heat as a table, for those who do not look at pictures: bands of price by some moments, coarse on purpose."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from heatmaps import queries
from heatmaps.pages import figures, naming, replay

if TYPE_CHECKING:
    from heatmaps.queries import Slice

# Edges of the bands, from the highest price down [% of the newest close].
_EDGES: Final = (20.0, 10.0, 7.5, 5.0, 3.0, 2.0, 1.0, 0.0, -1.0, -2.0, -3.0, -5.0, -7.5, -10.0, -20.0)
_BACK: Final = {"newest": 0, "4 h before": 4, "12 h before": 12, "24 h before": 24, "3 d before": 72, "7 d before": 168}
_NOTHING: Final = "none above the floor"


@dataclass(frozen=True, slots=True)
class Band:
    """One row: a band of prices and what was estimated in it at each moment, by side."""

    prices: str
    distance: str
    cells: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Twin:
    """The table; ``bands`` is empty and ``reason`` says why where there is no map."""

    key: str
    title: str
    columns: tuple[tuple[str, str], ...]
    bands: tuple[Band, ...]
    reason: str


def load(*, key: str, now: dt.datetime, at: dt.datetime | None = None) -> Twin:
    """Return the map of an instrument as a table, as known ``at`` a moment if one is given."""
    instrument, freshness, heatmap = queries.find(key=key, now=now)
    at = replay.known_at(at=at, newest=freshness.as_of)
    first = queries.latest_slice(heatmap=heatmap, at=at) if heatmap is not None else None
    title = naming.title(instrument)
    if heatmap is None or first is None:
        return Twin(instrument.key, title, (), (), "No map has been built for this instrument by then.")
    moments = {word: first.at - dt.timedelta(hours=hours) for word, hours in _BACK.items()}
    age = queries.age_doubt(heatmap=heatmap, freshness=freshness, now=now, at=at)
    earlier = [queries.latest_slice(heatmap=heatmap, at=moment) for moment in [*moments.values()][1:]]
    slices = [queries.aged_slice(newest=first, age=age), *earlier]
    digits = max(0, figures.decimals(instrument.tick_size) - 1)
    return Twin(
        key=instrument.key,
        title=title,
        columns=tuple((word, figures.moment(moment)) for word, moment in moments.items()),
        bands=tuple(_band(first.close, (low, high), slices, digits) for high, low in pairwise(_EDGES)),
        reason="",
    )


def _band(close: float, edges: tuple[float, float], slices: list[Slice | None], digits: int) -> Band:
    low, high = (close * (1.0 + edge / 100.0) for edge in edges)
    return Band(
        prices=figures.price_range(low, high, digits),
        distance=f"{figures.signed(edges[0], digits=1)} to {figures.signed(edges[1], digits=1)}",
        cells=tuple(_cell(one, low, high) for one in slices),
    )


def _cell(found: Slice | None, low: float, high: float) -> tuple[str, ...]:
    """Say what lies in a band at a moment, by side, each with its 80 % interval."""
    if found is None:
        return ("no data",)
    inside = (found.prices >= low) & (found.prices < high)
    away = np.abs(found.prices / found.close - 1.0) * 100.0
    told = []
    for word, side, mine in (("longs", 1, found.is_long), ("shorts", -1, ~found.is_long)):
        which = inside & mine
        amount = found.factors.band_sum(found.usd[which], side, away[which])
        if amount.usd > 0:
            told.append(f"{word} {figures.usd(amount.usd)} ({figures.usd_range(amount.low, amount.high)})")
    return tuple(told) or (_NOTHING,)
