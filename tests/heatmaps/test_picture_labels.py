"""Names in the server's picture: none covers another, and each stands as near its price as it can."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heatmaps.picture import INKS, Band, Frame, labels, price_range
from tests.heatmaps.test_picture import make_scene

SIZES = ((390, 440), (1052, 640), (1440, 810))
PLACES = st.lists(st.floats(-200, 700), max_size=12)
LAYERS = ("Point of control", "Range low", "Range high, clean")


def test_what_has_room_stays_where_it_is() -> None:
    assert labels.spread([300.0, 20.0, 80.0], first=12, last=380) == [300.0, 20.0, 80.0]


def test_neighbours_move_apart_by_as_much_as_they_must() -> None:
    assert labels.spread([233.0, 250.0], first=12, last=380, apart=21) == [231.0, 252.0]
    assert labels.spread([5.0, 9.0], first=12, last=380, apart=21) == [12.0, 33.0]
    assert labels.spread([379.0, 379.0, 100.0], first=12, last=380, apart=21) == [359.0, 380.0, 100.0]
    assert labels.spread([], first=12, last=380) == []


@given(PLACES)
def test_places_are_apart_within_the_plot_and_in_order(wanted: list[float]) -> None:
    found = labels.spread(wanted, first=12, last=380)
    assert all(12 - 1e-6 <= place <= 380 + 1e-6 for place in found)
    for (one, at), (other, there) in combinations(zip(wanted, found, strict=True), 2):
        assert abs(at - there) >= labels.APART - 1e-6
        assert one == other or (one < other) == (at < there)


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("notice", ["", "Partial: without bybit"])
def test_no_tag_touches_another(width: int, height: int, notice: str) -> None:
    """At one price, at the plot's ends and beyond them; names are the longest that there are."""
    scene = make_scene()
    bottom, top = price_range(scene.bars)
    step = (top - bottom) / 400
    zones = tuple(
        Band(0, price - 2 * step, price + 2 * step, is_long=True, label="Z-4321 $1.23B ($1.01B-1.50B)")
        for price in (60_000, 60_000 + step, bottom, top, top + 9 * step)
    )
    lines = tuple((name, 60_000 + at * step, True) for at, name in enumerate(LAYERS))
    ends = (("Range low", bottom + step, False), ("Range high", top - step, True), ("Beyond", top + step, True))
    frame = Frame(width - 74, height - 72, top, bottom, 3.0)
    tags = labels.tags_of(replace(scene, zones=zones, lines=lines + ends, notice=notice), frame, INKS["dark"])
    assert len(tags) == 9
    assert "Beyond" not in {tag.text for tag in tags}
    for one, other in combinations(tags, 2):
        left, upper, right, lower = one.box()
        left_too, upper_too, right_too, lower_too = other.box()
        between = (max(left, left_too) - min(right, right_too), max(upper, upper_too) - min(lower, lower_too))
        assert max(between) >= 4, (one, other)
    for tag in tags:
        left, upper, right, lower = tag.box()
        assert (left >= 0, upper >= (28 if notice and not left else 0)) == (True, True)
        assert (right <= frame.width, lower <= frame.height) == (True, True)
