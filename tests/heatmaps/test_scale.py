"""A colour keeps its meaning: the scale is measured once and kept with the heatmap."""

from __future__ import annotations

import datetime as dt

import pytest

from heatmaps.models import Heatmap
from heatmaps.operations import build, publishing, sum_members, summing
from heatmaps.pages.scale import Scale, display_scale
from heatmaps.queries import measure_scale
from market.operations import ingest

from .markets import LATE, at_step, make_market
from .pairs import the_pair, the_sum, three

pytestmark = pytest.mark.django_db
SLUG = "open-interest"


def scale_of(heatmap: Heatmap) -> tuple[float | None, float | None]:
    return heatmap.display_floor_usd, heatmap.display_ceiling_usd


def test_young_map_has_no_frozen_scale() -> None:
    instrument = make_market(steps=300)
    build(instrument_id=instrument.pk, estimator=SLUG, now=LATE)
    assert scale_of(Heatmap.objects.get()) == (None, None)


def test_scale_is_frozen_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "SCALE_SPAN", dt.timedelta(hours=10))
    instrument = make_market(steps=300)
    build(instrument_id=instrument.pk, estimator=SLUG, now=LATE, until=at_step(130))
    heatmap = Heatmap.objects.get()
    frozen = measure_scale(heatmap=heatmap)
    assert scale_of(heatmap) == (frozen.floor_usd, frozen.ceiling_usd)
    Heatmap.objects.update(display_floor_usd=1.0, display_ceiling_usd=4.0)
    build(instrument_id=instrument.pk, estimator=SLUG, now=LATE)
    assert display_scale(heatmap=Heatmap.objects.get()) == Scale(1.0, 4.0)


def test_scale_of_a_pair_waits_until_its_sum_has_caught_up(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (publishing, summing):
        monkeypatch.setattr(module, "SCALE_SPAN", dt.timedelta(hours=10))
    members = three(300)
    for steps, now, is_frozen in ((290, LATE, False), (300, at_step(310), True)):
        for member in members:
            member.tell(until=steps)
        ingest(instrument_id=the_pair().pk, now=LATE)
        sum_members(instrument_id=the_pair().pk, now=now)
        assert (scale_of(the_sum()) != (None, None)) is is_frozen
