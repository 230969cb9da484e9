"""The contract that every entry of ESTIMATORS keeps, and what each known rule does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heatmaps.core.estimators import BUILT, ESTIMATORS, load_built, load_estimator
from heatmaps.core.estimators.base import BLOCK_MS, parameters_digest
from heatmaps.core.estimators.rule import LEVERAGES
from heatmaps.core.grid import bin_coordinate, lies_below
from market.series import BAR, DAY_MS, OPEN_INTEREST, Window

from .windows import START_MS, STEP_MS, cut, make_window, scaled, without_samples

if TYPE_CHECKING:
    from heatmaps.core.estimators.base import Map

SLUGS = list(ESTIMATORS)
RULES = [slug for slug in SLUGS if slug not in BUILT]
STEPS = 400
WIDTH = 5e-4


def estimate(slug: str, *, seed: int = 0, until: int = STEPS) -> Map:
    window = cut(make_window(steps=STEPS, seed=seed), since_ms=START_MS, until_ms=START_MS + until * STEP_MS)
    return load_estimator(slug).estimate(window, None)


def same(one: Map, other: Map, start: int = 0, stop: int | None = None) -> bool:
    part = slice(start, stop)
    return (
        one.columns[part].tobytes() == other.columns.tobytes()
        and one.anchor[part].tobytes() == other.anchor.tobytes()
        and one.steps.digests[part] == other.steps.digests
    )


@pytest.mark.parametrize("slug", SLUGS)
def test_estimators_name_themselves_and_freeze_their_parameters(slug: str) -> None:
    estimator, found = load_estimator(slug), estimate(slug, until=20)
    assert (estimator.slug, found.slug, found.version, len(found.steps)) == (slug, slug, estimator.version, 20)
    assert json.loads(json.dumps(dict(estimator.parameters))) == dict(estimator.parameters)
    with pytest.raises(TypeError):
        estimator.parameters["bin_bps"] = 1.0  # type: ignore[index]  # the point of the test


def test_digests_of_rules_do_not_drift() -> None:
    # Another digest under the same version is a silent change of every score: raise the version instead.
    assert {slug: parameters_digest(load_estimator(slug).parameters)[:12] for slug in RULES} == RELEASED


RELEASED = {
    "uniform": "75ad7fe39839",
    "ladder": "e8391ca8beae",
    "pivots": "a5ab386038ee",
    "candle-colour": "8a547cb6018c",
    "interest-change": "eb30f6e054bc",
    "turnover": "6565a5b7969d",
    "volume-profile": "6ebedc98e19f",
    "climatology": "3b70f714e862",
    "yesterday": "a57c539577c8",
}


def test_only_what_is_built_is_loaded_as_built() -> None:
    assert list(BUILT) == ["open-interest", "path-only"]
    for slug in RULES:
        with pytest.raises(KeyError):
            load_built(slug)


@pytest.mark.parametrize("slug", SLUGS)
@settings(max_examples=4)
@given(until=st.integers(1, STEPS - 1), seed=st.integers(0, 3))
def test_prefix_run_is_the_prefix_of_the_whole_run(slug: str, until: int, seed: int) -> None:
    assert same(estimate(slug, seed=seed), estimate(slug, seed=seed, until=until), stop=until)


@pytest.mark.parametrize("slug", SLUGS)
@settings(max_examples=4)
@given(first=st.integers(1, STEPS - 2), second=st.integers(1, STEPS - 2), seed=st.integers(0, 3))
def test_run_cut_anywhere_goes_on_bit_for_bit(slug: str, first: int, second: int, seed: int) -> None:
    """From the newest kept bytes after a stop, and from the state itself, a run ends in the same bits."""
    window, estimator = make_window(steps=STEPS, seed=seed), load_estimator(slug)
    whole = estimate(slug, seed=seed)
    body, begin = b"", START_MS
    state: Any = None
    for stop in (*sorted((first, second)), STEPS):
        until = START_MS + stop * STEP_MS
        held = estimator.resume(body) if body else None
        part = estimator.estimate(cut(window, since_ms=begin, until_ms=until), held)
        since = START_MS if state is None else state.through_ms
        state = estimator.estimate(cut(window, since_ms=since, until_ms=until), state).state
        if part.kept:
            body, begin = part.kept[-1].body, part.kept[-1].through_ms
    assert same(whole, part, start=STEPS - len(part.steps))
    assert (state.through_ms, state.digest) == (whole.state.through_ms, whole.state.digest)
    assert [kept.through_ms for kept in whole.kept] == [START_MS + n * BLOCK_MS for n in range(1, 6)]


@pytest.mark.parametrize("slug", SLUGS)
def test_maps_are_finite_and_hold_longs_below_shorts_above(slug: str) -> None:
    found = estimate(slug)
    assert np.isfinite(found.columns).all()
    assert (found.columns >= 0).all()
    assert found.columns[-1].sum() > 0


@pytest.mark.parametrize("slug", SLUGS)
def test_thin_input_is_no_crash(slug: str) -> None:
    estimator, window = load_estimator(slug), make_window(steps=40)
    nothing = Window(np.zeros(0, BAR), np.zeros(0, np.int64), np.zeros(0, OPEN_INTEREST))
    assert len(estimator.estimate(nothing, None).steps) == 0
    assert estimator.estimate(nothing, None).state is None
    window = without_samples(window, since_ms=START_MS + 10 * STEP_MS, until_ms=START_MS + 20 * STEP_MS)
    window.bars["volume"][30:] = 0.0
    window.open_interest["open_interest"][25:] *= 10.0
    assert np.isfinite(estimator.estimate(window, None).columns).all()


@pytest.mark.parametrize("slug", RULES)
def test_damaged_states_are_refused(slug: str) -> None:
    estimator, body = load_estimator(slug), estimate(slug).kept[0].body
    for damaged in (b"", body[:40], body[:-1], body + b"x"):
        with pytest.raises(ValueError, match=r"snapshot|buffer"):
            estimator.resume(damaged)


@pytest.mark.parametrize("slug", RULES)
def test_scaling_contracts_scales_the_map(slug: str) -> None:
    window = make_window(steps=100)
    one = load_estimator(slug).estimate(window, None)
    two = load_estimator(slug).estimate(scaled(window, contracts=4.0), None)
    np.testing.assert_allclose(two.columns, 4.0 * one.columns, rtol=1e-6)


def shown(found: Map, index: int) -> dict[int, float]:
    """Bins from the bin of the close to contracts, where there are any."""
    close = int(np.floor(bin_coordinate(found.steps.close[index], WIDTH))) - int(found.anchor[index])
    column = found.columns[index]
    return {int(place) - close: float(column[place]) for place in np.flatnonzero(column)}


def levels(side: float) -> list[int]:
    return sorted(int(np.rint(np.log(1 + side / leverage) / WIDTH)) for leverage in LEVERAGES)


def test_uniform_is_flat_within_ten_per_cent() -> None:
    column = shown(estimate("uniform"), -1)
    assert len({value for place, value in column.items() if place}) == 1
    assert (min(column), max(column)) == (-191, 191)


def test_static_ladder_shares_open_interest_over_five_leverages() -> None:
    found = estimate("ladder")
    column = shown(found, -1)
    assert sorted(column) == levels(-1.0) + levels(1.0)
    np.testing.assert_allclose(list(column.values()), found.steps.open_interest[-1] / 5, rtol=1e-6)


def flat(steps: int) -> Window:
    """Bars that never move, with the same volume and open interest."""
    window = make_window(steps=steps)
    for name in ("open", "high", "low", "close"):
        window.bars[name] = 60_000.0
    window.bars["volume"], window.bars["quote_volume"] = 100.0, 6e6
    window.open_interest["open_interest"] = 9_000.0
    return window


def test_candle_colour_adds_a_rise_to_the_side_of_the_candle_alone() -> None:
    window = flat(6)
    window.open_interest["open_interest"][3:] += 50.0
    for name in ("high", "close"):
        window.bars[name][3] = 60_060.0
    column = shown(load_estimator("candle-colour").estimate(window, None), 3)
    assert sorted(column) == levels(-1.0)
    assert sum(column.values()) == pytest.approx(50.0)


def test_interest_change_takes_a_fall_from_every_level() -> None:
    window = flat(6)
    window.open_interest["open_interest"][2:] = 10_000.0
    window.open_interest["open_interest"][4:] = 5_000.0
    found = load_estimator("interest-change").estimate(window, None)
    assert sum(shown(found, 3).values()) == pytest.approx(2_000.0)
    assert sum(shown(found, 4).values()) == pytest.approx(1_000.0)


def test_turnover_fades_by_half_in_three_days() -> None:
    window = flat(866)
    window.bars["volume"][1:] = 0.0
    found = load_estimator("turnover").estimate(window, None)
    assert sum(shown(found, 0).values()) == pytest.approx(200.0)
    assert sum(shown(found, 864).values()) == pytest.approx(100.0)


def test_volume_profile_is_the_traded_price_shifted() -> None:
    found = load_estimator("volume-profile").estimate(flat(3), None)
    assert sorted(shown(found, -1)) == levels(-1.0) + levels(1.0)
    assert sum(shown(found, -1).values()) == pytest.approx(18_000.0)


def test_pivot_is_known_twelve_steps_later_and_a_spike_at_once() -> None:
    window = flat(60)
    window.bars["low"][30] = 59_900.0
    found = load_estimator("pivots").estimate(window, None)
    # A flat past is one pivot after another on both sides from the first full span on: the dip ends those of longs.
    before, after = shown(found, 41), shown(found, 42)
    dip = int(np.floor(bin_coordinate(np.array(59_900.0), WIDTH))) - int(
        np.floor(bin_coordinate(np.array(60_000.0), WIDTH))
    )
    assert [place for place in after if place not in before] == [dip + level for level in levels(-1.0)]
    window.bars["volume"][50], window.bars["quote_volume"][50] = 300.0, 18e6
    spiked = load_estimator("pivots").estimate(window, None)
    assert spiked.columns[50].sum() - found.columns[50].sum() == pytest.approx(600.0)


def test_levels_that_price_touches_are_gone() -> None:
    for slug in ("pivots", "candle-colour", "interest-change", "turnover"):
        found = estimate(slug)
        for index in range(1, 200, 7):
            low = int(np.ceil(bin_coordinate(found.steps.low[index], WIDTH) - 0.5))
            bins = found.anchor[index] + np.arange(found.columns.shape[1])
            traded = (bins >= low) & lies_below(bins, float(found.steps.close[index]), WIDTH)
            assert found.columns[index][traded].sum() == 0.0


def test_climatology_is_the_mean_of_our_columns_by_distance() -> None:
    ours, found = estimate("open-interest", until=50), estimate("climatology", until=50)
    middle = np.floor(bin_coordinate(ours.steps.close, WIDTH) - 0.5).astype(int) - ours.anchor
    assert len(set(ours.anchor.tolist())) == 1
    rows = [np.roll(column.astype(float), -int(place)) for column, place in zip(ours.columns, middle, strict=True)]
    np.testing.assert_allclose(np.roll(found.columns[-1], -int(middle[-1])), np.mean(rows, axis=0), rtol=1e-5)


def test_yesterday_stands_still_from_midnight_on() -> None:
    ours, found = estimate("open-interest"), estimate("yesterday")
    midnight = int(np.flatnonzero(ours.steps.end_ms % DAY_MS == 0)[0])
    assert found.columns[midnight - 1].sum() == 0.0
    np.testing.assert_array_equal(found.columns[midnight], ours.columns[midnight])
    bins = ours.anchor[midnight] + np.arange(ours.columns.shape[1])
    was, now = (lies_below(bins, float(ours.steps.close[index]), WIDTH) for index in (midnight, -1))
    expected = np.where(was == now, ours.columns[midnight], 0.0)
    np.testing.assert_array_equal(found.columns[-1], expected)
