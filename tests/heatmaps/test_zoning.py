from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from heatmaps.models import Heatmap, Zone
from heatmaps.operations import build, track_zones
from heatmaps.queries import DEFAULT_ESTIMATOR, latest_slice
from tests.core.windows import make_window
from tests.factories import make_instrument

from .markets import LATE, at_step, followed, make_market, put, told

if TYPE_CHECKING:
    import datetime as dt

    from market.models import Instrument

pytestmark = pytest.mark.django_db
STEPS = 900


def make_followed(*, steps: int = STEPS) -> Instrument:
    instrument = make_market(steps=steps)
    build(instrument_id=instrument.pk, estimator=DEFAULT_ESTIMATOR, now=LATE)
    track_zones(instrument_id=instrument.pk, now=LATE)
    return instrument


def test_zones_form_and_end() -> None:
    instrument = make_followed()
    zones = list(Zone.objects.order_by("number"))
    assert [zone.number for zone in zones] == list(range(1, len(zones) + 1))
    assert {"active", "swept", "expired"} <= {str(zone.state) for zone in zones}
    for zone in zones:
        assert zone.born_at.minute == zone.born_at.second == 0
        assert zone.price_low < zone.price_peak < zone.price_high
        assert zone.usd_low <= zone.usd <= zone.usd_high
        assert zone.usd <= zone.usd_peak * (1 + 1e-9)
        assert zone.ended_at is None or zone.ended_at > zone.born_at
        assert zone.tested_at is None or zone.tested_at > zone.born_at
        assert zone.state != "swept" or zone.tested_at is not None
    assert Heatmap.objects.get(instrument=instrument).zones_through == at_step(STEPS)


def test_following_again_changes_nothing() -> None:
    instrument = make_followed()
    before = followed(instrument)
    found = track_zones(instrument_id=instrument.pk, now=LATE)
    assert (found.born, found.ended) == (0, 0)
    assert followed(instrument) == before


def test_zones_do_not_depend_on_when_they_are_followed() -> None:
    at_once, in_time = make_followed(), make_instrument(symbol="ETHUSDT")
    window, draw = make_window(steps=STEPS), np.random.default_rng(6)
    for stop in [*np.sort(draw.integers(1, STEPS, 40)).tolist(), STEPS]:
        put(in_time, window, until=stop)
        build(instrument_id=in_time.pk, estimator=DEFAULT_ESTIMATOR, now=LATE)
        track_zones(instrument_id=in_time.pk, now=LATE)
    assert followed(in_time) == followed(at_once)
    assert told(in_time) == told(at_once)


def test_work_of_a_job_is_bounded() -> None:
    instrument = make_market(steps=STEPS)
    build(instrument_id=instrument.pk, estimator=DEFAULT_ESTIMATOR, now=LATE)
    first = track_zones(instrument_id=instrument.pk, now=LATE, strips=1)
    assert not first.is_complete
    track_zones(instrument_id=instrument.pk, now=LATE)
    assert Heatmap.objects.get().zones_through == at_step(STEPS)


def test_nothing_to_follow_is_no_error(now: dt.datetime) -> None:
    assert track_zones(instrument_id=make_instrument().pk, now=now).born == 0


def test_columns_after_now_are_left_for_later() -> None:
    instrument = make_market(steps=STEPS)
    build(instrument_id=instrument.pk, estimator=DEFAULT_ESTIMATOR, now=LATE)
    track_zones(instrument_id=instrument.pk, now=at_step(500))
    assert Heatmap.objects.get().zones_through == at_step(500)


def test_null_has_no_zones() -> None:
    instrument = make_market(steps=STEPS)
    build(instrument_id=instrument.pk, estimator="path-only", now=LATE)
    track_zones(instrument_id=instrument.pk, now=LATE)
    assert Zone.objects.count() == 0


def test_evidence_is_canonical_and_hashed() -> None:
    make_followed()
    for zone in Zone.objects.select_related("heatmap__release"):
        text = json.dumps(zone.evidence, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert hashlib.sha256(text.encode()).hexdigest() == zone.evidence_sha256
        assert "." not in "".join(str(one) for one in zone.evidence["picture"]["codes"])
        assert zone.evidence["input_sha256"] == zone.input_digest != "00" * 32
        assert zone.evidence["parameters_sha256"] == zone.heatmap.release.digest
        assert (zone.evidence["estimator"], zone.evidence["version"]) == ("open-interest", "2")
        assert zone.evidence["zone"] == zone.label


def test_evidence_says_what_the_slice_said() -> None:
    instrument = make_followed()
    heatmap = Heatmap.objects.select_related("release").get(instrument=instrument)
    zone = Zone.objects.order_by("-number").first()
    assert zone is not None
    found = latest_slice(heatmap=heatmap, at=zone.born_at)
    assert found is not None
    assert float(zone.evidence["price_at_formation"]) == pytest.approx(found.close)
    low, high = (round(np.log(float(zone.evidence[name])) / 5e-4) for name in ("price_low", "price_high"))
    held = found.usd[low - found.bin_lo : high - found.bin_lo].sum()
    assert float(zone.evidence["usd"]) == pytest.approx(held, rel=1e-9)
    picture = zone.evidence["picture"]
    assert picture["bin_lo"] <= low < high <= picture["bin_lo"] + len(picture["codes"])


def test_evidence_stays_as_it_was() -> None:
    instrument, window = make_instrument(), make_window(steps=STEPS)
    frozen: dict[int, tuple[str, object]] = {}
    for stop in (300, 500, 700, STEPS):
        put(instrument, window, until=stop)
        build(instrument_id=instrument.pk, estimator=DEFAULT_ESTIMATOR, now=LATE)
        track_zones(instrument_id=instrument.pk, now=LATE)
        now = {zone.number: (zone.evidence_sha256, zone.evidence) for zone in Zone.objects.all()}
        assert {number: now[number] for number in frozen} == frozen
        frozen = now
