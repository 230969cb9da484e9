"""How fast zones are followed: the tracker on the columns of a made-up market, beside the kernel that made them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from heatmaps.core.estimators import load_built
from heatmaps.core.grid import bin_width
from heatmaps.core.score.following import estimated
from heatmaps.core.zones import SLICE_MS, STEP_MS, Tracker

if TYPE_CHECKING:
    from market.series import Window


def follow(window: Window, *, kernel_s: float, repeats: int = 5) -> dict[str, Any]:
    """Follow the zones of a window's map; figures of a slice: the hour's clusters and twelve steps of the ledger.

    Medians of processor time. kernel_s: of one step of the recurrence on this machine [s].
    """
    estimator = load_built("open-interest")
    columns, taken = list(estimated(estimator, [window])), []
    events, living = 0, list[int]()
    for _ in range(repeats):
        tracker, events = Tracker(bin_width(estimator.bin_bps)), 0
        living.clear()
        begun = time.process_time()
        for column in columns:
            events += len(tracker.step(column))
            living.append(len(tracker.alive))
        taken.append(time.process_time() - begun)
    slices = len(columns) * STEP_MS / SLICE_MS
    slice_s = float(np.median(taken)) / slices
    return {
        "slices": round(slices),
        "zones_ms_per_slice": round(slice_s * 1e3, 3),
        "ratio_to_kernel": round(slice_s / (kernel_s * SLICE_MS / STEP_MS), 2),
        "living_zones": round(float(np.mean(living)), 1),
        "events_per_day": round(events / (slices / 24.0), 1),
    }
