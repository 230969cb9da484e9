"""Work of the journal that the pipeline asks for; each is one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journal import benchmark, operations

if TYPE_CHECKING:
    import datetime as dt


def settle(*, instrument_id: int, now: dt.datetime) -> list[operations.News]:
    """Judge the armed plans of an instrument; return what their owners are to be told."""
    return operations.settle_and_tell(instrument_id=instrument_id, now=now)


def draw_controls(*, instrument_id: int, now: dt.datetime) -> int:
    """Arm closed plans of an instrument again at random moments; return how many."""
    return operations.draw_controls(instrument_id=instrument_id, now=now)


def bench_settle(*, options: dict[str, Any]) -> dict[str, Any]:
    """Measure how fast plans advance by a minute."""
    return benchmark.measure(count=options["plans"], key=options["instrument"], now=options["now"])


def adopt_plans() -> int:
    """Begin to judge plans that were armed before there were verdicts."""
    return operations.adopt_plans()


def bench_chain(*, options: dict[str, Any]) -> dict[str, Any]:
    """Measure how fast a chain of entries is verified."""
    return benchmark.measure_chain(count=options["entries"], key=options["instrument"])


def bench_trades(*, options: dict[str, Any]) -> dict[str, Any]:
    """Measure how fast a venue's file of fills is taken in."""
    return benchmark.measure_trades(rows=options["rows"], now=options["now"])
