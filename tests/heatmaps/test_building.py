from __future__ import annotations

import datetime as dt
from unittest import mock

import numpy as np
import pytest

from heatmaps.core.estimators import BUILT
from heatmaps.core.estimators.open_interest import OpenInterest
from heatmaps.core.strips import SPINE_ROW
from heatmaps.core.tile import PROVISIONAL, decode_spine
from heatmaps.models import EstimatorRelease, Head, Heatmap, Snapshot, Tile
from heatmaps.operations import ReleaseChangedError, advance, build, building
from heatmaps.operations.storing import thin_snapshots
from market.series import MINUTE_MS, STEP_MS, epoch_ms
from tests.core.windows import START_MS, make_window, without_samples
from tests.factories import make_instrument

from .markets import LATE, START, at_step, built, make_market, put

pytestmark = pytest.mark.django_db
STEPS = 400
# How often the newest state is lost between two builds.
LOST = 0.3


def test_advance_builds_every_estimator(now: dt.datetime) -> None:
    instrument = make_market(steps=STEPS)
    found = advance(instrument_id=instrument.pk, now=now)
    assert [(one.estimator, one.steps, one.through, one.is_complete) for one in found] == [
        (slug, STEPS, at_step(STEPS), True) for slug in BUILT
    ]
    heatmap = Heatmap.objects.get(instrument=instrument, release__slug="open-interest")
    assert (heatmap.built_from, heatmap.built_through, heatmap.provisional_through) == (START, at_step(STEPS), None)
    assert heatmap.allocated_share == pytest.approx(1.0)
    assert heatmap.release.digest == EstimatorRelease.objects.get(slug="open-interest").digest
    assert Snapshot.objects.filter(heatmap=heatmap).count() == STEPS // 72


def test_advance_again_changes_nothing(now: dt.datetime) -> None:
    instrument = make_market(steps=STEPS)
    advance(instrument_id=instrument.pk, now=now)
    before, updated = built(instrument), Heatmap.objects.values_list("updated_at", flat=True)
    stamps = list(updated)
    found = advance(instrument_id=instrument.pk, now=now + dt.timedelta(hours=1))
    assert [one.tiles for one in found] == [0, 0]
    assert built(instrument) == before
    assert list(updated.all()) == stamps


def test_instrument_without_data_is_left_alone(now: dt.datetime) -> None:
    assert advance(instrument_id=make_instrument().pk, now=now) == ()
    assert Heatmap.objects.count() == 0


def test_bars_without_open_interest_make_no_map(now: dt.datetime) -> None:
    instrument = make_instrument()
    window = make_window(steps=30)
    put(instrument, without_samples(window, since_ms=0, until_ms=START_MS + 30 * STEP_MS))
    assert [one.steps for one in advance(instrument_id=instrument.pk, now=now)] == [0, 0]
    assert Heatmap.objects.count() == 0


def test_map_begins_with_open_interest(now: dt.datetime) -> None:
    instrument = make_instrument()
    put(instrument, without_samples(make_window(steps=60), since_ms=0, until_ms=START_MS + 20 * STEP_MS))
    assert [one.steps for one in advance(instrument_id=instrument.pk, now=now)] == [40, 40]
    assert set(Heatmap.objects.values_list("built_from", flat=True)) == {at_step(20)}


