from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from heatmaps.core.estimators import load_built
from heatmaps.core.grid import bin_price
from heatmaps.core.tile import GAP, LEVELS, decode, usd_from_code
from heatmaps.models import EstimatorRelease, Heatmap, Zone
from heatmaps.operations import build
from heatmaps.queries import (
    decimal_text,
    get_current_heatmap,
    get_heatmap,
    get_heatmaps,
    get_zone,
    latest_slice,
    list_zones,
    map_size,
    read_tile,
    read_tiles,
    within_distance,
    zone_evidence,
    zones_between,
)
from market.series import MINUTE_MS, STEP_MS, epoch_ms, moment
from tests.core.windows import START_MS, make_window, without_bars
from tests.factories import make_heatmap, make_instrument, make_zone

from .markets import LATE, START, at_step, put

pytestmark = pytest.mark.django_db
STEPS = 300


def make_built(*, steps: int = STEPS, until: float | None = None, bar_ms: int = STEP_MS) -> Heatmap:
    instrument = make_instrument()
    put(instrument, make_window(steps=steps, bar_ms=bar_ms), until=until)
    build(instrument_id=instrument.pk, estimator="open-interest", now=LATE)
    heatmap = get_heatmap(instrument_id=instrument.pk)
    assert heatmap is not None
    return heatmap


def test_times_go_there_and_back() -> None:
    assert moment(START_MS) == START
    assert epoch_ms(START) == START_MS


def test_get_heatmap_finds_the_newest_release_of_the_estimator() -> None:
    heatmap = make_heatmap()
    assert get_heatmap(instrument_id=heatmap.instrument_id) == heatmap
    assert get_heatmap(instrument_id=heatmap.instrument_id, estimator="path-only") is None
    assert get_heatmap(instrument_id=heatmap.instrument_id + 1) is None


@pytest.mark.parametrize(
    ("new", "old", "shown"),
    [
        ((None, None), (100, 90), "old"),
        ((75, 75), (100, 90), "old"),
        ((76, 65), (100, 90), "old"),
        ((76, 66), (100, 90), "new"),
        ((76, None), (100, None), "new"),
        ((None, None), (None, None), "new"),
    ],
)
def test_new_release_takes_over_once_it_has_caught_up(
    new: tuple[int | None, int | None], old: tuple[int | None, int | None], shown: str
) -> None:
    """Hours through which each is built and its zones are followed."""
    instrument, maps = make_instrument(), {}
    for name, version, pair in (("old", "1", old), ("new", "2", new)):
        built, zones = (None if one is None else START + one * dt.timedelta(hours=1) for one in pair)
        release = EstimatorRelease.objects.create(slug="open-interest", version=version, parameters={}, digest="")
        maps[name] = Heatmap.objects.create(
            instrument=instrument, release=release, bin_bps=5, built_through=built, zones_through=zones
        )
    assert get_heatmap(instrument_id=instrument.pk) == maps[shown]
    apart = make_heatmap(instrument=make_instrument(symbol="ETHUSDT"))
    with CaptureQueriesContext(connection) as asked:
        found = get_heatmaps(instrument_ids=[instrument.pk, apart.instrument_id, 0])
    assert (found, len(asked)) == ({instrument.pk: maps[shown], apart.instrument_id: apart}, 1)
    assert get_current_heatmap(instrument_id=instrument.pk, estimator="open-interest") == maps["new"]


def test_release_of_the_future_does_not_take_over() -> None:
    """A version that this program does not know is shown only where there is no other."""
    heatmap = make_heatmap(built_through=START)
    release = EstimatorRelease.objects.create(slug="open-interest", version="9", parameters={}, digest="")
    other = Heatmap.objects.create(instrument=heatmap.instrument, release=release, bin_bps=5, built_through=START)
    assert get_heatmap(instrument_id=heatmap.instrument_id) == heatmap
    heatmap.delete()
    assert get_heatmap(instrument_id=other.instrument_id) == other
    EstimatorRelease.objects.filter(pk=release.pk).update(slug="retired")
    assert get_heatmap(instrument_id=other.instrument_id, estimator="retired") == other


