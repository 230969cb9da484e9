"""Calibrate the 80 % intervals on simulated markets whose true positions are known.

    python -m tests.core.calibration SEED...

prints the factors for ``heatmaps.core.bands`` from those seeds, and how many of the pairs of every second seed they
hold when they come from the others. Another table is another version of the estimator.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from unittest import mock

import numpy as np

from heatmaps.core.bands import EDGES_PCT, buckets
from heatmaps.core.estimators import load_built
from heatmaps.core.grid import bin_price
from market.series import BAR, DAY_MS, MINUTE_MS, OPEN_INTEREST, Window
from market.sources.simulated.checkpoint import positions
from market.sources.simulated.source import SOURCE
from market.sources.simulated.world import WORLDS

if TYPE_CHECKING:
    import numpy.typing as npt

    from heatmaps.core.estimators.base import Estimate

START_MS: Final = 1_767_225_600_000
DAYS: Final = 14
BURN_IN_MS: Final = 5 * DAY_MS
FARTHEST_PCT: Final = 30.0
# A slice in which the map shows less than this share of open interest is not compared: its ratio means nothing.
LEAST_SHARE: Final = 1e-4

# Truth and estimate are compared in slices of this width [% of price].
SLICE_PCT: Final = 1.0
QUANTILES: Final = (0.1, 0.9)
# Too few pairs in a bucket say nothing about its tails.
_LEAST_PAIRS: Final = 30

Pairs = tuple["npt.NDArray[np.float64]", "npt.NDArray[np.int64]", "npt.NDArray[np.float64]"]


def simulate(symbol: str, seed: int) -> tuple[Window, tuple[tuple[int, bytes], ...]]:
    """Two weeks of one world under another seed, and the true positions every six hours."""
    with mock.patch.dict(WORLDS, {symbol: replace(WORLDS[symbol], seed=seed)}):
        batch = SOURCE.fetch(symbol=symbol, since_ms=START_MS, until_ms=START_MS + DAYS * DAY_MS, checkpoint=None)
    bars, interest = batch.bars.astype(BAR), batch.open_interest.astype(OPEN_INTEREST)
    return Window(bars, np.full(len(bars), MINUTE_MS), interest), batch.checkpoints


def compare(estimator: str, window: Window, checkpoints: tuple[tuple[int, bytes], ...]) -> Pairs:
    """Truth / estimate per slice of 1 % of price, its side (0 long, 1 short) and its distance [%]."""
    estimate = load_built(estimator).estimate(window, None)
    ratios, sides, distances = [], [], []
    for as_of, body in checkpoints:
        if as_of < START_MS + BURN_IN_MS:
            continue
        index = int(np.searchsorted(estimate.steps.end_ms, as_of))
        for side, truth, shown in _slices(estimate, index, body):
            distance = np.arange(len(shown)) * SLICE_PCT + SLICE_PCT / 2
            used = shown > LEAST_SHARE * estimate.steps.open_interest[index] * estimate.steps.close[index]
            ratios.append(truth[used] / shown[used])
            sides.append(np.full(int(used.sum()), side))
            distances.append(distance[used])
    return np.concatenate(ratios), np.concatenate(sides), np.concatenate(distances)


def _slices(estimate: Estimate, index: int, body: bytes) -> list[tuple[Any, ...]]:
    close, book = estimate.steps.close[index], positions(body)
    book = book[np.isfinite(book["liquidation_price"])]
    prices = bin_price(estimate.anchor[index] + np.arange(estimate.columns.shape[1]), 5e-4)
    edges = np.arange(0.0, FARTHEST_PCT + SLICE_PCT, SLICE_PCT)
    found = []
    for side, sign in ((0, -1.0), (1, 1.0)):
        mine = book["position_side"] == -sign
        truth = _histogram(book["liquidation_price"][mine], book["quantity"][mine], close, sign, edges)
        on_side = sign * (prices - close) > 0
        shown = _histogram(prices[on_side], estimate.columns[index][on_side], close, sign, edges)
        found.append((side, truth, shown))
    return found


def _histogram(
    price: npt.NDArray[np.float64],
    contracts: npt.NDArray[np.floating],
    close: float,
    sign: float,
    edges: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    distance = sign * (price / close - 1.0) * 100.0
    return np.histogram(distance, edges, weights=price * contracts)[0]


def calibrate(
    ratio: npt.NDArray[np.float64], side: npt.NDArray[np.int64], distance_pct: npt.NDArray[np.float64]
) -> dict[str, list[list[float]]]:
    """Factors from truth / estimate[n] on side[n] (0 long, 1 short) at distance[n] [%], as JSON-able parameters.

    A bucket with fewer than 30 pairs takes the factors of the widest bucket of its side.
    """
    bucket = buckets(distance_pct)
    table = np.full((2, 2, len(EDGES_PCT)), np.nan)
    for s in (0, 1):
        for b in range(len(EDGES_PCT)):
            pairs = ratio[(side == s) & (bucket == b)]
            if len(pairs) >= _LEAST_PAIRS:
                table[:, s, b] = np.quantile(pairs, QUANTILES)
        table[0, s] = np.where(np.isnan(table[0, s]), np.nanmin(table[0, s]), table[0, s])
        table[1, s] = np.where(np.isnan(table[1, s]), np.nanmax(table[1, s]), table[1, s])
    # The estimate itself always lies inside its interval.
    low, high = np.minimum(table[0], 1.0), np.maximum(table[1], 1.0)
    return {"low": np.round(low, 3).tolist(), "high": np.round(high, 3).tolist()}


def _joined(parts: list[Pairs]) -> Pairs:
    ratio, side, distance = (np.concatenate(column) for column in zip(*parts, strict=True))
    return ratio, side, distance


def coverage(factors: dict[str, list[list[float]]], pairs: Pairs) -> float:
    """Share of pairs inside their interval."""
    ratio, side, distance = pairs
    low, high = (np.array(factors[name])[side, buckets(distance)] for name in ("low", "high"))
    return float(((ratio >= low) & (ratio <= high)).mean())


def main(seeds: list[int]) -> None:
    """Print a table for each estimator; neighbours in the list of worlds differ in their seed."""
    worlds = [simulate(symbol, seed) for symbol in WORLDS for seed in seeds]
    for estimator in ("open-interest", "path-only"):
        parts = [compare(estimator, *world) for world in worlds]
        held_out = coverage(calibrate(*_joined(parts[::2])), _joined(parts[1::2]))
        print(f"{estimator}: {sum(len(part[0]) for part in parts)} pairs, {held_out:.3f} of the held out ones inside")
        print(json.dumps(calibrate(*_joined(parts))))


if __name__ == "__main__":
    main([int(seed) for seed in sys.argv[1:]])
