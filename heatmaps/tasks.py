"""What the pipeline asks of this room, one operation each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from heatmaps import benchmark, operations
from heatmaps.operations import scoring
from heatmaps.pages import public, state

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence


def advance(*, instrument_ids: Sequence[int], now: dt.datetime) -> None:
    """Bring the heatmaps of some instruments up to their newest bars."""
    operations.advance_all(instrument_ids=instrument_ids, now=now)


def track_zones(*, instrument_ids: Sequence[int], now: dt.datetime) -> None:
    """Follow the zones of some instruments up to their newest columns."""
    operations.track_all(instrument_ids=instrument_ids, now=now)


def learn_reach(*, instrument_id: int, now: dt.datetime) -> None:
    """Learn how far an instrument's price goes, from the bars up to this day."""
    operations.learn_reach(instrument_id=instrument_id, now=now)


def state_chances(*, instrument_id: int, now: dt.datetime) -> None:
    """State this hour's chances of a touch and judge those whose horizon is over."""
    operations.state_chances(instrument_id=instrument_id, now=now)


def stand(*, instrument_id: int, now: dt.datetime) -> None:
    """Write down where an instrument stands, for the tables that list many."""
    operations.stand(instrument_id=instrument_id, now=now)


def score_day(*, instrument_id: int, now: dt.datetime) -> None:
    """Score what was stated of an instrument and came due by this day."""
    scoring.score_day(instrument_id=instrument_id, now=now)


def score_month(*, instrument_id: int, now: dt.datetime) -> None:
    """Score the month before over stored history."""
    scoring.score_month(instrument_id=instrument_id, now=now)


def tick(*, key: str, now: dt.datetime) -> dict[str, Any]:
    """Say what an open page needs to know whether to look again."""
    return state.tick(key=key, now=now)


def shown_in_public(*, now: dt.datetime) -> public.Shown | None:
    """Say which delayed picture the landing page shows."""
    return public.first(now=now)


def bench_layers(*, options: Mapping[str, Any]) -> dict[str, Any]:
    """Measure how fast this machine computes the layers of one instrument."""
    return benchmark.run_layers(key=options.get("instrument"))


def bench_zones(*, options: Mapping[str, Any]) -> dict[str, Any]:
    """Measure how fast this machine follows the zones of one instrument."""
    return benchmark.run_zones(steps=options.get("steps") or benchmark.ZONE_STEPS)


def bench_heatmap(*, options: Mapping[str, Any]) -> dict[str, Any]:
    """Measure how fast this machine computes a map: made-up data and, with ``instrument``, stored data to stored tiles.

    ``steps`` bounds both.
    """
    steps, key = options.get("steps"), options.get("instrument")
    # First, so that the peak of memory is its own.
    stored = benchmark.run_stored(key=key, steps=steps, now=options["now"]) if key else {}
    return stored | benchmark.run(steps=steps or benchmark.STEPS)
