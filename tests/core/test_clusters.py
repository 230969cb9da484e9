from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from heatmaps.core.clusters import Column, find_clusters, smooth

from .hills import CLOSE, FIRST, WIDTH, bump, column

if TYPE_CHECKING:
    from heatmaps.core.clusters import Cluster


def strong(usd: np.ndarray) -> tuple[Cluster, ...]:
    return find_clusters(column(usd, at=0), WIDTH)[0]


def test_one_hill_on_each_side_is_found_at_its_peak() -> None:
    found = strong(bump((21_900, 10.0), (22_150, 5.0)))
    assert [(one.side, one.peak) for one in found] == [(1, 21_900), (-1, 22_150)]
    assert all(one.low < one.peak < one.high for one in found)
    hill = found[0]
    assert hill.usd == pytest.approx(bump((21_900, 10.0), (22_150, 5.0))[hill.low - FIRST : hill.high - FIRST].sum())


def test_two_hills_without_a_valley_are_one_cluster() -> None:
    one = strong(bump((21_900, 10.0), (21_908, 9.0)))
    assert len(one) == 1
    two = strong(bump((21_860, 10.0), (21_900, 9.0)))
    assert [cluster.peak for cluster in two] == [21_860, 21_900]


def test_small_hills_and_far_hills_have_no_name() -> None:
    usd = bump((21_900, 10.0), (21_700, 1.5), base=0.5)
    assert [one.peak for one in strong(usd)] == [21_900]
    far = bump((21_900, 10.0), (21_600, 10.0))
    assert [one.peak for one in strong(far)] == [21_900]


def test_empty_slice_has_no_clusters() -> None:
    assert find_clusters(column(np.zeros(1000), at=0), WIDTH) == ((), ())
    assert find_clusters(column(np.zeros(0), at=0), WIDTH) == ((), ())


def test_what_was_known_is_recognised_by_less() -> None:
    """A hill of 8 % over its saddle has no name of its own, but would keep one."""
    found = find_clusters(column(bump((21_860, 10.0), (21_878, 9.0), base=9.0), at=0), WIDTH)
    assert [[one.peak for one in some] for some in found] == [[21_861], [21_861, 21_877]]


def test_level_ground_stays_level_up_to_its_ends() -> None:
    np.testing.assert_allclose(smooth(np.full(200, 7.0)), 7.0, rtol=1e-12)


def test_sums_do_not_depend_on_where_a_column_begins() -> None:
    usd = np.random.default_rng(1).lognormal(10.0, 2.0, 1000)
    wider = Column(0, FIRST - 256, np.concatenate((np.zeros(256), usd, np.zeros(512))), CLOSE, CLOSE, CLOSE)
    one = column(usd, at=0)
    spans = [(FIRST - 9, FIRST + 5), (FIRST + 7, FIRST + 400), (FIRST + 990, FIRST + 1200), (0, 10)]
    assert [one.between(*span) for span in spans] == [wider.between(*span) for span in spans]
    assert one.between(FIRST + 7, FIRST + 400) == pytest.approx(usd[7:400].sum(), rel=1e-12)