@pytest.mark.parametrize("slug", list(BUILT))
def test_many_small_builds_equal_one(slug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Minute by minute or at once, in small parts or large, with the newest state at hand or lost: the same bytes."""
    window = make_window(steps=STEPS, bar_ms=MINUTE_MS)
    at_once, in_time = make_instrument(symbol="ETHUSDT"), make_instrument()
    put(at_once, window)
    build(instrument_id=at_once.pk, estimator=slug, now=LATE)
    draw = np.random.default_rng(8)
    stops = np.sort(draw.uniform(1, STEPS, 25)).tolist()
    for stop in [*stops, STEPS]:
        monkeypatch.setattr(building, "PART_STEPS", int(draw.integers(3, 90)))
        put(in_time, window, until=stop)
        if draw.random() < LOST:
            Head.objects.all().delete()
        build(instrument_id=in_time.pk, estimator=slug, now=LATE)
    assert built(in_time, slug) == built(at_once, slug)


def test_open_step_is_shown_as_provisional() -> None:
    instrument, window = make_instrument(), make_window(steps=40, bar_ms=MINUTE_MS)
    put(instrument, window, until=30.4)
    build(instrument_id=instrument.pk, estimator="open-interest", now=LATE)
    heatmap = Heatmap.objects.get()
    assert (heatmap.built_through, heatmap.provisional_through) == (at_step(30), at_step(31))
    column = epoch_ms(at_step(30)) // STEP_MS
    spine = decode_spine(bytes(Tile.objects.get(level=0, row=SPINE_ROW, col=column // 256).body))
    assert spine["status"][column % 256] == PROVISIONAL
    hour = Tile.objects.get(level=1, row=SPINE_ROW)
    assert set(decode_spine(bytes(hour.body))["status"].tolist()) == {0, 1, 3}


def test_late_open_interest_shows_an_hour_at_most() -> None:
    instrument, window = make_instrument(), make_window(steps=60)
    put(instrument, without_samples(window, since_ms=START_MS + 30 * STEP_MS, until_ms=START_MS + 60 * STEP_MS))
    build(instrument_id=instrument.pk, estimator="open-interest", now=LATE)
    heatmap = Heatmap.objects.get()
    assert (heatmap.built_through, heatmap.provisional_through) == (at_step(30), at_step(42))


def test_long_silence_of_open_interest_is_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "PART_STEPS", 16)
    instrument, window = make_instrument(), make_window(steps=200)
    put(instrument, without_samples(window, since_ms=START_MS + 30 * STEP_MS, until_ms=START_MS + 150 * STEP_MS))
    found = build(instrument_id=instrument.pk, estimator="open-interest", now=LATE)
    assert (found.steps, found.through) == (30 + 50, at_step(200))


def test_job_stops_at_its_share_and_the_next_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "PART_STEPS", 100)
    instrument, other = make_market(steps=STEPS), make_market(steps=STEPS, symbol="ETHUSDT")
    first = build(instrument_id=instrument.pk, estimator="open-interest", now=LATE, parts=2)
    assert (first.is_complete, first.through) == (False, at_step(200))
    second = build(instrument_id=instrument.pk, estimator="open-interest", now=LATE, parts=3)
    assert (second.is_complete, second.through) == (True, at_step(STEPS))
    build(instrument_id=other.pk, estimator="open-interest", now=LATE)
    assert built(instrument) == built(other)


def test_revision_of_the_last_day_rebuilds_from_before_it() -> None:
    instrument, other, window = make_instrument(), make_instrument(symbol="ETHUSDT"), make_window(steps=STEPS)
    put(instrument, window)
    build(instrument_id=instrument.pk, estimator="open-interest", now=LATE)
    before = built(instrument)
    window.bars["volume"][300] *= 3.0
    window.bars["quote_volume"][300] *= 3.0
    put(instrument, window)
    put(other, window)
    build(instrument_id=instrument.pk, estimator="open-interest", now=LATE)
    build(instrument_id=other.pk, estimator="open-interest", now=LATE)
    assert built(instrument) == built(other)
    assert built(instrument) != before


def test_since_builds_again_from_the_snapshot_before() -> None:
    instrument, window = make_instrument(), make_window(steps=800)
    put(instrument, window)
    build(instrument_id=instrument.pk, estimator="open-interest", now=LATE)
    before = built(instrument)
    # Corrupted behind the estimator's back: only a rebuild puts it right.
    Tile.objects.filter(level=0).exclude(row=SPINE_ROW).update(body=b"", etag="")
    again = build(instrument_id=instrument.pk, estimator="open-interest", now=LATE, since=START)
    assert again.steps == 800
    assert built(instrument) == before


def test_until_stops_early() -> None:
    instrument = make_market(steps=STEPS)
    found = build(instrument_id=instrument.pk, estimator="open-interest", now=LATE, until=at_step(100))
    assert (found.through, found.is_complete) == (at_step(100), True)


def test_progress_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "PART_STEPS", 150)
    told = mock.Mock()
    build(instrument_id=make_market(steps=STEPS).pk, estimator="open-interest", now=LATE, on_part=told)
    assert [call.args for call in told.mock_calls] == [
        (START, at_step(reached), at_step(STEPS)) for reached in (150, 300, 400)
    ]


def test_changed_parameters_under_an_old_version_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    instrument = make_market(steps=20)
    build(instrument_id=instrument.pk, estimator="open-interest", now=LATE)
    monkeypatch.setattr(OpenInterest, "parameters", {**OpenInterest.parameters, "turnover": 0.2})
    with pytest.raises(ReleaseChangedError, match="new version"):
        build(instrument_id=instrument.pk, estimator="open-interest", now=LATE)


def test_snapshots_thin_with_age() -> None:
    instrument = make_market(steps=20)
    build(instrument_id=instrument.pk, estimator="open-interest", now=LATE)
    heatmap = Heatmap.objects.get()
    Snapshot.objects.all().delete()
    heatmap.built_through = LATE
    for hours in range(0, 24 * 100, 6):
        step_at = LATE - dt.timedelta(hours=hours)
        Snapshot.objects.create(heatmap=heatmap, step_at=step_at, body=b"", input_digest="")
    thin_snapshots([heatmap])
    ages = [(LATE - at).total_seconds() / 86_400 for at in Snapshot.objects.values_list("step_at", flat=True)]
    assert sum(age <= 7 for age in ages) == 29
    assert sum(7 < age <= 90 for age in ages) == 83
    assert sum(age > 90 for age in ages) in {1, 2}
