"""A colour keeps its meaning: the scale is measured once and kept with the heatmap."""

from __future__ import annotations

import datetime as dt

import pytest

from heatmaps.models import Heatmap
from heatmaps.operations import build, publishing
from heatmaps.pages.scale import Scale, display_scale
from heatmaps.queries import measure_scale

from .markets import LATE, at_step, make_market

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
