"""Made-up hours for the tests of structure and layers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from heatmaps.core.layers import Hours
from market.series import ACCOUNT_RATIO, BAR, DEPTH, DEPTH_BPS, FUNDING, HOUR_MS, OPEN_INTEREST

if TYPE_CHECKING:
    from heatmaps.core.grid import Floats
    from market.series import Records

Path: TypeAlias = "tuple[Floats, Floats, Floats]"
END_MS: Final = 1_768_521_600_000


def bars_of(
    *, high: Floats, low: Floats, close: Floats, volume: Floats | float = 10.0, end_ms: int = END_MS
) -> Records:
    count = len(close)
    bars = np.zeros(count, BAR)
    bars["open_time"] = end_ms - HOUR_MS * np.arange(count, 0, -1)
    bars["high"], bars["low"], bars["close"], bars["open"] = high, low, close, close
    bars["volume"] = volume
    bars["quote_volume"] = np.nan
    bars["taker_buy_volume"] = bars["volume"] * 0.5
    return bars


def make_series(*, count: int, seed: int = 0, end_ms: int = END_MS) -> dict[str, Records]:
    """Every series of a random market, hourly; funding each eight hours."""
    draw = np.random.default_rng(seed)
    close = 60_000.0 * np.exp(np.cumsum(draw.normal(0.0, 5e-3, count)))
    reach = np.abs(draw.normal(0.0, 3e-3, (2, count)))
    bars = bars_of(high=close * (1 + reach[0]), low=close * (1 - reach[1]), close=close, end_ms=end_ms)
    bars["volume"] = draw.lognormal(4.0, 0.5, count)
    bars["taker_buy_volume"] = bars["volume"] * draw.uniform(0.3, 0.7, count)
    ends = bars["open_time"] + HOUR_MS
    interest = np.zeros(count, OPEN_INTEREST)
    interest["time"] = ends
    interest["open_interest"] = 90_000.0 * np.exp(np.cumsum(draw.normal(0.0, 4e-3, count)))
    funding = np.zeros(count // 8, FUNDING)
    funding["time"] = ends[7::8][: len(funding)]
    funding["rate"] = draw.normal(1e-4, 5e-5, len(funding))
    funding["interval_s"] = 28_800.0
    depth = np.zeros(count, DEPTH)
    depth["time"], depth["mid"] = ends, close
    for bps in DEPTH_BPS:
        depth[f"bid_{bps}"] = depth[f"ask_{bps}"] = bps * 1e5 * draw.uniform(0.5, 1.5)
    ratio = np.zeros(count, ACCOUNT_RATIO)
    ratio["time"], ratio["ratio"] = ends, draw.uniform(0.5, 3.0, count)
    return {"bars": bars, "open_interest": interest, "funding": funding, "depth": depth, "account_ratio": ratio}


def make_hours(*, count: int, seed: int = 0) -> Hours:
    return Hours.of(end_ms=END_MS, count=count, series=make_series(count=count, seed=seed))


def with_holes(hours: Hours, places: Floats | slice) -> Hours:
    """The same hours with nothing known of some of them."""
    changed = {}
    for name in Hours.__slots__:
        values = getattr(hours, name).copy()
        if name == "depth":
            for field in ("mid", *(f"{side}_{bps}" for side in ("bid", "ask") for bps in DEPTH_BPS)):
                values[field][places] = np.nan
        elif name != "ends":
            values[places] = np.nan
        changed[name] = values
    return replace(hours, **changed)


def flat(hours: Hours) -> Hours:
    """The same hours with a price that stands still."""
    price = np.full(len(hours), 100.0)
    return replace(hours, open=price, high=price, low=price, close=price)


def path_of(close: Floats, reach: float = 1e-3) -> Path:
    """High, low and close of bars that reach so far to both sides [ln]."""
    return close + reach, close - reach, close


def walk(count: int, seed: int, holes: float = 0.0) -> Path:
    """High, low and close of a random walk of which a share is missing [ln]."""
    draw = np.random.default_rng(seed)
    close = np.cumsum(draw.normal(0.0, 5e-3, count))
    reach = np.abs(draw.normal(0.0, 3e-3, (2, count)))
    is_hole = draw.uniform(size=count) < holes
    high, low, close = (np.where(is_hole, np.nan, one) for one in (close + reach[0], close - reach[1], close))
    return high, low, close
