"""Scores by hand, no look into the future, and the real months where they are at hand."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import pytest

from heatmaps.core.reach import DAY, Path, fit
from heatmaps.core.score import Interval, brier, calibration_error, murphy, reliability, skill, wilson
from heatmaps.core.touches import Touches, hold
from tests.history import ABSENT

from .real_touches import SYMBOLS, held, walked
from .test_reach import walk

CHANCES: Final = np.array([0.05, 0.05, 0.25, 0.25, 0.25, 0.25, 1.0])
OUTCOMES: Final = np.array([0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0])


def test_wilson_interval_is_the_textbooks() -> None:
    found = wilson(10, 100)
    assert (found.value, round(found.low, 4), round(found.high, 4)) == (0.1, 0.0552, 0.1744)
    nothing = wilson(0, 0)
    assert math.isnan(nothing.value)
    assert (nothing.low, nothing.high) == (0.0, 1.0)


def test_reliability_counts_every_chance_once() -> None:
    bins = reliability(CHANCES, OUTCOMES)
    assert [found.count for found in bins] == [2, 0, 4, 0, 0, 0, 0, 0, 0, 1]
    assert (round(bins[0].stated, 9), bins[0].observed.value) == (0.05, 0.5)
    assert (bins[2].stated, bins[2].observed.value) == (0.25, 0.25)
    assert (bins[9].stated, bins[9].observed.value) == (1.0, 1.0)


def test_calibration_error_by_hand() -> None:
    assert calibration_error(CHANCES, OUTCOMES) == pytest.approx(2 / 7 * 0.45)


def test_murphy_parts_add_up_where_bins_hold_one_chance() -> None:
    parts = murphy(CHANCES, OUTCOMES)
    assert parts.brier == pytest.approx(brier(CHANCES, OUTCOMES))
    assert parts.reliability == pytest.approx(2 / 7 * 0.45**2)
    assert parts.uncertainty == pytest.approx(3 / 7 * 4 / 7)
    assert parts.within == pytest.approx(0.0, abs=1e-12)


def test_skill_of_the_base_rate_is_nothing_and_of_the_truth_is_all() -> None:
    base, days = np.full(7, 0.4), np.arange(7) // 2
    nothing = skill(base, base, OUTCOMES, days=days)
    assert (nothing.value, nothing.low, nothing.high) == (0.0, 0.0, 0.0)
    assert skill(OUTCOMES, base, OUTCOMES, days=days).value == 1.0
    mine = skill(CHANCES, base, OUTCOMES, days=days)
    assert mine == skill(CHANCES, base, OUTCOMES, days=days)
    assert mine.low <= mine.value <= mine.high


def test_chances_do_not_look_ahead() -> None:
    """Bars after a moment change outcomes, not what was stated by then."""
    bars = walk(days=40, ticks=6)
    split = 30 * DAY
    other = bars.copy()
    for name in ("open", "high", "low", "close"):
        other[name][split + DAY :] *= 1.5
    fitted = fit(Path.of(bars[:split]))
    mine, theirs = (hold(Path.of(rows), fitted, split=split, until=split + DAY // 2)["4h"] for rows in (bars, other))
    assert mine.chances.tobytes() == theirs.chances.tobytes()
    assert mine.base.tobytes() == theirs.base.tobytes()


# Measured on 2025-12-01 to 2026-01-26, learnt from 2025-09-01 on (docs/METHOD): skill over the base rate, ECE.
FROZEN: Final = {
    "BTCUSDT": {"4h": (0.085, 0.011), "24h": (0.033, 0.013)},
    "ETHUSDT": {"4h": (0.100, 0.019), "24h": (0.054, 0.019)},
    "SOLUSDT": {"4h": (0.098, 0.022), "24h": (0.054, 0.021)},
    "DOGEUSDT": {"4h": (0.083, 0.030), "24h": (0.042, 0.035)},
}
POOLED: Final = {
    "frozen": {"4h": (0.092, 0.0203), "24h": (0.046, 0.0168), "3d": (0.020, 0.033), "7d": (0.020, 0.055)},
    "weekly": {"4h": (0.081, 0.0154), "24h": (0.040, 0.0146), "3d": (0.018, 0.027), "7d": (0.014, 0.049)},
}


def _skill(found: Touches) -> Interval:
    return skill(found.chances, found.base, found.outcomes, days=found.days)


def _figures(found: Touches) -> tuple[float, float]:
    return _skill(found).value, calibration_error(found.chances, found.outcomes)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_real_touches_beat_the_base_rate(symbol: str) -> None:
    found = held(symbol)
    if found is None:
        pytest.skip(ABSENT)
    for name, measured in FROZEN[symbol].items():
        assert _figures(found[name]) == pytest.approx(measured, abs=0.002)
        assert _skill(found[name]).low > 0.0


@pytest.mark.parametrize("way", POOLED)
def test_real_touches_of_all_instruments_hold_what_is_stated(way: str) -> None:
    parts = [(held if way == "frozen" else walked)(symbol) for symbol in SYMBOLS]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        pytest.skip(ABSENT)
    for name, measured in POOLED[way].items():
        assert _figures(Touches.pooled([part[name] for part in known])) == pytest.approx(measured, abs=0.002)
