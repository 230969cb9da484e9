"""One bar's whole way, once: venue, ingest, estimate, tile, page, zone, plan; on the real services."""

from __future__ import annotations

import datetime as dt
import math
import os
import tempfile
import time
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from django.db import connection
from django.urls import reverse

from bhweb import celery, pipeline
from bhweb.embedded import WORKER_USER
from bhweb.models import Job
from bhweb.walls import grant_worker_role
from heatmaps.core.tile import TILE
from heatmaps.models import ALIVE, Zone
from heatmaps.queries import get_heatmap, release_name
from journal.models import Plan
from journal.queries import canonical_json
from market.models import Bar, Instrument
from market.series import MINUTE_MS
from tests.factories import make_user
from tests.pages import client_of, use_light_services
from tests.running import ROOT, Broker, Programs, database_url, wait_for
from tests.services import OWN

from .loopback import ADDRESS, SYMBOL, LoopbackSource, Venue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from django.test import Client
    from django.test.client import _MonkeyPatchedWSGIResponse as TestResponse
    from pytest_django import Settings

MINUTE = dt.timedelta(minutes=1)
# The flush between tests does not know the partitioned table and is refused by armed plans, as it should be.
TIDY = """BEGIN; SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE market_bar;
ALTER TABLE journal_planevent DISABLE TRIGGER USER; DELETE FROM journal_planevent;
ALTER TABLE journal_planevent ENABLE TRIGGER USER; DELETE FROM journal_judgement;
ALTER TABLE journal_journalentry DISABLE TRIGGER USER; DELETE FROM journal_journalentry;
ALTER TABLE journal_journalentry ENABLE TRIGGER USER;
ALTER TABLE journal_plan DISABLE TRIGGER USER; DELETE FROM journal_plan; ALTER TABLE journal_plan ENABLE TRIGGER USER;
COMMIT"""


def in_ms(moment: dt.datetime) -> int:
    return int(moment.timestamp()) * 1000


