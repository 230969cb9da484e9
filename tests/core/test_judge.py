from __future__ import annotations

import numpy as np
import pytest

from heatmaps.core.estimators import ESTIMATORS
from heatmaps.core.judge import advantage, coarse, gains, shape, spearman, swept
from heatmaps.core.trial import CLIMATOLOGY, OURS, TARGETS, demands, trial
from heatmaps.core.views import REACH, Slices
from market.series import HOUR_MS

COUNT = 40


def _slices(seed: int = 1) -> Slices:
    g = np.random.default_rng(seed)
    held = g.lognormal(0.0, 1.0, (COUNT, 2, REACH))
    came = held * (g.random(held.shape) < 0.5)
    return Slices(
        end_ms=np.arange(COUNT) * 12 * HOUR_MS,
        price=np.full(COUNT, 1e4),
        close_bin=np.full(COUNT, 9000),
        held=held,
        printed=came,
        swept=g.integers(0, 60, (COUNT, 2)),
    )


def test_spearman_of_a_constant_is_nothing() -> None:
    assert spearman(np.array([1.0, 2.0, 3.0]), np.array([10.0, 20.0, 15.0])) == pytest.approx(0.5)
    assert spearman(np.ones(3), np.array([1.0, 2.0, 3.0])) == 0.0


def test_the_truth_itself_is_perfect() -> None:
    at = _slices()
    found = shape(at.held, at.held)
    assert (found.distance_bp, found.variation) == (0.0, 0.0)
    assert found.rank == pytest.approx(1.0)
    assert found.precision == 1.0
    best = swept(at.printed, at)
    assert best.rank == pytest.approx(1.0)
    assert best.log_skill > swept(at.held, at).log_skill


def test_shape_of_a_shift_is_the_shift() -> None:
    held = np.zeros((1, 2, REACH))
    shown = held.copy()
    held[0, :, 40], shown[0, :, 60] = 1.0, 1.0
    assert shape(shown, held).distance_bp == pytest.approx(100.0)
    assert shape(shown, held).variation == 1.0


def test_a_uniform_map_has_no_log_skill() -> None:
    at = _slices()
    found = swept(np.ones_like(at.held), at)
    assert found.log_skill == pytest.approx(0.0, abs=1e-12)
    assert found.rank == 0.0
    assert shape(np.ones_like(at.held), at.held).log_score == pytest.approx(0.0, abs=1e-12)


def test_a_map_of_nothing_counts_as_uniform() -> None:
    at = _slices()
    assert swept(np.zeros_like(at.held), at).log_skill == pytest.approx(0.0, abs=1e-12)
    assert shape(np.zeros_like(at.held), at.held) == shape(np.ones_like(at.held), at.held)


def test_gains_by_hand() -> None:
    shown, came = np.array([[3.0, 1.0, 9.0]]), np.array([[2.0, 0.0, 5.0]])
    inside = np.array([[True, True, False]])
    gain, weight = gains(shown, came, inside)
    assert weight.tolist() == [2.0]
    assert gain[0] == pytest.approx(2.0 * np.log((0.95 * 0.75 + 0.05 * 0.5) * 2.0))


def test_swept_bins_beyond_the_path_do_not_count() -> None:
    at = _slices()
    changed = at.held.copy()
    changed[np.arange(REACH) >= (at.swept // 4 * 4)[..., None]] = 77.0
    assert swept(changed, at) == swept(at.held, at)


def test_advantage_over_itself_is_nothing_and_has_the_difference_of_skills() -> None:
    at, flat = _slices(), np.ones((COUNT, 2, REACH))
    assert advantage(at.held, at.held, at).value == 0.0
    ahead = advantage(at.held, flat, at)
    assert ahead.value == pytest.approx(swept(at.held, at).log_skill - swept(flat, at).log_skill)
    assert ahead.low < ahead.value < ahead.high


def test_scores_need_a_liquidation() -> None:
    at = _slices()
    with pytest.raises(ValueError, match="give more days"):
        swept(at.held, at.where(np.zeros(COUNT, np.bool_)))


def test_coarse_keeps_the_sum() -> None:
    held = _slices().held
    assert coarse(held).sum() == pytest.approx(held[..., :200].sum())


def test_demands_name_what_was_missed() -> None:
    ours = {"distance_bp": 26.0, "rank": 0.7, "precision": 0.6, "swept_rank": 0.9, "lift": 4.0, "log_skill": 0.3}
    figures = {OURS: ours, CLIMATOLOGY: {**ours, "log_skill": 0.26}}
    missed = [demand["what"] for demand in demands("base", figures) if not demand["is_met"]]
    assert missed == ["distance_bp", f"log_skill over {CLIMATOLOGY}"]
    others = demands("misspecified", figures)
    assert [(demand["what"], demand["is_met"]) for demand in others] == [
        (f"log_skill over {CLIMATOLOGY}", True),
        (f"swept_rank over {CLIMATOLOGY}", False),
    ]


def test_short_trial_of_the_base_world() -> None:
    """The nightly run is ``manage.py score simulator``: 60 days, five seeds, all worlds."""
    found = trial(world="base", seed=1, days=14)
    assert set(found["figures"]) == set(ESTIMATORS)
    met = {demand["what"]: demand["is_met"] for demand in found["demands"]}
    assert all(met[name] for name in TARGETS)
    assert met[f"log_skill over {CLIMATOLOGY}"]


def test_trial_refuses_what_it_can_not_judge() -> None:
    with pytest.raises(ValueError, match="there is no world"):
        trial(world="moon", seed=1, days=60)
    with pytest.raises(ValueError, match="10 days or more"):
        trial(world="base", seed=1, days=3)
