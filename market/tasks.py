"""Doors for jobs: each takes ids and a moment, and calls one operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from market import benchmark, operations

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping


def ingest(*, instrument_id: int, now: dt.datetime) -> None:
    """Bring one live instrument up to date."""
    operations.ingest(instrument_id=instrument_id, now=now)


def ensure_pairs() -> None:
    """Make the asset pairs of what is live."""
    operations.ensure_pairs()


def ensure_demo() -> None:
    """Make the instruments of the simulated market."""
    operations.ensure_instruments(slug="simulated")


def ensure_default_set() -> None:
    """Make the real instruments that are followed from the first start on."""
    operations.ensure_default_set()


def bench_import(*, options: Mapping[str, Any]) -> dict[str, Any]:
    """Measure how fast bars are imported."""
    return benchmark.run(options=options)