@pytest.fixture
def now() -> dt.datetime:
    """The end of the five-minute step before the running one: a plan is armed by the real clock, on a map of today."""
    step_s = 300
    return dt.datetime.fromtimestamp(time.time() // step_s * step_s - step_s, dt.UTC)


@pytest.fixture
def venue(now: dt.datetime) -> Venue:
    """Two days and an hour of a market."""
    start_ms = in_ms(now) - LoopbackSource.history_ms
    return Venue(start_ms=start_ms, minutes=LoopbackSource.history_ms // MINUTE_MS + 60)


@pytest.fixture
def workers(
    transactional_db: None, venue: Venue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Programs]:
    """A worker for each queue, and a broker between them and this process."""
    programs = Programs(tmp_path)
    with tempfile.TemporaryDirectory(prefix="bh") as directory, venue.serve() as address:
        broker = Broker(Path(directory))
        broker.start()
        link = celery.app.connection_for_write(broker.celery_url)
        monkeypatch.setattr(celery.run_job, "apply_async", partial(celery.run_job.apply_async, connection=link))
        environment = {
            "DATABASE_URL": database_url(connection.settings_dict),
            "REDIS_URL": broker.celery_url,
            "DJANGO_SETTINGS_MODULE": "bhweb.settings",
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
            ADDRESS: address,
        }
        assert programs.start("tests/flow/command.py", "follow", "loopback", env=environment).wait(60) == 0
        grant_worker_role()
        if os.environ.get(OWN):  # a given server may not have the role
            environment["DATABASE_URL"] = database_url({**connection.settings_dict, "USER": WORKER_USER})
        for queue in (celery.LIVE, celery.BACKFILL):
            programs.start("tests/flow/command.py", "worker", "--queue", queue, env=environment)
        yield programs
        programs.end()
        broker.stop()
    print(programs.logs())
    with connection.cursor() as cursor:
        cursor.execute(TIDY)


@pytest.fixture
def instrument(workers: Programs) -> Instrument:
    """Return what the source's line in the registry brought about."""
    return Instrument.objects.get(venue="loopback")


@pytest.fixture
def client(instrument: Instrument, settings: Settings) -> Client:
    use_light_services(settings)
    return client_of(make_user())


def refresh(now: dt.datetime) -> list[tuple[str, str]]:
    """Let the pipeline run for one minute; return which stage ran on which queue."""
    pipeline.refresh(now=now)
    jobs = Job.objects.filter(slot_at=now).order_by("id")

    def _is_over() -> bool:
        assert not jobs.exclude(error="").exists(), list(jobs.values_list("stage", "error"))
        states = dict(jobs.values_list("stage", "state"))
        return {"ingest", "advance"} <= set(states) and set(states.values()) == {Job.State.DONE}

    wait_for(_is_over, what="the last stage")
    return list(jobs.filter(stage__in=[stage.slug for stage in pipeline.STAGES]).values_list("stage", "queue"))


def look(client: Client, name: str, *arguments: object) -> TestResponse:
    """Open a page and return the answer."""
    answer = client.get(reverse(name, args=arguments))
    assert answer.status_code == 200, name
    return answer


def newest_column(client: Client, key: str, step_at: dt.datetime) -> np.ndarray[Any, Any]:
    """Return the codes of one five-minute step around the price, as a browser reads them from a tile."""
    heatmap = get_heatmap(instrument_id=Job.objects.latest("id").instrument_id)
    assert heatmap is not None
    close = Bar.objects.latest("open_time").close
    row = math.floor(math.log(close) / (heatmap.bin_bps * 1e-4)) // TILE
    step = in_ms(step_at) // 300_000
    answer = look(client, "heatmaps:tile", key, release_name(heatmap=heatmap), 0, row, step // TILE)
    codes = np.cumsum(np.frombuffer(answer.content, np.uint8).reshape(TILE, TILE), axis=1, dtype=np.uint8)
    return codes[:, step % TILE]


def write_plan(client: Client, zone_id: int) -> Plan:
    """Draft a plan from a zone and arm it, as a browser does."""
    zone = Zone.objects.get(pk=zone_id)
    side, edge = zone.position_side, zone.price_high if zone.position_side > 0 else zone.price_low
    form = {
        "direction": "long" if side > 0 else "short",
        "entry": f"{edge:.1f}",
        "invalidation": f"{edge * (1 - 0.02 * side):.1f}",
        "target": f"{edge * (1 + 0.05 * side):.1f}",
        "risk_pct": "0.5",
        "thesis": "The zone lies where the last swing began.",
        "expires_at": f"{dt.datetime.now(dt.UTC) + dt.timedelta(days=2):%Y-%m-%dT%H:%M}",
    }
    drafted = client.post(f"{reverse('journal:plan-new')}?zone={zone_id}", form)
    assert drafted.status_code == 302, drafted.context["form"].errors
    plan = Plan.objects.owned_by(int(client.session["_auth_user_id"])).get()
    assert (drafted.status_code, drafted.headers["Location"]) == (302, reverse("journal:plan", args=[plan.number]))
    armed = client.post(reverse("journal:plan-arm", args=[plan.number]))
    assert armed.status_code == 302, armed.context["problems"]
    plan.refresh_from_db()
    return plan


def test_one_bar_goes_all_the_way(client: Client, instrument: Instrument, venue: Venue, now: dt.datetime) -> None:
    key = instrument.key
    assert refresh(now) == [("ingest", "backfill"), ("advance", "backfill"), ("zones", "backfill")]
    before = look(client, "heatmaps:tick", key).json()
    assert (before["as_of_ms"], Bar.objects.count()) == (in_ms(now), 2 * 24 * 60)
    assert not newest_column(client, key, now).any()

    # The minute ends no step, so that there are no zones to follow.
    assert refresh(now + MINUTE) == [("ingest", "live"), ("advance", "live")]
    after = look(client, "heatmaps:tick", key).json()
    assert (after["as_of_ms"], Bar.objects.count()) == (in_ms(now + MINUTE), 2 * 24 * 60 + 1)
    assert after["v"] > before["v"]
    assert newest_column(client, key, now).any()

    (bar,) = [row for row in venue.bars if row[0] == in_ms(now)]
    chart = client.get(reverse("heatmaps:chart-data", args=[key]), {"tf": "5m"}).json()
    assert (chart["as_of_ms"], chart["bars"]["close"][-1]) == (after["as_of_ms"], round(bar[4], 1))
    assert SYMBOL in look(client, "heatmaps:terminal", key).content.decode()

    zone = Zone.objects.filter(state__in=ALIVE).earliest("number")
    assert zone.label in look(client, "heatmaps:zone", zone.pk).content.decode()
    plan = write_plan(client, zone.pk)
    assert plan.armed_at is not None
    assert plan.evidence_sha256 == sha256(canonical_json(plan.evidence)).hexdigest()
    assert plan.label in look(client, "journal:plan", plan.number).content.decode()
