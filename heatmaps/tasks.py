"""What the pipeline asks of this room, one operation each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from heatmaps import benchmark, operations

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping


def advance(*, instrument_id: int, now: dt.datetime) -> None:
    """Bring an instrument's heatmaps up to its newest bars."""
    operations.advance(instrument_id=instrument_id, now=now)


def track_zones(*, instrument_id: int, now: dt.datetime) -> None:
    """Follow an instrument's zones up to its newest columns."""
    operations.track_zones(instrument_id=instrument_id, now=now)


def bench_heatmap(*, options: Mapping[str, Any]) -> dict[str, Any]:
    """Measure how fast this machine computes a map; ``steps`` may be given."""
    return benchmark.run(steps=options.get("steps") or benchmark.STEPS)
