from __future__ import annotations

import numpy as np
import pytest

from heatmaps.core.estimators import ESTIMATORS, load_estimator
from heatmaps.core.grid import bin_coordinate
from heatmaps.core.score.hours import hours_of
from heatmaps.core.score.walk import walk
from market.series import BAR, HOUR_MS
from tests.core.windows import START_MS, STEP_MS, make_window, without_bars

STEPS = 5 * 72
WIDTH = 5e-4


@pytest.mark.parametrize("slug", list(ESTIMATORS))
def test_masses_are_those_of_a_walk_bin_by_bin(slug: str) -> None:
    window = make_window(steps=STEPS, seed=3)
    window = without_bars(window, since_ms=START_MS + 100 * STEP_MS, until_ms=START_MS + 131 * STEP_MS)
    hours = hours_of(window.bars, START_MS + HOUR_MS * np.arange(2, 28))
    found = walk(load_estimator(slug), window, hours.start_ms)
    slow = slowly(slug, window, hours.start_ms.tolist())
    np.testing.assert_allclose(found.frozen[:, :, 0], slow[0], atol=1e-3)
    np.testing.assert_allclose(found.live[:, :, 0], slow[1], atol=1e-3)


def slowly(slug: str, window: object, starts: list[int]) -> np.ndarray:
    whole = load_estimator(slug).estimate(window, None)  # type: ignore[arg-type]  # a window
    steps, out = whole.steps, np.zeros((2, len(starts), 2))
    hour = (steps.end_ms - 1) // HOUR_MS * HOUR_MS

    def held(index: int, low: float, high: float) -> np.ndarray:
        bins = whole.anchor[index] + np.arange(whole.columns.shape[1])
        column, close = whole.columns[index].astype(float), coordinate(float(steps.close[index]))
        longs, shorts = bins < close - 0.5, bins > close - 0.5
        longs, shorts = longs & (bins >= coordinate(low) - 0.5), shorts & (bins <= coordinate(high) - 0.5)
        return np.array([column[longs].sum(), column[shorts].sum()])

    for place, start in enumerate(starts):
        inside = np.flatnonzero(hour == start)
        if len(inside) == 0 or inside[0] == 0:
            continue
        out[0, place] = held(int(inside[0]) - 1, steps.low[inside].min(), steps.high[inside].max())
        for index in inside.tolist():
            out[1, place] += held(index - 1, steps.low[index], steps.high[index])
    return out


def coordinate(price: float) -> float:
    return float(bin_coordinate(np.array(price), WIDTH))


def test_live_masses_of_ours_are_what_its_ledger_says_was_swept() -> None:
    # The first version sweeps all that the last price touched, as the score does; later ones less.
    ours = load_estimator("open-interest", version="1")
    window = make_window(steps=STEPS, seed=4)
    hours = hours_of(window.bars, START_MS + HOUR_MS * np.arange(30))
    masses = walk(ours, window, hours.start_ms)
    estimate = ours.estimate(window, None)
    swept = estimate.ledger[:, :, 0].reshape(30, 12, 2).sum(axis=1)  # type: ignore[attr-defined]  # it is built
    np.testing.assert_allclose(masses.total("live"), swept, rtol=1e-4, atol=1e-2)


def test_hours_say_what_the_price_did() -> None:
    window = make_window(steps=36)
    hours = hours_of(window.bars, np.array([START_MS + HOUR_MS, START_MS + 9 * HOUR_MS]))
    bars = window.bars[12:24]
    assert hours.start_ms.tolist() == [START_MS + HOUR_MS]
    assert (hours.price[0], hours.low[0], hours.high[0]) == (bars["open"][0], bars["low"].min(), bars["high"].max())
    returns = np.diff(np.log(window.bars["close"]))[11:23]
    assert hours.variation[0] == pytest.approx(np.sqrt((returns**2).sum()))
    assert hours.moves[0].tolist() == pytest.approx([np.minimum(returns, 0).sum(), np.maximum(returns, 0).sum()])
    assert hours.excursion(0)[0] == pytest.approx(np.log(bars["open"][0] / bars["low"].min()))
    assert np.isfinite(hours.control(0)).all()


def test_flat_hour_and_no_hour_are_no_crash() -> None:
    window = make_window(steps=24)
    for name in ("open", "high", "low", "close"):
        window.bars[name] = 60_000.0
    window.bars["volume"] = 0.0
    hours = hours_of(window.bars, START_MS + HOUR_MS * np.arange(2))
    assert np.isfinite(hours.control(1)).all()
    assert np.isfinite(hours.control_of_levels(0)).all()
    assert len(hours_of(np.zeros(0, BAR), hours.start_ms)) == 0
