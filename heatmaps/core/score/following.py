"""Zones followed in memory, on the columns of an estimate: for maps whose zones are not stored, and for benchmarks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from heatmaps.core.clusters import Column
from heatmaps.core.flags import Flag
from heatmaps.core.grid import GRID_BINS, bin_edge, bin_price, bin_width
from heatmaps.core.tile import COMMITTED, DENSITY_BPS, code_floor, codes_from_usd, usd_from_code
from heatmaps.core.tracked import Kind
from heatmaps.core.zones import Tracker

from .zone_lives import Lives

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from heatmaps.core.estimators.base import BuiltEstimator, Estimate
    from heatmaps.core.tracked import Event
    from market.series import Window


def columns_of(
    estimate: Estimate, *, bin_bps: float, wick: float, floor_usd: float, contract_usd: float | None = None
) -> Iterator[Column]:
    """The columns of an estimate as tiles would keep them, rounded to their codes.

    wick: the share swept where the last price touched; floor_usd: the density of code 1; contract_usd: what an inverse
    contract is worth [USD], None for linear ones.
    """
    width = bin_width(bin_bps)
    spine = estimate.painted(COMMITTED).spine
    low, high, close = (np.log(spine[name]) / width for name in ("low", "high", "close"))
    swept, per_bin = np.log(spine["swept"]) / width, bin_bps / DENSITY_BPS
    is_last = (spine["flags"] & Flag.LAST_PRICE) != 0
    for i, end_ms in enumerate(estimate.steps.end_ms.tolist()):
        first = int(estimate.anchor[i])
        usd = estimate.columns[i] * (contract_usd or bin_price(np.arange(first, first + GRID_BINS), width))
        yield Column(
            end_ms=end_ms, first_bin=first,
            usd=usd_from_code(codes_from_usd(usd / per_bin, floor_usd), floor_usd) * per_bin,
            low=float(low[i]), high=float(high[i]), close=float(close[i]),
            allocated=float(spine["total"][i] / spine["open_interest"][i]),
            kept=(float(spine["kept"][i, 0]), float(spine["kept"][i, 1])),
            swept=(float(swept[i, 0]), float(swept[i, 1])), wick=wick if is_last[i] else 0.0,
        )  # fmt: skip


def estimated(
    estimator: BuiltEstimator, windows: Iterable[Window], *, contract_usd: float | None = None
) -> Iterator[Column]:
    """The columns of a map over windows that follow each other; contract_usd as in ``columns_of``."""
    state, floor_usd = None, None
    options = estimator.parameters.get("options")
    wick = float(options.get("wick", 1.0)) if isinstance(options, dict) else 1.0
    for window in windows:
        estimate = estimator.estimate(window, state)
        state = estimate.state
        if len(estimate.steps):
            value = contract_usd or float(estimate.steps.close[0])
            floor_usd = floor_usd or code_floor(float(estimate.steps.open_interest[0]) * value)
            yield from columns_of(
                estimate, bin_bps=estimator.bin_bps, wick=wick, floor_usd=floor_usd, contract_usd=contract_usd
            )


def follow(columns: Iterable[Column], *, bin_bps: float) -> Lives:
    """Follow the zones of columns to their end; nothing is kept but how they formed and how they were last."""
    tracker, formed, last, end_ms = Tracker(bin_width(bin_bps)), {}, {}, 0
    for column in columns:
        end_ms = column.end_ms
        for event in tracker.step(column):
            if event.kind is Kind.FORMED:
                formed[event.key] = event
            last[event.key] = event
    return _lives(formed, last, end_ms, bin_width(bin_bps))


def _lives(formed: dict[int, Event], last: dict[int, Event], end_ms: int, width: float) -> Lives:
    def edges(events: Iterable[Event], name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.array([bin_edge(getattr(event.cluster, name), width) for event in events], np.float64)

    ends = [last[key] for key in formed]
    return Lives(
        side=np.array([event.cluster.side for event in ends], np.int64),
        born_ms=np.array([event.at_ms for event in formed.values()], np.int64),
        ended_ms=np.array([event.at_ms if event.cause else end_ms for event in ends], np.int64),
        cause=np.array([event.cause.value if event.cause else "" for event in ends], np.str_),
        born_low=edges(formed.values(), "low"),
        born_high=edges(formed.values(), "high"),
        last_low=edges(ends, "low"),
        last_high=edges(ends, "high"),
    )
