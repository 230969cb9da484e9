"""A build that is killed at random moments ends, once it is done, in the same bytes as one left in peace."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from django.db import connection

from heatmaps.models import Heatmap
from heatmaps.operations import build, track_zones

from .markets import LATE, built, followed, make_market

if TYPE_CHECKING:
    from collections.abc import Iterator

    from market.models import Instrument

STEPS = 1500
PROGRAM = """
import datetime as dt, sys
import django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()
from heatmaps.operations import building, track_zones
building.PART_STEPS = 48
now = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
print("ready", flush=True)
building.build(instrument_id=int(sys.argv[2]), estimator="open-interest", now=now)
track_zones(instrument_id=int(sys.argv[2]), now=now)
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
    draw, seen = np.random.default_rng(2), set()
    for _ in range(4):
        child = start(killed)
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        try:
            child.wait(timeout=float(draw.uniform(0.02, 0.4)))
        except subprocess.TimeoutExpired:
            child.kill()
        child.wait()
        child.stdout.close()
        heatmap = Heatmap.objects.filter(instrument=killed).first()
        seen.add((heatmap.built_through, heatmap.zones_through) if heatmap else None)
    # The kills did fall into the work and not all beside it.
    assert len(seen) > 1
    build(instrument_id=killed.pk, estimator="open-interest", now=LATE)
    track_zones(instrument_id=killed.pk, now=LATE)
    assert built(killed) == built(peaceful)
    assert followed(killed) == followed(peaceful)
    assert followed(killed) != []
