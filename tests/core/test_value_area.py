from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from heatmaps.core.structure import value_area, volume_profile
from heatmaps.core.structure.profile import SHARE, WIDTH, Profile, nodes

from .hours import walk


def test_profile_of_one_bar_is_even_and_holds_its_volume() -> None:
    found = volume_profile(np.array([10 * WIDTH]), np.array([0.0]), np.array([30.0]))
    assert found is not None
    assert found.first_bin == 0
    np.testing.assert_allclose(found.volume, [3.0] * 10 + [0.0], atol=1e-12)


def test_bar_without_height_lies_in_one_bin() -> None:
    found = volume_profile(np.array([2.5 * WIDTH]), np.array([2.5 * WIDTH]), np.array([7.0]))
    assert found is not None
    assert (found.first_bin, found.volume.tolist()) == (2, [7.0])


def test_no_volume_is_no_profile() -> None:
    one = np.array([1.0])
    assert volume_profile(one, one, np.array([0.0])) is None
    assert volume_profile(one, one, np.array([np.nan])) is None


@settings(max_examples=50)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 60), holes=st.sampled_from([0.0, 0.2]))
def test_profile_conserves_volume_and_its_value_area_is_the_densest(seed: int, count: int, holes: float) -> None:
    high, low, _ = walk(count, seed, holes)
    volume = np.random.default_rng(seed).lognormal(size=count)
    found = volume_profile(high, low, volume)
    assume(found is not None)
    assert found is not None
    assert found.volume.sum() == pytest.approx(volume[~np.isnan(high)].sum())
    area = value_area(found)
    edges = np.exp((found.first_bin + np.arange(len(found.volume) + 1)) * WIDTH)
    inside = np.zeros(len(found.volume), bool)
    for bottom, top in area.spans:
        inside |= (edges[:-1] >= bottom * (1 - 1e-9)) & (edges[1:] <= top * (1 + 1e-9))
    assert found.volume[inside].sum() / found.volume.sum() == pytest.approx(area.share)
    assert area.share >= SHARE - 1e-12
    # Nothing outside is denser than what is inside, and the least dense bin inside is needed.
    if not inside.all():
        assert found.volume[~inside].max() <= found.volume[inside].min() + 1e-12
    assert area.share - found.volume[inside].min() / found.volume.sum() < SHARE
    assert area.low <= area.poc <= area.high


def test_value_area_in_two_pieces_has_a_node_between() -> None:
    hump = np.exp(-0.5 * (np.arange(40) - 20.0) ** 2 / 16.0)
    profile = Profile(1000, np.concatenate([hump, hump * 0.9]))
    area = value_area(profile)
    assert len(area.spans) == 2
    assert len(area.nodes) == 1
    assert area.nodes[0] == pytest.approx(profile.middle(40), rel=2e-3)
    assert area.poc == profile.middle(20)


def test_one_hump_and_a_faint_second_one_have_no_node() -> None:
    hump = np.exp(-0.5 * (np.arange(40) - 20.0) ** 2 / 16.0)
    assert nodes(hump) == []
    assert nodes(np.concatenate([hump, hump * 0.05])) == []
