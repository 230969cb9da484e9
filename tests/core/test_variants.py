"""What research tries keeps the estimators' contract: frozen parameters, no look-ahead, resumable bit for bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from heatmaps.core.estimators.base import parameters_digest
from heatmaps.core.estimators.variants import VARIANTS, FundingTilted, load_variant
from market.series import FUNDING
from tests.core.windows import START_MS, STEP_MS, cut, make_window

if TYPE_CHECKING:
    from heatmaps.core.estimators.tiered import TieredEstimator

STEPS = 160
WINDOW = make_window(steps=STEPS, seed=5)


def variant(slug: str) -> TieredEstimator:
    found = load_variant(slug)
    if isinstance(found, FundingTilted):
        found.funding = np.array([(START_MS + 40 * STEP_MS, 4e-4, 28_800.0)], dtype=FUNDING)
    return found


def test_parameters_tell_variants_apart() -> None:
    digests = {slug: parameters_digest(variant(slug).parameters) for slug in VARIANTS}
    assert len(set(digests.values())) == len(VARIANTS)
    assert {slug: variant(slug).slug for slug in VARIANTS} == {slug: slug for slug in VARIANTS}


@pytest.mark.parametrize("slug", list(VARIANTS))
def test_prefix_and_resumed_run_are_the_whole_run(slug: str) -> None:
    whole = variant(slug).estimate(WINDOW, None)
    seen = cut(WINDOW, since_ms=START_MS, until_ms=START_MS + 100 * STEP_MS)
    prefix = variant(slug).estimate(seen, None)
    assert prefix.columns.tobytes() == whole.columns[:100].tobytes()
    state = variant(slug).resume(prefix.kept[-1].body)
    rest = cut(WINDOW, since_ms=state.through_ms, until_ms=START_MS + STEPS * STEP_MS)
    part = variant(slug).estimate(rest, state)
    assert part.columns.tobytes() == whole.columns[72:].tobytes()


@pytest.mark.parametrize("slug", ["engine-9", "engine-24", "null-9", "disposition-9"])
def test_parts_sum_to_the_column_and_sweeps_empty_them(slug: str) -> None:
    estimator = variant(slug)
    found = estimator.estimate(WINDOW, None)
    held = estimator.held(found.state, 0, found.columns.shape[1])
    assert held.sum() == pytest.approx(float(found.columns[-1].sum()), rel=1e-5)
    assert np.min([one for one in found.swept if one is not None]) >= 0.0


def test_engine_holds_open_interest_but_for_what_a_step_can_not_open() -> None:
    found = variant("engine-9").estimate(WINDOW, None)
    held = variant("engine-9").held(found.state, 0, found.columns.shape[1]).sum(axis=1)
    assert (held <= found.steps.open_interest[-1] * (1 + 1e-9)).all()
    assert held.min() > 0.1 * found.steps.open_interest[-1]