def test_read_tile_gives_what_was_built() -> None:
    heatmap = make_built()
    period = epoch_ms(at_step(STEPS)) // STEP_MS - 1
    assert heatmap.bin_lo is not None
    assert heatmap.bin_hi is not None
    row = (heatmap.bin_lo + heatmap.bin_hi) // 2 // 256
    tile = read_tile(heatmap=heatmap, level=0, row=row, col=period // 256)
    assert tile is not None
    assert not tile.is_closed
    assert decode(tile.body)[:, period % 256].any()
    earlier = read_tile(heatmap=heatmap, level=0, row=row, col=period // 256 - 1)
    assert earlier is not None
    assert earlier.is_closed
    assert earlier.etag != tile.etag


def test_read_tile_outside_is_none() -> None:
    heatmap = make_built()
    col, row = epoch_ms(START) // STEP_MS // 256, 22_000 // 256
    outside = [(0, row, col - 1), (0, row, col + 3), (0, 0, col), (0, -(2**31), col), (4, row, col), (-1, row, col)]
    found = [read_tile(heatmap=heatmap, level=level, row=r, col=c) for level, r, c in outside]
    assert found == [None] * len(outside)
    assert read_tile(heatmap=make_heatmap(instrument=make_instrument(symbol="X")), level=0, row=row, col=col) is None


def test_empty_tile_inside_is_made_up_with_its_gaps() -> None:
    instrument = make_instrument()
    hole = START_MS + 100 * STEP_MS, START_MS + 110 * STEP_MS
    put(instrument, without_bars(make_window(steps=STEPS), since_ms=hole[0], until_ms=hole[1]))
    build(instrument_id=instrument.pk, estimator="open-interest", now=LATE)
    heatmap = get_heatmap(instrument_id=instrument.pk)
    assert heatmap is not None
    assert heatmap.bin_lo is not None
    Heatmap.objects.update(bin_lo=heatmap.bin_lo - 512)
    heatmap.refresh_from_db()
    assert heatmap.bin_lo is not None
    period = hole[0] // STEP_MS
    tile = read_tile(heatmap=heatmap, level=0, row=heatmap.bin_lo // 256, col=period // 256)
    assert tile is not None
    codes = decode(tile.body)
    assert set(codes[:, period % 256].tolist()) == {GAP}
    assert set(codes[:, period % 256 - 1].tolist()) == {0}


def test_read_tiles_asks_once() -> None:
    heatmap = make_built()
    with CaptureQueriesContext(connection) as few:
        one = read_tiles(heatmap=heatmap, level=1, rows=range(40, 42), cols=range(1916, 1920))
    with CaptureQueriesContext(connection) as many:
        more = read_tiles(heatmap=heatmap, level=1, rows=range(-500, 500), cols=range(10_000))
    assert len(few) == len(many) == 1
    assert set(one) <= set(more)
    assert len(more) > len(one) > 0


def test_latest_slice_is_the_newest_column() -> None:
    heatmap = make_built()
    found = latest_slice(heatmap=heatmap)
    assert found is not None
    window = make_window(steps=STEPS)
    estimate = load_built("open-interest").estimate(window, None)
    assert (found.at, found.provisional) == (at_step(STEPS), False)
    assert found.close == window.bars["close"][-1]
    held = estimate.columns[-1] * bin_price(estimate.anchor[-1] + np.arange(4096), 5e-4)
    assert found.usd.sum() == pytest.approx(held.sum(), rel=1e-3)


def test_latest_slice_may_be_provisional_or_earlier() -> None:
    heatmap = make_built(until=250.4, bar_ms=MINUTE_MS)
    newest, earlier = latest_slice(heatmap=heatmap), latest_slice(heatmap=heatmap, at=at_step(100.7))
    assert newest is not None
    assert earlier is not None
    assert (newest.at, newest.provisional) == (at_step(251), True)
    assert (earlier.at, earlier.provisional) == (at_step(100), False)
    assert latest_slice(heatmap=heatmap, at=START - dt.timedelta(days=3)) is None
    assert latest_slice(heatmap=make_heatmap(instrument=make_instrument(symbol="X"))) is None


def test_within_distance_sums_each_side() -> None:
    found = latest_slice(heatmap=make_built())
    assert found is not None
    longs, shorts = within_distance(slice=found, close=found.close, pct=5.0)
    prices = bin_price(found.bin_lo + np.arange(len(found.usd)), 5e-4)
    near = np.abs(prices / found.close - 1) <= 0.05
    assert longs.usd == pytest.approx(found.usd[near & (prices < found.close)].sum())
    assert shorts.usd == pytest.approx(found.usd[near & (prices >= found.close)].sum())
    for side in (longs, shorts):
        assert 0 < side.low < side.usd <= side.high
    wider, _ = within_distance(slice=found, close=found.close, pct=10.0)
    assert wider.usd > longs.usd


def test_bin_is_on_the_side_where_its_centre_lies() -> None:
    found = latest_slice(heatmap=make_built())
    assert found is not None
    inside = int(np.floor(np.log(found.close) / 5e-4))
    low, centre, high = (float(np.exp((inside + part) * 5e-4)) for part in (0.0, 0.5, 1.0))
    place = inside - found.bin_lo
    for close, is_long in ((centre * (1 + 1e-9), True), (centre * (1 - 1e-9), False), (low, False), (high, True)):
        assert bool(replace(found, close=close).is_long[place]) is is_long
    # The kernel's own words for it: longs below ceil(coordinate - 1/2).
    assert found.bins[found.is_long].max() == np.ceil(np.log(found.close) / 5e-4 - 0.5) - 1
    assert found.edges[0] < found.prices[0] < found.edges[1]


def test_coarse_tiles_hold_the_same_money() -> None:
    heatmap = make_built(steps=288)
    total = []
    for level in LEVELS:
        period = (epoch_ms(at_step(288)) - 1) // level.step_ms
        tiles = read_tiles(
            heatmap=heatmap, level=level.number, rows=range(200), cols=range(period // 256, period // 256 + 1)
        )
        codes = np.concatenate([decode(tile.body)[:, period % 256] for _, tile in sorted(tiles.items())])
        total.append(float(usd_from_code(codes, heatmap.code_floor_usd).sum()) * level.factor)
    np.testing.assert_allclose(total, total[0], rtol=2e-3)


def test_list_zones_puts_the_living_first(now: dt.datetime) -> None:
    heatmap = make_heatmap()
    for number, (hours, usd) in enumerate([(1, 5e6), (None, 1e6), (None, 9e6), (3, 2e6)], start=1):
        zone = make_zone(heatmap=heatmap, born_at=now, number=number)
        ended = None if hours is None else now + dt.timedelta(hours=hours)
        state = Zone.State.ACTIVE if hours is None else Zone.State.SWEPT
        Zone.objects.filter(pk=zone.pk).update(ended_at=ended, usd=usd, state=state)
    assert [zone.number for zone in list_zones(heatmap=heatmap)] == [3, 2, 4, 1]
    assert [zone.number for zone in list_zones(heatmap=heatmap, limit=1)] == [3]


def test_zones_between_are_those_alive_then(now: dt.datetime) -> None:
    heatmap, hour = make_heatmap(), dt.timedelta(hours=1)
    for number, (born, ended) in enumerate([(0, 1), (0, 5), (4, None), (9, None)], start=1):
        zone = make_zone(heatmap=heatmap, born_at=now + born * hour, number=number)
        if ended is not None:
            Zone.objects.filter(pk=zone.pk).update(ended_at=now + ended * hour, state=Zone.State.EXPIRED)
    found = zones_between(heatmap=heatmap, since=now + 3 * hour, until=now + 6 * hour)
    assert [zone.number for zone in found] == [2, 3]


def test_get_zone_brings_its_map_along(now: dt.datetime) -> None:
    zone = make_zone(heatmap=make_heatmap(), born_at=now)
    with CaptureQueriesContext(connection) as asked:
        found = get_zone(zone_id=zone.pk)
        assert (found.heatmap.release.slug, found.heatmap.instrument.key) == ("open-interest", "binance:BTCUSDT")
    assert len(asked) == 1
    with pytest.raises(Zone.DoesNotExist):
        get_zone(zone_id=zone.pk + 1)


def test_zone_evidence_has_no_floats(now: dt.datetime) -> None:
    zone = make_zone(heatmap=make_heatmap(), born_at=now)
    evidence = zone_evidence(zone=zone)
    assert evidence["now"]["price_low"] == "59000.04"
    assert evidence["at_formation_sha256"] == zone.evidence_sha256

    def floats(value: object) -> list[float]:
        if isinstance(value, dict):
            return [found for one in value.values() for found in floats(one)]
        return [value] if isinstance(value, float) else []

    assert floats(evidence) == []


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (1.5, "1.5"), (1e-7, "0.0000001"), (123456789012.0, "123456789000"), (-3.0, "-3")]
)
def test_decimal_text_has_no_exponent(value: float, text: str) -> None:
    assert decimal_text(value) == text


def test_map_size_counts_tiles() -> None:
    size = map_size(heatmap=make_built())
    assert size.tiles > 10
    assert size.tile_bytes > 10_000
    assert map_size(heatmap=make_heatmap(instrument=make_instrument(symbol="X"))).tile_bytes == 0
