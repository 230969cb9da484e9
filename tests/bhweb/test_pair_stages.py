"""An asset pair goes through the same stages as everything that is fetched, a little later in the minute."""

from __future__ import annotations

import datetime as dt

import pytest

from bhweb import pipeline
from bhweb.models import Job
from heatmaps.queries import get_heatmap
from market.models import Instrument
from market.queries import stored_span
from tests.world import add_bars, make_pair

pytestmark = pytest.mark.django_db


def test_pair_is_brought_up_to_date_by_its_jobs(now: dt.datetime, sent: list[tuple[int, str]]) -> None:
    pair = make_pair(end=now - dt.timedelta(minutes=5), hours=24).instrument
    for member in Instrument.objects.exclude(pk=pair.pk):
        add_bars(instrument=member, end=now, hours=1, seed=member.pk)
    pipeline.refresh(now=now + dt.timedelta(seconds=22))
    while job := Job.objects.filter(instrument=pair, state=Job.State.QUEUED).first():
        pipeline.run(job_id=job.pk)
    states = dict(Job.objects.filter(instrument=pair).values_list("stage", "state"))
    assert states == {"ingest": "done", "advance": "done", "stand": "done", "learn": "done"}
    span, heatmap = stored_span(instrument_id=pair.pk), get_heatmap(instrument_id=pair.pk)
    assert span is not None
    assert span[1] == now
    assert heatmap is not None
    # Its members' maps have not been built further yet.
    assert heatmap.built_through == now - dt.timedelta(minutes=5)
