"""A sum that is killed at random moments ends, once it is done, in the same bytes as one left in peace."""

from __future__ import annotations

import signal
import subprocess
import sys
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from django.db import connection

from heatmaps.models import Heatmap, Zone
from heatmaps.operations import sum_members, track_zones
from market.operations import ingest

from .markets import LATE, followed
from .pairs import summed, the_pair, the_sum, three

if TYPE_CHECKING:
    from collections.abc import Iterator

STEPS = 2300
PROGRAM = """
import datetime as dt, sys
import django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()
from heatmaps.operations import summing, track_zones
summing.STRIPS_PER_PART = 1
now = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
def tell(*_):
    print("part", flush=True)
summing.sum_members(instrument_id=int(sys.argv[2]), now=now, on_part=tell)
track_zones(instrument_id=int(sys.argv[2]), now=now, on_strip=tell)
"""


@pytest.fixture
def clean_market() -> Iterator[None]:
    """Bars lie in partitions that Django does not know and would not empty."""
    yield
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE market_bar")


def start() -> subprocess.Popen[bytes]:
    name = str(connection.settings_dict["NAME"])
    return subprocess.Popen([sys.executable, "-c", PROGRAM, name, str(the_pair().pk)], stdout=subprocess.PIPE)


def finish() -> tuple[dict[str, object], list[dict[str, object]]]:
    sum_members(instrument_id=the_pair().pk, now=LATE)
    track_zones(instrument_id=the_pair().pk, now=LATE)
    return summed(), followed(the_pair())


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("clean_market")
def test_killed_sums_end_in_the_same_tiles_and_zones() -> None:
    for one in three(STEPS):
        one.tell()
    ingest(instrument_id=the_pair().pk, now=LATE)
    peaceful = finish()
    Zone.objects.filter(heatmap=the_sum()).delete()
    Heatmap.objects.filter(pk=the_sum().pk).delete()
    reached: list[Any] = []
    for parts in np.random.default_rng(3).integers(1, 4, 3).tolist():
        child = start()
        assert child.stdout is not None
        # It is killed somewhere in the part after the last of these.
        told = list(islice(child.stdout, parts))
        child.kill()
        child.wait()
        child.stdout.close()
        assert told == [b"part\n"] * parts
        assert child.returncode == -signal.SIGKILL
        reached.append(the_sum().built_through)
    assert reached == sorted(reached)
    assert reached[0] != peaceful[0]["pointer"]["built_through"]  # type: ignore[index]  # a dictionary of dictionaries
    assert finish() == peaceful
    assert peaceful[1] != []
