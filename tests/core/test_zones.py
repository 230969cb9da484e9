from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from heatmaps.core.zones import SLICE_MS, Cluster, Column, Ending, Tracked, Tracker, find_clusters

WIDTH = 5e-4
CLOSE = 22_000.0
FIRST = 21_500
STEP_MS = 300_000


def bump(*peaks: tuple[int, float], base: float = 1.0) -> np.ndarray:
    """A level ground with Gaussian hills of 6 bins around the given bins."""
    bins = FIRST + np.arange(1000)
    ground = np.full(1000, base)
    for peak, height in peaks:
        ground += height * np.exp(-0.5 * ((bins - peak) / 6.0) ** 2)
    return ground


def column(usd: np.ndarray, *, at: int, low: float = CLOSE, high: float = CLOSE, close: float = CLOSE) -> Column:
    return Column(at, FIRST, usd, low, high, close)


def test_one_hill_on_each_side_is_found_at_its_peak() -> None:
    found = find_clusters(column(bump((21_900, 10.0), (22_150, 5.0)), at=0), WIDTH)
    assert [(one.side, one.peak) for one in found] == [(1, 21_900), (-1, 22_150)]
    assert all(one.low < one.peak < one.high for one in found)
    hill = found[0]
    assert hill.usd == pytest.approx(bump((21_900, 10.0), (22_150, 5.0))[hill.low - FIRST : hill.high - FIRST].sum())


def test_two_hills_without_a_valley_are_one_cluster() -> None:
    one = find_clusters(column(bump((21_900, 10.0), (21_908, 9.0)), at=0), WIDTH)
    assert len(one) == 1
    two = find_clusters(column(bump((21_860, 10.0), (21_900, 9.0)), at=0), WIDTH)
    assert [cluster.peak for cluster in two] == [21_860, 21_900]


def test_small_hills_and_far_hills_have_no_name() -> None:
    usd = bump((21_900, 10.0), (21_700, 1.5), base=0.5)
    assert [one.peak for one in find_clusters(column(usd, at=0), WIDTH)] == [21_900]
    far = bump((21_900, 10.0), (21_600, 10.0))
    assert [one.peak for one in find_clusters(column(far, at=0), WIDTH)] == [21_900]


def test_empty_slice_has_no_clusters() -> None:
    assert find_clusters(column(np.zeros(1000), at=0), WIDTH) == ()
    assert find_clusters(column(np.zeros(0), at=0), WIDTH) == ()


def test_zone_is_born_in_the_second_slice_that_shows_it() -> None:
    tracker, usd = Tracker(WIDTH), bump((21_900, 10.0))
    born = [len(tracker.step(column(usd, at=n * STEP_MS))[0]) for n in range(12, 37)]
    assert [index for index, count in enumerate(born) if count] == [12]
    assert [zone.cluster.side for zone in tracker.alive] == [1]


def test_zone_is_not_born_over_a_missing_slice() -> None:
    tracker, usd = Tracker(WIDTH), bump((21_900, 10.0))
    assert tracker.step(column(usd, at=SLICE_MS)) == ([], [])
    assert tracker.step(column(usd, at=3 * SLICE_MS)) == ([], [])
    assert len(tracker.step(column(usd, at=4 * SLICE_MS))[0]) == 1


def test_zone_is_not_born_while_the_map_is_half_empty() -> None:
    tracker, usd = Tracker(WIDTH), bump((21_900, 10.0))
    for hour in (1, 2, 3):
        half = Column(hour * SLICE_MS, FIRST, usd, CLOSE, CLOSE, CLOSE, allocated=0.5)
        assert tracker.step(half) == ([], [])


