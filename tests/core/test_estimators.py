from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heatmaps.core.bands import EDGES_PCT, Factors
from heatmaps.core.estimators import BUILT, FORMER, load_built
from heatmaps.core.estimators.base import BLOCK_MS, Estimate, freeze, pack, parameters_digest
from heatmaps.core.grid import bin_coordinate
from market.contracts import LiquidationRule
from market.series import MINUTE_MS
from market.terms import Terms

from .windows import START_MS, STEP_MS, cut, make_window, mirrored, scaled, without_bars, without_samples

SLUGS = sorted(BUILT)
STEPS = 200


def estimate(slug: str, *, seed: int = 0, until: int = STEPS) -> Estimate:
    window = cut(make_window(steps=STEPS, seed=seed), since_ms=START_MS, until_ms=START_MS + until * STEP_MS)
    return load_built(slug).estimate(window, None)


def same(one: Estimate, other: Estimate, start: int = 0, stop: int | None = None) -> bool:
    part = slice(start, stop)
    return (
        one.columns[part].tobytes() == other.columns.tobytes()
        and one.anchor[part].tobytes() == other.anchor.tobytes()
        and one.total[part].tobytes() == other.total.tobytes()
        and one.ledger[part].tobytes() == other.ledger.tobytes()
        and one.steps.digests[part] == other.steps.digests
    )


@pytest.mark.parametrize("slug", SLUGS)
def test_estimator_names_itself_on_every_output(slug: str) -> None:
    estimator, found = load_built(slug), estimate(slug)
    assert (estimator.slug, found.slug, found.version) == (slug, slug, estimator.version)
    assert len(found.steps) == STEPS


@pytest.mark.parametrize("slug", SLUGS)
def test_parameters_are_frozen_json(slug: str) -> None:
    parameters = load_built(slug).parameters
    assert json.loads(json.dumps(dict(parameters))) == dict(parameters)
    assert len(parameters_digest(parameters)) == 64
    with pytest.raises(TypeError):
        parameters["turnover"] = 0.2  # type: ignore[index]  # the point of the test
    assert parameters["bands"] == load_built(slug).bands
    factors = Factors.of(parameters)
    assert factors.low.shape == factors.high.shape == (2, len(EDGES_PCT))
    assert (factors.low > 0).all()
    assert (factors.low <= 1).all()
    assert (factors.high >= 1).all()


def test_digests_of_released_parameters_do_not_drift() -> None:
    # Another digest under the same version is a silent change of every map: raise the version instead.
    now = {(slug, load_built(slug).version): digest_of(slug)[:16] for slug in SLUGS}
    former = {key: parameters_digest(load_built(key[0], version=key[1]).parameters)[:16] for key in FORMER}
    assert now | former == RELEASED


RELEASED = {
    ("open-interest", "1"): "7610bdaad9e808f6",
    ("path-only", "1"): "34da57771fa14d62",
    ("open-interest", "2"): "7cc6cbc195b11b83",
    ("path-only", "2"): "607189bb125a77b0",
}


def digest_of(slug: str) -> str:
    return parameters_digest(load_built(slug).parameters)


@pytest.mark.parametrize("slug", SLUGS)
@settings(max_examples=8)
@given(until=st.integers(1, STEPS - 1), seed=st.integers(0, 3))
def test_prefix_run_is_the_prefix_of_the_whole_run(slug: str, until: int, seed: int) -> None:
    assert same(estimate(slug, seed=seed), estimate(slug, seed=seed, until=until), stop=until)


