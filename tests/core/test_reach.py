"""The chance of a touch against closed forms, slow twins and histories that do not carry it."""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heatmaps.core.reach import (
    DAY,
    FLAT,
    GAPS,
    HORIZONS,
    Fit,
    Path,
    UnusableHistoryError,
    fit,
    least_days,
    reflection,
    release_digest,
    sampled_reflection,
)
from market.series import BAR, STEP_MS

if TYPE_CHECKING:
    from market.series import Records

SIGMA = 1e-3
TICKS = 60


def walk(*, days: float, seed: int = 3, ticks: int = TICKS) -> Records:
    """BAR[n] of a Brownian motion of SIGMA a bar, each bar of so many ticks."""
    count = round(days * DAY)
    moves = np.random.default_rng(seed).normal(0.0, SIGMA / math.sqrt(ticks), (count, ticks))
    path = np.cumsum(moves.ravel()).reshape(count, ticks)
    start = np.concatenate(([0.0], path[:-1, -1]))
    bars = np.zeros(count, BAR)
    bars["open_time"] = np.arange(count) * STEP_MS
    bars["open"], bars["close"] = np.exp(start), np.exp(path[:, -1])
    bars["high"] = np.exp(np.maximum(path.max(axis=1), start))
    bars["low"] = np.exp(np.minimum(path.min(axis=1), start))
    return bars


@pytest.fixture(scope="module")
def bars() -> Records:
    return walk(days=100)


def test_reflection_is_twice_the_normal_tail() -> None:
    np.testing.assert_allclose(reflection(np.array([0.0, 1.0, 2.0])), [1.0, 0.3173105079, 0.0455002639], rtol=1e-9)


def test_sampled_reflection_meets_a_sampled_walk() -> None:
    """20,000 walks seen at 48 samples: 0.01 covers four standard errors and what the correction leaves."""
    draw = np.random.default_rng(5)
    top = np.cumsum(draw.normal(0.0, SIGMA, (20_000, 48)), axis=1).max(axis=1)
    levels = np.array([0.5, 1.0, 2.0]) * SIGMA * math.sqrt(48)
    stated = sampled_reflection(levels, step_sigma=SIGMA, steps=48)
    np.testing.assert_allclose((top[:, None] >= levels).mean(axis=0), stated, atol=0.01)
    assert (stated < reflection(levels / (SIGMA * math.sqrt(48))) - 0.005).all()


def test_chance_on_a_brownian_motion_is_the_reflection_principle(bars: Records) -> None:
    """Ticks fall short of the continuous extreme, so the tolerance is that of 100 days and a correction of a tick."""
    path = Path.of(bars)
    fitted = fit(path)
    for name in ("4h", "24h"):
        sigma = SIGMA * math.sqrt(HORIZONS[name])
        levels = np.array([0.5, 1.0, 1.5, 2.0]) * sigma
        both = [fitted.chances(path.now(), levels, is_up=is_up)[name] for is_up in (False, True)]
        np.testing.assert_allclose(np.mean(both, axis=0), reflection(levels / sigma), atol=0.06)


def test_parkinson_variance_of_a_brownian_motion() -> None:
    many = walk(days=4, ticks=1000)
    assert Path.of(many).variance().mean() == pytest.approx(SIGMA**2, rel=0.08)


def test_log_variances_equal_a_slow_twin(bars: Records) -> None:
    path = Path.of(bars[: 9 * DAY])
    found = path.log_variances()
    for at in (2015, 2016, 2400):
        for column, steps in enumerate((12, 288, 2016)):
            past = [float(v) for v in path.variance()[at - steps + 1 : at + 1]]
            assert found[at, column] == pytest.approx(math.log(sum(past) / steps), rel=1e-9)
    assert np.isnan(found[2014, 2])


def test_excursions_equal_a_slow_twin(bars: Records) -> None:
    path = Path.of(bars[:DAY])
    starts = np.array([0, 7, 200])
    found = path.excursions(starts, 48)
    for index, start in enumerate(starts.tolist()):
        ahead = bars[start + 1 : start + 49]
        close = math.log(bars["close"][start])
        assert found[0, index] == pytest.approx(max(0.0, close - math.log(min(ahead["low"]))), abs=1e-12)
        assert found[1, index] == pytest.approx(max(0.0, math.log(max(ahead["high"])) - close), abs=1e-12)


@settings(max_examples=25)
@given(st.lists(st.floats(1e-5, 0.8), min_size=2, max_size=6), st.lists(st.floats(-20, -8), min_size=3, max_size=3))
def test_chance_falls_with_distance_and_grows_with_time(distances: list[float], variances: list[float]) -> None:
    fitted = _fitted()
    levels = np.array(sorted(distances))
    for is_up in (False, True):
        found = list(fitted.chances(np.array(variances), levels, is_up=is_up).values())
        assert len(found) == len(HORIZONS)
        for chances in found:
            assert (np.diff(chances) <= 1e-12).all()
            assert ((chances >= 0.0) & (chances <= 1.0)).all()
        for shorter, longer in pairwise(found):
            assert (longer >= shorter).all()


@cache
def _fitted() -> Fit:
    """The fit that all examples share."""
    return fit(Path.of(walk(days=90, ticks=6)))


