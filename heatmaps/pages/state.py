"""How fresh a page's data is, told by the server's clock; the page goes on counting with its own stopwatch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from heatmaps import queries
from heatmaps.pages import figures

if TYPE_CHECKING:
    import datetime as dt

    from heatmaps.core.doubts import Doubt
    from heatmaps.models import Heatmap
    from market.models import Instrument
    from market.queries import Freshness


@dataclass(frozen=True, slots=True)
class Status:
    """``kind`` is live, stale, history or empty; the times are for the page's stopwatch."""

    kind: str
    text: str
    title: str
    detail: str
    now_ms: int
    as_of_ms: int | None
    stale_after_ms: int | None


def describe(*, freshness: Freshness, now: dt.datetime) -> Status:
    """Put freshness into words."""
    kind, text, title, detail = _words(freshness, now)
    return Status(
        kind=kind,
        text=text,
        title=title,
        detail=detail,
        now_ms=figures.epoch_ms(now) or 0,
        as_of_ms=figures.epoch_ms(freshness.as_of),
        stale_after_ms=figures.epoch_ms(freshness.stale_after),
    )


def _words(freshness: Freshness, now: dt.datetime) -> tuple[str, str, str, str]:
    if freshness.as_of is None:
        return "empty", "No data yet", "No data yet", "The first bars of this instrument have not arrived."
    ended = figures.moment(freshness.as_of)
    if freshness.ended_at is not None:
        day = figures.day(freshness.ended_at)
        return "history", f"Ended {day}", f"Ended {day}", "The contract no longer trades. What was stored of it stays."
    if not freshness.is_live:
        day = figures.day(freshness.as_of)
        return (
            "history",
            f"History: ends {day}",
            f"History: ends {day}",
            "Imported data; it changes only with another import.",
        )
    age = figures.age(now - freshness.as_of)
    detail = f"The newest bar ended at {ended} UTC. Prices and levels may have moved since."
    if freshness.is_stale:
        return "stale", f"Data is {age} old", f"Data is {age} old", detail
    return "live", f"Updated {age} ago", "", detail


def version(*, freshness: Freshness, heatmap: Heatmap | None) -> int:
    """Return a number that grows with each change of what the page shows: new bars, the map drawn, zones found."""
    as_of_ms = figures.epoch_ms(freshness.as_of) or 0
    if heatmap is None or heatmap.built_through is None:
        return as_of_ms
    drawn_ms = figures.epoch_ms(heatmap.updated_at) or 0
    has_zones = heatmap.zones_through is not None and heatmap.zones_through >= heatmap.built_through
    # All three bear the same minute, so each that has reached it adds a millisecond or two.
    return max(as_of_ms, drawn_ms) + 2 * (drawn_ms >= as_of_ms) + has_zones


def mark(instrument: Instrument, heatmap: Heatmap | None, freshness: Freshness, age: Doubt) -> str:
    """Return what differs as soon as anything of an instrument's page may: its data, its map, or how old that is."""
    drawn = f"{heatmap.pk}.{heatmap.revision}.{heatmap.release.digest[:12]}" if heatmap is not None else ""
    minutes = round(60.0 * age.age_hours)
    return f"{instrument.pk}:{version(freshness=freshness, heatmap=heatmap)}:{drawn}:{minutes}"


def tick(*, key: str, now: dt.datetime) -> dict[str, Any]:
    """Return what a page needs to know whether to look again (the same as the event stream's ``tick``)."""
    instrument, freshness, heatmap = queries.find(key=key, now=now)
    return {
        "instrument": instrument.key,
        "v": version(freshness=freshness, heatmap=heatmap),
        "now_ms": figures.epoch_ms(now),
        "as_of_ms": figures.epoch_ms(freshness.as_of),
        "stale_after_ms": figures.epoch_ms(freshness.stale_after),
    }
