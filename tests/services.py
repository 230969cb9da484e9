"""A pytest plug-in: servers for the run, started before Django reads its settings.

Outside servers given by DATABASE_URL and REDIS_URL are used as they are. Else the first process starts a throw-away
PostgreSQL for all; each further process of pytest-xdist has a Valkey of its own, so that no test sees another's events.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from bhweb import services
from bhweb.datadir import DataDir
from bhweb.embedded import Postgres, Valkey, clear_sockets
from bhweb.processes import Household

OWN = "BH_TEST_DATABASE_IS_OURS"


def _start() -> None:
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright keeps a loop in the tests' thread
    os.environ.setdefault("BH_SECRET_KEY", "for-tests-only-and-long-enough-to-be-taken-for-a-real-one")
    os.environ["BH_BOOTSTRAP"] = "0"
    os.environ.setdefault("BH_EMBEDDED", "1")
    if "PYTEST_XDIST_WORKER" in os.environ and os.environ.get(OWN):
        os.environ.pop("REDIS_URL")
    given = services.given_addresses()
    data = DataDir(Path(tempfile.mkdtemp(prefix="bh-test-")))
    data.open()
    (data.path / "static").mkdir()
    if "BH_DATA_DIR" not in os.environ or os.environ.get(OWN):
        os.environ["BH_DATA_DIR"] = str(data.path)
    household = Household()
    atexit.register(_stop, household, data.path, os.getpid())
    if "DATABASE_URL" not in given:
        server = Postgres(data.path, data.logs, durable=False)
        server.start(household)
        os.environ.update({"DATABASE_URL": server.url, OWN: "1"})
    if "REDIS_URL" not in given:
        broker = Valkey(data.path, data.logs, durable=False)
        broker.start(household)
        os.environ["REDIS_URL"] = broker.url


def _stop(household: Household, directory: Path, starter: int) -> None:
    if os.getpid() == starter:  # a forked child is no owner
        household.stop()
        clear_sockets(directory)
        shutil.rmtree(directory, ignore_errors=True)


_start()