@pytest.mark.parametrize("slug", SLUGS)
@settings(max_examples=8)
@given(first=st.integers(1, STEPS - 2), second=st.integers(1, STEPS - 2), seed=st.integers(0, 3))
def test_run_cut_anywhere_goes_on_bit_for_bit(slug: str, first: int, second: int, seed: int) -> None:
    """A run that stops at two random steps and restarts from its newest kept bytes ends in the same bits."""
    window, estimator = make_window(steps=STEPS, seed=seed), load_built(slug)
    whole = estimate(slug, seed=seed)
    body, begin = b"", START_MS
    for stop in (*sorted((first, second)), STEPS):
        state = estimator.resume(body) if body else None
        part = estimator.estimate(cut(window, since_ms=begin, until_ms=START_MS + stop * STEP_MS), state)
        if part.kept:
            body, begin = part.kept[-1].body, part.kept[-1].through_ms
    assert same(whole, part, start=STEPS - len(part.steps))
    assert part.state is not None
    assert whole.state is not None
    assert pack(part.state) == pack(whole.state)


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("stop", [1, 50, 72, 100])
def test_frozen_state_goes_on_bit_for_bit_between_blocks(slug: str, stop: int) -> None:
    window, estimator, edge = make_window(steps=STEPS), load_built(slug), START_MS + stop * STEP_MS
    head = estimator.estimate(cut(window, since_ms=START_MS, until_ms=edge), None).state
    assert head is not None
    body = freeze(head)
    assert freeze(estimator.resume_exactly(body)) == body
    rest = cut(window, since_ms=edge, until_ms=START_MS + STEPS * STEP_MS)
    whole, part = estimate(slug), estimator.estimate(rest, estimator.resume_exactly(body))
    assert same(whole, part, start=stop)
    for damaged in (body[:8], body[:-1], body + bytes(8), pack(head)):
        with pytest.raises(ValueError, match=r"snapshot|buffer"):
            estimator.resume_exactly(damaged)


@pytest.mark.parametrize("slug", SLUGS)
def test_states_are_kept_at_every_block_of_six_hours(slug: str) -> None:
    found = estimate(slug)
    assert [kept.through_ms for kept in found.kept] == [START_MS + n * BLOCK_MS for n in (1, 2)]
    assert found.kept[0].digest == found.steps.digests[71]


@pytest.mark.parametrize("slug", SLUGS)
def test_gap_over_a_block_boundary_resumes_bit_for_bit(slug: str) -> None:
    hole = START_MS + 140 * STEP_MS, START_MS + 150 * STEP_MS
    window, estimator = make_window(steps=STEPS), load_built(slug)
    window = without_bars(window, since_ms=hole[0], until_ms=hole[1])
    whole = estimator.estimate(window, None)
    assert [kept.through_ms for kept in whole.kept] == [START_MS + BLOCK_MS]
    rest = cut(window, since_ms=START_MS + BLOCK_MS, until_ms=START_MS + STEPS * STEP_MS)
    part = estimator.estimate(rest, estimator.resume(whole.kept[0].body))
    assert same(whole, part, start=72)


def test_late_open_interest_makes_one_long_step() -> None:
    window = without_samples(make_window(steps=60), since_ms=START_MS + 20 * STEP_MS, until_ms=START_MS + 30 * STEP_MS)
    found = load_built("open-interest").estimate(window, None)
    assert len(found.steps) == 50
    assert found.steps.end_ms[20] - found.steps.end_ms[19] == 11 * STEP_MS


def test_path_only_ignores_open_interest_and_volume_after_the_first_sample() -> None:
    window = make_window(steps=80)
    other = make_window(steps=80)
    other.open_interest["open_interest"][1:] *= 3.0
    # Equal volumes within a five-minute bar: only the level of volume differs.
    other.bars["volume"] *= 7.0
    other.bars["quote_volume"] *= 7.0
    estimator = load_built("path-only")
    one, two = estimator.estimate(window, None), estimator.estimate(other, None)
    assert one.columns.tobytes() == two.columns.tobytes()
    assert set(one.steps.open_interest.tolist()) == {float(window.open_interest["open_interest"][0])}


@pytest.mark.parametrize("slug", SLUGS)
def test_provisional_columns_leave_the_state_alone(slug: str) -> None:
    window, estimator = make_window(steps=30, bar_ms=MINUTE_MS), load_built(slug)
    until = START_MS + 28 * STEP_MS + 2 * MINUTE_MS
    seen = cut(window, since_ms=START_MS, until_ms=START_MS + 28 * STEP_MS)
    state = estimator.estimate(seen, None).state
    assert state is not None
    before = pack(state)
    shown = estimator.provisional(cut(window, since_ms=state.through_ms, until_ms=until), state, limit=12)
    assert shown.steps.end_ms.tolist() == [START_MS + 29 * STEP_MS]
    assert pack(state) == before
    # Open interest stands still, so whatever price did not touch stays or shrinks by churn alone.
    assert shown.steps.open_interest.tolist() == [state.last_open_interest]