def test_touch_at_no_distance_is_certain_and_beyond_the_past_is_not_impossible(bars: Records) -> None:
    path = Path.of(bars)
    found = fit(path).chances(path.now(), np.array([0.0, 6.0 * SIGMA * math.sqrt(48)]), is_up=True)["4h"]
    assert found[0] == 1.0
    assert 0.0 < found[1] < 1e-6


def test_fit_is_deterministic(bars: Records) -> None:
    first, second = fit(Path.of(bars)), fit(Path.of(bars.copy()))
    for name, past in first.horizons.items():
        assert past.coefficients.tobytes() == second.horizons[name].coefficients.tobytes()
        assert past.knots.tobytes() == second.horizons[name].knots.tobytes()


def test_scale_of_price_changes_nothing(bars: Records) -> None:
    dear = bars.copy()
    for name in ("open", "high", "low", "close"):
        dear[name] *= 60_000.0
    levels = np.array([0.005, 0.02])
    one, other = Path.of(bars), Path.of(dear)
    mine = fit(one).chances(one.now(), levels, is_up=False)
    theirs = fit(other).chances(other.now(), levels, is_up=False)
    for name, chances in mine.items():
        np.testing.assert_allclose(theirs[name], chances, atol=1e-6)


def test_short_history_is_refused_with_its_minimum(bars: Records) -> None:
    assert {name: least_days(steps) for name, steps in HORIZONS.items()} == {"4h": 21, "24h": 21, "3d": 37, "7d": 77}
    fitted = fit(Path.of(bars[: 40 * DAY]))
    assert list(fitted.horizons) == ["4h", "24h", "3d"]
    assert fitted.refused == {"7d": "not enough history: it takes 77 days of bars"}
    assert fit(Path.of(bars[: 20 * DAY])).horizons == {}
    assert list(fit(Path.of(bars[: 21 * DAY])).horizons) == ["4h", "24h"]
    assert list(fit(Path.of(bars[:0])).refused) == list(HORIZONS)


def test_gaps_are_refused_and_never_filled(bars: Records) -> None:
    recent = bars[: 8 * DAY]
    with pytest.raises(UnusableHistoryError, match=GAPS):
        Path.of(recent[: DAY // 2]).now()
    with pytest.raises(UnusableHistoryError, match=GAPS):
        Path.of(np.delete(recent, np.arange(4 * DAY, 4 * DAY + 30))).now()
    with pytest.raises(UnusableHistoryError, match=GAPS):
        Path.of(np.delete(recent, len(recent) - 3)).now()
    with_hole = Path.of(np.delete(recent, np.arange(4 * DAY, 4 * DAY + 5))).now()
    np.testing.assert_allclose(with_hole, Path.of(recent).now(), atol=0.02)


def test_history_full_of_gaps_is_too_short(bars: Records) -> None:
    holed = bars[np.arange(len(bars)) % 1000 < 900]
    assert fit(Path.of(holed)).horizons == {}


def test_flat_price_is_refused(bars: Records) -> None:
    flat = bars[: 8 * DAY].copy()
    for name in ("open", "high", "low", "close"):
        flat[name][-12:] = 1.0
    with pytest.raises(UnusableHistoryError, match=FLAT):
        Path.of(flat).now()
    for name in ("open", "high", "low", "close"):
        flat[name] = 1.0
    with pytest.raises(UnusableHistoryError, match=FLAT):
        Path.of(flat).now()
    assert fit(Path.of(np.repeat(flat, 1))).horizons == {}


def test_release_is_frozen() -> None:
    """Another digest is another version."""
    assert release_digest() == "5dea0194b4e796b1c0a1678f3925831a57087860da5eb4ef89325312311a4804"


def test_base_rate_is_the_share_of_past_windows_that_went_so_far(bars: Records) -> None:
    path = Path.of(bars)
    past = fit(path).horizons["4h"]
    starts = np.arange(2015, len(path) - 48, 6)
    reached = path.excursions(starts, 48)
    for side in (0, 1):
        levels = np.quantile(reached[side], [0.2, 0.5, 0.9])
        expected = (reached[side][:, None] >= levels).mean(axis=0)
        np.testing.assert_allclose(past.base(levels, is_up=bool(side)), expected, atol=0.005)
    assert past.base(np.array([0.0, 1.0]), is_up=True).tolist() == [1.0, 0.0]


def test_what_was_learnt_is_packed_and_comes_back_bit_by_bit(bars: Records) -> None:
    learnt = fit(Path.of(bars[: 40 * DAY]))
    back = Fit.unpack(learnt.pack(), learnt.refused)
    assert (list(back.horizons), back.refused) == (["4h", "24h", "3d"], learnt.refused)
    assert back.pack() == learnt.pack()
    now, levels = Path.of(bars).now(), np.array([0.001, 0.01, 0.1])
    mine, theirs = (one.chances(now, levels, is_up=False) for one in (learnt, back))
    assert {name: row.tobytes() for name, row in mine.items()} == {name: row.tobytes() for name, row in theirs.items()}
    assert Fit.unpack(fit(Path.of(bars[:0])).pack(), {}).horizons == {}
