"""``manage.py bench settle``: how long many open plans take to advance by a minute."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import psycopg

from journal.tasks import bench_settle

from .advancing import BEGUN_AT
from .ledgers import MINUTE
from .prepared import Prepared
from .stage import opened

if TYPE_CHECKING:
    from collections.abc import Mapping


def run(*, options: Mapping[str, Any]) -> dict[str, Any]:
    """Measure on a stored instrument if one is named, else on a made-up one in a throw-away database.

    Raises StartError, and ObjectDoesNotExist for an instrument that has no bars or no zone.
    """
    if options["instrument"]:
        return bench_settle(options=dict(options))
    load = os.getloadavg()[0]
    with opened() as stage:
        with psycopg.connect(stage.database_url, autocommit=True) as connection:
            prepared = Prepared(connection, BEGUN_AT)
            prepared.make_markets()
            # The third minute of this walk falls by 11 bp; at the beginning itself funding is paid.
            prepared.reach(BEGUN_AT + 3 * MINUTE)
            connection.execute("ANALYZE")
        stage.run("build_heatmap", "bench:S0")
        told = stage.read("bench", "settle", "--json", "--instrument", "bench:S0", "--plans", str(options["plans"]))
    return {**json.loads(told), "load_before": round(load, 2), "cores": os.cpu_count()}