@pytest.mark.parametrize("slug", SLUGS)
def test_digests_are_those_of_the_estimate(slug: str) -> None:
    window, estimator = make_window(steps=STEPS), load_built(slug)
    whole = estimator.estimate(window, None)
    state = estimator.resume(whole.kept[0].body)
    rest = cut(window, since_ms=state.through_ms, until_ms=START_MS + STEPS * STEP_MS)
    expected = dict(zip(whole.steps.end_ms[72:].tolist(), whole.steps.digests[72:], strict=True))
    assert estimator.digests(rest, state) == expected


def test_damaged_snapshot_is_refused() -> None:
    body, estimator = estimate("open-interest").kept[0].body, load_built("open-interest")
    for damaged in (b"", body[:40], body[:-1], body + b"x", b"XXXX" + body[4:]):
        with pytest.raises(ValueError, match=r"snapshot|buffer"):
            estimator.resume(damaged)


def test_scaling_price_keeps_every_distance() -> None:
    # 2048 bins of 5 bp: the grid moves along by whole tiles.
    factor = float(np.exp(2048 * 5e-4))
    window = make_window(steps=100)
    one = load_built("open-interest").estimate(window, None)
    two = load_built("open-interest").estimate(scaled(window, price=factor), None)
    np.testing.assert_array_equal(two.anchor - one.anchor, 2048)
    np.testing.assert_allclose(two.columns, one.columns, atol=1e-5 * one.total.max())


def test_scaling_contracts_scales_columns() -> None:
    window = make_window(steps=100)
    one = load_built("open-interest").estimate(window, None)
    two = load_built("open-interest").estimate(scaled(window, contracts=4.0), None)
    np.testing.assert_array_equal(two.columns, 4.0 * one.columns)


def test_mirrored_market_gives_the_mirrored_map() -> None:
    """Quoted as 1 / price, under the inverse contract's rule, longs become shorts at the mirrored prices."""
    window = make_window(steps=60)
    window.bars["quote_volume"] = np.nan
    # A typical price that mirrors exactly: the mean of the extremes, in logarithms.
    window.bars["close"] = np.sqrt(window.bars["high"] * window.bars["low"])
    linear = load_built("open-interest").estimate(window, None)
    inverse = load_built("open-interest", terms=Terms(LiquidationRule.INVERSE_MARK)).estimate(mirrored(window), None)
    first = linear.anchor[0] + linear.columns.shape[1]
    np.testing.assert_array_equal(linear.anchor, linear.anchor[0])
    shift = -first - inverse.anchor[0]
    mirror = np.roll(inverse.columns[:, ::-1], shift, axis=1) if shift else inverse.columns[:, ::-1]
    # (high + low + close) / 3 is not the mirror of itself: entries differ by a fraction of a bin.
    np.testing.assert_allclose(linear.total, inverse.total, rtol=1e-3)
    for one, two in zip(linear.columns[-5:], mirror[-5:], strict=True):
        assert np.abs(np.cumsum(one) - np.cumsum(two)).max() < 0.01 * linear.total[-1]


@pytest.mark.parametrize("version", ["1", None])
def test_golden_figures_of_a_small_run(version: str | None) -> None:
    """A few numbers written down once: any change of the method shows here and asks for a new version."""
    found = load_built("open-interest", version=version).estimate(make_window(steps=STEPS), None)
    close = bin_coordinate(found.steps.close[-1:], 5e-4)[0]
    column = found.columns[-1].astype(float)
    bins = found.anchor[-1] + np.arange(len(column)) - close
    figures = [float(column[(bins >= low) & (bins < low + 100)].sum()) for low in (-400, -200, -100, 0, 100, 300)]
    np.testing.assert_allclose(figures, GOLDEN[version], rtol=1e-4)


GOLDEN = {
    "1": [2977.968, 12155.861, 22185.388, 17614.664, 16934.990, 5656.031],
    None: [2979.586, 12156.067, 22188.551, 17635.378, 16933.061, 5649.230],
}