def tracked(side: int = 1, low: int = 21_890, high: int = 21_911) -> Tracker:
    held = float(bump((21_900, 10.0), (22_100, 10.0))[low - FIRST : high - FIRST].sum())
    cluster = Cluster(side, low, high, (low + high) // 2, held)
    return Tracker(WIDTH, [Tracked(cluster, held, 0, 0, held)])


def end(tracker: Tracker, *columns: Column) -> list[tuple[Ending | None, int | None]]:
    ended = [zone for one in columns for zone in tracker.step(one)[1]]
    return [(zone.ending, zone.ended_ms) for zone in ended]


def test_zone_is_tested_and_then_swept() -> None:
    tracker = tracked()
    usd = bump((21_900, 10.0))
    touched = usd.copy()
    touched[21_909 - FIRST :] = 0.0
    assert end(tracker, column(touched, at=STEP_MS, low=21_908.7)) == []
    assert tracker.alive[0].tested_ms == STEP_MS
    gone = usd.copy()
    gone[21_889 - FIRST :] = 0.0
    assert end(tracker, column(gone, at=2 * STEP_MS, low=21_889.2)) == [(Ending.SWEPT, 2 * STEP_MS)]
    assert tracker.alive == []


def test_short_zone_is_swept_from_below() -> None:
    tracker = tracked(-1, 22_090, 22_111)
    usd = bump((22_100, 10.0))
    usd[: 22_112 - FIRST] = 0.0
    assert end(tracker, column(usd, at=STEP_MS, high=22_111.4)) == [(Ending.SWEPT, STEP_MS)]


def test_zone_mostly_eaten_by_price_is_swept() -> None:
    tracker = tracked()
    usd = bump((21_900, 10.0))
    usd[21_896 - FIRST :] = 0.0
    assert end(tracker, column(usd, at=STEP_MS, low=21_896.2)) == [(Ending.SWEPT, STEP_MS)]


def test_zone_that_closes_away_from_price_fades() -> None:
    tracker = tracked()
    assert end(tracker, column(0.6 * bump((21_900, 10.0)), at=STEP_MS)) == []
    assert end(tracker, column(0.4 * bump((21_900, 10.0)), at=2 * STEP_MS)) == [(Ending.FADED, 2 * STEP_MS)]


def test_zone_missing_from_six_slices_fades() -> None:
    tracker = tracked()
    # Level ground: the band still holds something, but nothing stands out.
    level = np.full(1000, 9.0)
    found = end(tracker, *(column(level, at=hour * SLICE_MS) for hour in range(1, 8)))
    assert found == [(Ending.FADED, 6 * SLICE_MS)]


def test_zone_follows_its_cluster_until_price_is_in_it() -> None:
    tracker = tracked()
    tracker.step(column(bump((21_905, 10.0)), at=SLICE_MS))
    assert tracker.alive[0].cluster.peak == 21_905
    band = tracker.alive[0].cluster
    tracker.step(column(bump((21_905, 10.0)), at=SLICE_MS + STEP_MS, low=band.high - 1.0))
    tracker.step(column(bump((21_903, 10.0)), at=2 * SLICE_MS))
    assert tracker.alive[0].cluster == band


def test_zones_do_not_overlap_at_birth() -> None:
    tracker = tracked()
    wide = bump((21_900, 10.0), (21_925, 9.0))
    for hour in (1, 2, 3):
        tracker.step(column(wide, at=hour * SLICE_MS))
    bands = sorted((zone.cluster.low, zone.cluster.high) for zone in tracker.alive)
    assert len(bands) == 2
    assert bands[0][1] <= bands[1][0]


def test_nothing_ends_for_being_small_while_part_of_the_map_is_missing() -> None:
    tracker, level = tracked(), np.full(1000, 0.1)
    found = end(tracker, *(replace(column(level, at=hour * SLICE_MS), is_partial=True) for hour in range(1, 10)))
    assert found == []
    swept = replace(column(level, at=10 * SLICE_MS, low=21_880.0), is_partial=True)
    assert end(tracker, swept) == [(Ending.SWEPT, 10 * SLICE_MS)]
