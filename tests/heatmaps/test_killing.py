"""A build that is killed at random moments ends, once it is done, in the same bytes as one left in peace."""

from __future__ import annotations

import signal
import subprocess
import sys
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from django.db import connection

from heatmaps.models import Heatmap
from heatmaps.operations import build, track_zones

from .markets import LATE, at_step, built, followed, make_market

if TYPE_CHECKING:
    from collections.abc import Iterator

    from market.models import Instrument

STEPS = 1500
PARTS = STEPS // 48
PROGRAM = """
import datetime as dt, sys
import django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()
from heatmaps.operations import building, track_zones
building.PART_STEPS = 48
now = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
def tell(*_):
    print("part", flush=True)
building.build(instrument_id=int(sys.argv[2]), estimator="open-interest", now=now, on_part=tell)
track_zones(instrument_id=int(sys.argv[2]), now=now, on_strip=tell)
"""


@pytest.fixture
def clean_market() -> Iterator[None]:
    """Bars lie in partitions that Django does not know and would not empty."""
    yield
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE market_bar")


def start(instrument: Instrument) -> subprocess.Popen[bytes]:
    name = str(connection.settings_dict["NAME"])
    return subprocess.Popen([sys.executable, "-c", PROGRAM, name, str(instrument.pk)], stdout=subprocess.PIPE)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("clean_market")
def test_killed_builds_end_in_the_same_tiles() -> None:
    killed, peaceful = make_market(steps=STEPS), make_market(steps=STEPS, symbol="ETHUSDT")
    build(instrument_id=peaceful.pk, estimator="open-interest", now=LATE)
    track_zones(instrument_id=peaceful.pk, now=LATE)
    draw = np.random.default_rng(2)
    reached: list[Any] = []
    for parts in draw.integers(1, PARTS // 4, 4).tolist():
        child = start(killed)
        assert child.stdout is not None
        # It is killed somewhere in the part after the last of these.
        told = list(islice(child.stdout, parts))
        child.kill()
        child.wait()
        child.stdout.close()
        assert told == [b"part\n"] * parts
        assert child.returncode == -signal.SIGKILL
        reached.append(Heatmap.objects.get(instrument=killed).built_through)
    # Each kill fell into the work, and none undid what another had done.
    assert reached == sorted(reached)
    assert reached[-1] < at_step(STEPS)
    build(instrument_id=killed.pk, estimator="open-interest", now=LATE)
    track_zones(instrument_id=killed.pk, now=LATE)
    assert built(killed) == built(peaceful)
    assert followed(killed) == followed(peaceful)
    assert followed(killed) != []
