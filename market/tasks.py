"""Doors for jobs: each takes ids and a moment, and calls one operation."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from market import benchmark, operations
from market.operations import feed

if TYPE_CHECKING:
    import asyncio
    import datetime as dt
    from collections.abc import Callable, Mapping

# A job is ended after a minute; what is left of a long history is read by the next ones [s].
INGEST_S: Final = 40.0


def ingest(*, instrument_id: int, now: dt.datetime) -> None:
    """Bring one live instrument up to date."""
    deadline = time.monotonic() + INGEST_S
    operations.ingest(
        instrument_id=instrument_id, now=now, may_go_on=lambda: time.monotonic() < deadline, may_wait=False
    )


def ensure_pairs() -> None:
    """Make the asset pairs of what is live."""
    operations.ensure_pairs()


async def run_feed(*, now: Callable[[], dt.datetime], speed: float, stop: asyncio.Event) -> None:
    """Listen to the venues of live instruments until ``stop``."""
    await feed.run_feed(timing=feed.Timing(now=now, speed=speed), stop=stop)


def keep_house(*, now: dt.datetime) -> None:
    """Make the months that are to come, drop what is no longer kept."""
    operations.keep_house(now=now)


def ensure_demo() -> None:
    """Make the instruments of the simulated market."""
    operations.ensure_instruments(slug="simulated")


def ensure_default_set() -> None:
    """Make the real instruments that are followed from the first start on."""
    operations.ensure_default_set()


def bench_import(*, options: Mapping[str, Any]) -> dict[str, Any]:
    """Measure how fast bars are imported."""
    return benchmark.run(options=options)
