from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heatmaps.core.structure import Boundary, Place, Range, place_band, resting_within
from market.series import DEPTH, DEPTH_BPS

UPPER = Boundary(110.0, 3, 2, 0.0, is_clean=True)
LOWER = Boundary(100.0, 3, 2, 0.0, is_clean=False)
RANGE = Range(48, LOWER, UPPER, 0.01, 0.1, math.log(1.1), 0.2)


@pytest.mark.parametrize(
    ("band", "place"),
    [
        ((112.0, 113.0), Place.BEYOND),
        ((110.5, 113.0), Place.AT_BOUNDARY),
        ((109.0, 109.5), Place.AT_BOUNDARY),
        ((104.0, 105.0), Place.INSIDE),
        ((98.0, 100.5), Place.AT_BOUNDARY),
        ((96.0, 98.5), Place.BEYOND),
    ],
)
def test_band_against_a_range(band: tuple[float, float], place: Place) -> None:
    found = place_band(low=band[0], high=band[1], price=106.0, found=RANGE, sigma=1e-3)
    assert found.place is place
    mirrored = place_band(low=1 / band[1], high=1 / band[0], price=1 / 106.0, found=mirror(RANGE), sigma=1e-3)
    assert mirrored.place is place
    assert mirrored.past == pytest.approx(found.past)


def mirror(one: Range) -> Range:
    return one._replace(
        lower=one.upper._replace(price=1 / one.upper.price), upper=one.lower._replace(price=1 / one.lower.price)
    )


def test_numbers_of_a_band_beyond_the_range() -> None:
    found = place_band(low=112.0, high=113.0, price=106.0, found=RANGE, sigma=0.02)
    assert found.distance == pytest.approx(math.log(112 / 106))
    assert found.sigmas == pytest.approx(math.log(112 / 106) / 0.02)
    assert found.past == pytest.approx(math.log(112 / 110))
    assert (found.epsilon, found.is_clean) == (0.01, True)


def test_near_band_is_noise_wherever_it_lies_and_larger_zones_hide() -> None:
    near = {"low": 112.0, "high": 113.0, "price": 111.9, "found": RANGE}
    assert place_band(**near, sigma=0.02).place is Place.NOISE  # type: ignore[arg-type]
    assert place_band(**near, sigma=None).place is Place.BEYOND  # type: ignore[arg-type]
    assert place_band(**near, sigma=None, is_behind=True).place is Place.BEHIND  # type: ignore[arg-type]


def test_exactly_half_a_deviation_is_no_noise() -> None:
    distance = math.log(112.0 / 106.0)
    assert place_band(low=112.0, high=113.0, price=106.0, found=None, sigma=2 * distance).place is None
    assert place_band(low=112.0, high=113.0, price=106.0, found=None, sigma=2.01 * distance).place is Place.NOISE


def test_band_around_the_price_is_at_no_distance() -> None:
    found = place_band(low=105.0, high=107.0, price=106.0, found=RANGE, sigma=0.01)
    assert (found.distance, found.sigmas, found.place) == (0.0, 0.0, Place.NOISE)


def test_band_across_the_whole_range_is_at_its_boundary() -> None:
    assert place_band(low=95.0, high=115.0, price=106.0, found=RANGE, sigma=None).place is Place.AT_BOUNDARY


def test_without_a_range_there_are_no_numbers_of_one() -> None:
    found = place_band(low=112.0, high=113.0, price=106.0, found=None, sigma=0.01)
    assert (found.place, found.past, found.epsilon, found.is_clean) == (None, None, None, None)


@pytest.mark.parametrize(
    "change", [{"low": 0.0}, {"low": 114.0}, {"price": 0.0}, {"price": math.nan}, {"sigma": 0.0}, {"sigma": math.nan}]
)
def test_band_that_can_not_be_is_refused(change: dict[str, float]) -> None:
    band = {"low": 112.0, "high": 113.0, "price": 106.0, "found": None, "sigma": 0.01} | change
    with pytest.raises(ValueError, match="positive"):
        place_band(**band)  # type: ignore[arg-type]


# --- depth to a band --------------------------------------------------------------------------------------------------


def book(**held: float) -> np.void:
    row = np.zeros(1, DEPTH)
    for bps in DEPTH_BPS:
        row[f"bid_{bps}"], row[f"ask_{bps}"] = held.get(f"bid_{bps}", math.nan), held.get(f"ask_{bps}", math.nan)
    found: np.void = row[0]
    return found


def test_depth_between_two_steps_lies_between_what_they_hold() -> None:
    found = resting_within(book(ask_100=10.0, ask_200=30.0), distance_bps=150.0, is_ask=True)
    assert found is not None
    assert tuple(found) == (20.0, 10.0, 30.0)


def test_depth_at_a_step_is_known() -> None:
    found = resting_within(book(bid_100=10.0, bid_200=30.0), distance_bps=100.0, is_ask=False)
    assert found is not None
    assert tuple(found) == (10.0, 10.0, 10.0)


def test_depth_beyond_the_last_step_is_at_least_that() -> None:
    found = resting_within(book(bid_10=1.0, bid_25=2.0), distance_bps=300.0, is_ask=False)
    assert found is not None
    assert tuple(found) == (None, 2.0, None)


def test_book_without_that_side_tells_nothing() -> None:
    assert resting_within(book(bid_10=1.0), distance_bps=5.0, is_ask=True) is None


@settings(max_examples=50)
@given(
    held=st.lists(st.floats(0, 1e9), min_size=6, max_size=6).map(lambda one: np.cumsum(one).tolist()),
    far=st.floats(0, 600),
)
def test_depth_is_between_its_ends_and_never_falls(held: list[float], far: float) -> None:
    row = book(**{f"ask_{bps}": usd for bps, usd in zip(DEPTH_BPS, held, strict=True)})
    found, nearer = (resting_within(row, distance_bps=one, is_ask=True) for one in (far, far / 2))
    assert found is not None
    assert nearer is not None
    assert found.low >= nearer.low
    if found.usd is not None and found.high is not None:
        assert found.low - 1e-6 <= found.usd <= found.high + 1e-6
