"""``manage.py bench advance``: what becomes of all instruments' maps, zones and layers in one minute."""

from __future__ import annotations

import datetime as dt
import os
import time
from typing import TYPE_CHECKING, Any, Final

import psycopg

from bhweb.progress import StartError

from . import prepared as rows
from .stage import opened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .stage import Stage

BEGUN_AT: Final = dt.datetime(2026, 3, 3, 11, 55, tzinfo=dt.UTC)
# A minute that shows the open step alone; one that ends a step, a slice of the zones, and hours of the layers at once;
# and one that ends a step.
WAVES: Final = {
    "minute": BEGUN_AT + dt.timedelta(minutes=2),
    "hour": BEGUN_AT + dt.timedelta(minutes=5),
    "step": BEGUN_AT + dt.timedelta(minutes=10),
}
SHARES: Final = 2
MOST_S: Final = 300.0
_LOOK_S: Final = 0.1

_LEFT: Final = """SELECT count(*) FILTER (WHERE state <> 'done'), min(error) FILTER (WHERE state = 'dead')
    FROM bhweb_job WHERE slot_at = %s AND queue = 'live'"""
_TAKEN: Final = """SELECT extract(epoch FROM max(finished_at) FILTER (WHERE stage = 'advance') - min(created_at)),
    extract(epoch FROM max(finished_at) - min(created_at)) FROM bhweb_job WHERE slot_at = %s AND queue = 'live'"""


def run(*, options: Mapping[str, Any]) -> dict[str, Any]:
    """Measure ``options["instruments"]`` instruments, on two processes of the live worker.

    Returns seconds by wave and stage. Raises StartError.
    """
    count, load = options["instruments"], os.getloadavg()[0]
    with opened() as stage, psycopg.connect(stage.database_url, autocommit=True) as connection:
        begun = time.monotonic()
        prepared = _prepare(stage, connection, count)
        figures: dict[str, Any] = {"instruments": count, "prepared_s": round(time.monotonic() - begun, 1)}
        stage.begin("worker", "worker", "--queue", "live", "--concurrency", str(SHARES))
        for name, slot_at in WAVES.items():
            prepared.reach(slot_at)
            stage.run("bench_minute", slot_at.isoformat())
            wave = _watch(stage, connection, slot_at)
            figures |= {f"{name}_{key}": taken for key, taken in wave.items()}
        begun = time.monotonic()
        slot = WAVES["hour"].isoformat()
        stage.run_together(*(("bench_minute", slot, str(share), str(SHARES)) for share in range(SHARES)))
        figures["layers_s"] = round(time.monotonic() - begun, 1)
        figures["hour_with_layers_s"] = round(figures["hour_s"] + figures["layers_s"], 1)
    return {**figures, "load_before": round(load, 2), "cores": os.cpu_count()}


def _prepare(stage: Stage, connection: psycopg.Connection[Any], count: int) -> rows.Prepared:
    prepared = rows.Prepared(connection, BEGUN_AT)
    prepared.make_markets()
    stage.run_together(*(("build_heatmap", f"bench:S{number}") for number in range(rows.MARKETS)))
    prepared.copy(count)
    return prepared


def _watch(stage: Stage, connection: psycopg.Connection[Any], slot_at: dt.datetime) -> dict[str, float]:
    """Wait until all that was asked for is done; return how long it took [s] from the first job on."""
    until = time.monotonic() + MOST_S
    while True:
        stage.require_alive()
        left, error = connection.execute(_LEFT, [slot_at]).fetchone() or (0, None)
        if not left:
            break
        if error or time.monotonic() > until:
            raise StartError(f"{left} jobs of {slot_at:%H:%M} are not done: {error or 'the time is over'}")
        time.sleep(_LOOK_S)
    maps, whole = connection.execute(_TAKEN, [slot_at]).fetchone() or (0.0, 0.0)
    return {"maps_s": round(float(maps), 1), "zones_s": round(float(whole - maps), 1), "s": round(float(whole), 1)}
