from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heatmaps.core.layers import LAYERS, Hours, load_layer, read
from heatmaps.core.layers.base import HISTORY, LEAST, REFERENCE, WINDOW, percentile_ranks
from market.series import FUNDING, HOUR_MS, OPEN_INTEREST

from .hours import END_MS, flat, make_hours, make_series, with_holes

SLUGS = sorted(LAYERS)
WHOLE = make_hours(count=WINDOW + 100)
READ = read(WHOLE)


def same(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether what both tell of is equal bit by bit, and something is."""
    both = ~np.isnan(one) & ~np.isnan(other)
    return bool(one[both].tobytes() == other[both].tobytes())


# --- the contract that every layer keeps ------------------------------------------------------------------------------


@pytest.mark.parametrize("slug", SLUGS)
def test_layer_declares_itself(slug: str) -> None:
    layer = load_layer(slug)
    assert (layer.slug, layer.kind in {"gauge", "state", "levels"}) == (slug, True)
    assert layer.title
    assert layer.rule.endswith(".")
    assert bool(layer.states) == (layer.kind == "state")
    assert list(LAYERS).index(slug) > max((list(LAYERS).index(one) for one in layer.rests_on), default=-1)
    assert set(layer.needs) <= {"bars", "open_interest", "funding", "depth", "account_ratio"}


@pytest.mark.parametrize("slug", SLUGS)
@settings(max_examples=6)
@given(back=st.integers(1, 99), seed=st.integers(0, 2))
def test_layer_looks_at_nothing_after_its_hour(slug: str, back: int, seed: int) -> None:
    hours = make_hours(count=WINDOW + 100, seed=seed)
    stop = len(hours) - back
    whole, prefix = read(hours, slugs=[slug])[slug], read(hours.part(0, stop), slugs=[slug])[slug]
    assert same(whole.values[:stop], prefix.values)
    assert same(whole.percentiles[:stop], prefix.percentiles)
    for name, values in prefix.series.items():
        assert same(whole.series[name][:stop], values), name


@pytest.mark.parametrize("slug", SLUGS)
@settings(max_examples=6)
@given(start=st.integers(1, 100))
def test_layer_says_the_same_whatever_the_window_began_with(slug: str, start: int) -> None:
    whole, later = READ[slug], read(WHOLE.part(start, len(WHOLE)), slugs=[slug])[slug]
    newest = slice(-HISTORY, None)
    for one, other in [(whole.values, later.values), (whole.percentiles, later.percentiles)]:
        assert one[newest].tobytes() == other[newest].tobytes()
    assert (whole.numbers, whole.reason) == (later.numbers, later.reason)
    assert (whole.levels, repr(whole.found)) == (later.levels, repr(later.found))


@pytest.mark.parametrize("slug", SLUGS)
def test_layer_is_deterministic(slug: str) -> None:
    again = read(WHOLE)[slug]
    assert again.values.tobytes() == READ[slug].values.tobytes()
    assert again.numbers == READ[slug].numbers


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("hours", [WHOLE.part(0, 0), WHOLE.part(0, 1), with_holes(WHOLE, slice(None))])
def test_layer_without_input_refuses_with_a_reason(slug: str, hours: Hours) -> None:
    # One hour is enough to tell what is reported of it, and for nothing else.
    told = slug in {"funding", "depth", "accounts"} and len(hours) == 1 and not np.isnan(hours.depth["mid"]).any()
    found = read(hours)[slug]
    assert (found.reason != "") == (not told or slug == "funding")
    assert np.isnan(found.percentiles).all()
    assert (found.levels, found.found) == ((), None)


@pytest.mark.parametrize("slug", ["regime", "volatility", "range", "swings", "value-area"])
def test_layer_refuses_a_price_that_stood_still(slug: str) -> None:
    found = read(flat(WHOLE))[slug]
    assert (found.reason, np.isnan(found.values[-1])) == ("the price stood still", True)


@pytest.mark.parametrize("slug", SLUGS)
def test_missing_newest_hour_is_a_hole_with_a_reason(slug: str) -> None:
    found = read(with_holes(WHOLE, slice(-1, None)))[slug]
    # Swings and a value area that were known an hour ago are not carried on.
    assert (np.isnan(found.values[-1]), found.reason != "") == (True, True)


@pytest.mark.parametrize("slug", ["funding", "open-interest", "volatility", "flow", "depth", "accounts"])
def test_hole_stays_a_hole_and_is_nobody_elses(slug: str) -> None:
    hole = len(WHOLE) - 200
    found = read(with_holes(WHOLE, slice(hole, hole + 1)))[slug]
    assert np.isnan(found.values[hole])
    assert np.isfinite(found.values[[hole - 1, -1]]).all()
    assert found.known[-1] < READ[slug].known[-1]


def test_thin_history_gives_values_without_percentiles() -> None:
    found = read(make_hours(count=LEAST - 1))
    assert np.isfinite(found["volatility"].values[-1])
    assert np.isnan(found["volatility"].percentiles).all()
    assert found["crowding"].reason == "funding: less than 14 d stored to compare with"


# --- percentiles ------------------------------------------------------------------------------------------------------


def plain_rank(values: list[float], i: int) -> float:
    past = [one for one in values[max(0, i + 1 - REFERENCE) : i + 1] if not math.isnan(one)]
    if math.isnan(values[i]) or len(past) < LEAST or i < len(values) - HISTORY:
        return float("nan")
    below, equal = sum(one < values[i] for one in past), sum(one == values[i] for one in past)
    return 100.0 * (below + 0.5 * equal) / len(past)


@settings(max_examples=10)
@given(count=st.integers(0, WINDOW), seed=st.integers(0, 9), share=st.sampled_from([0.0, 0.3, 1.0]))
def test_percentile_is_that_of_the_slow_twin(count: int, seed: int, share: float) -> None:
    draw = np.random.default_rng(seed)
    values = np.round(draw.normal(size=count), 1)
    values[draw.uniform(size=count) < share] = np.nan
    ranks, known = percentile_ranks(values)
    for i in {0, count // 2, count - LEAST, count - HISTORY, count - 2, count - 1} & set(range(count)):
        assert ranks[i] == pytest.approx(plain_rank(values.tolist(), i), nan_ok=True, abs=1e-12)
    assert count == 0 or known[-1] == np.isfinite(values[-REFERENCE:]).sum()


def test_rate_at_its_base_is_neither_high_nor_low() -> None:
    values = np.full(LEAST * 2, 1e-4)
    assert percentile_ranks(values)[0][-1] == 50.0


# --- laying series on hours -------------------------------------------------------------------------------------------


def funding_rows(*rows: tuple[float, float, float]) -> np.ndarray:
    return np.array([(END_MS + int(at * HOUR_MS), rate, interval) for at, rate, interval in rows], FUNDING)


def test_funding_holds_for_its_interval_and_not_beyond() -> None:
    rates = funding_rows((-20, 1e-4, 28_800.0), (-3, 2e-4, 3600.0))
    hours = Hours.of(end_ms=END_MS, count=24, series={"funding": rates})
    expected = [np.nan] * 3 + [1e-4] * 9 + [np.nan] * 8 + [2e-4] * 2 + [np.nan] * 2
    np.testing.assert_array_equal(hours.funding, expected)
    assert (hours.funding_hours[3], hours.funding_hours[20]) == (8.0, 1.0)


def test_untold_funding_interval_is_the_distance_to_the_print_before() -> None:
    rates = funding_rows((-8, 1e-4, np.nan), (-4 + 0.001, 1e-4, np.nan), (0, 1e-4, np.nan))
    hours = Hours.of(end_ms=END_MS, count=12, series={"funding": rates})
    # The print of -4 h came a few seconds late, so at that hour's end it was not known.
    np.testing.assert_array_equal(hours.funding_hours[3:], [8.0] * 5 + [4.0] * 3 + [4.0])


def test_percentile_of_funding_compares_rates_per_hour() -> None:
    series = make_series(count=WINDOW)
    funding = series["funding"]
    funding["rate"], funding["interval_s"] = 8e-4, 28_800.0
    funding["rate"][-1], funding["interval_s"][-1] = 1e-4, 3600.0
    hours = Hours.of(end_ms=END_MS, count=WINDOW, series=series)
    found = read(hours, slugs=["funding"])["funding"]
    assert found.values[-1] == pytest.approx(0.01)
    assert found.percentiles[-1] == 50.0


def test_sample_belongs_to_the_hour_that_ends_with_or_after_it() -> None:
    samples = np.zeros(3, OPEN_INTEREST)
    samples["time"] = [END_MS - 2 * HOUR_MS, END_MS - HOUR_MS + 1, END_MS + 1]
    samples["open_interest"] = [1.0, 2.0, 3.0]
    hours = Hours.of(end_ms=END_MS, count=3, series={"open_interest": samples})
    np.testing.assert_array_equal(hours.open_interest, [1.0, np.nan, 2.0])


# --- closed forms -----------------------------------------------------------------------------------------------------


def test_volatility_of_alternating_steps() -> None:
    close = 100.0 * np.exp(0.01 * (np.arange(100) % 2))
    hours = make_hours(count=100)
    moved = Hours(**{name: getattr(hours, name) for name in Hours.__slots__} | {"close": close})
    assert read(moved, slugs=["volatility"])["volatility"].values[-1] == pytest.approx(np.sqrt(24 * 365))


def test_change_of_open_interest_over_a_day() -> None:
    found = READ["open-interest"].values
    assert found[-1] == 100.0 * (WHOLE.open_interest[-1] / WHOLE.open_interest[-25] - 1.0)


def test_flow_is_the_share_that_buyers_took_more_than_sellers() -> None:
    bought, volume = WHOLE.taker_buy_volume[-24:], WHOLE.volume[-24:]
    assert READ["flow"].values[-1] == pytest.approx(100 * (2 * bought - volume).sum() / volume.sum())


def test_flow_diverges_where_price_and_delta_part() -> None:
    rising = 100.0 + np.concatenate([np.arange(40), 39 - np.arange(8), 31 + np.arange(20), 50 - np.arange(8)])
    hours = make_hours(count=len(rising))
    fields = {name: getattr(hours, name) for name in Hours.__slots__}
    fields |= {"high": rising + 0.1, "low": rising - 0.1, "close": rising, "volume": np.full(len(rising), 10.0)}
    sold = Hours(**fields | {"taker_buy_volume": np.full(len(rising), 4.0)})
    numbers = read(sold, slugs=["flow"])["flow"].numbers
    assert numbers["highs_price_pct"] == pytest.approx(100 * (50.1 + 100) / 139.1 - 100)
    assert numbers["highs_delta_pct"] == pytest.approx(-20.0)
    assert numbers["highs_diverge"] == 1.0
