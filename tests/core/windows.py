"""Windows for the tests of the core: made up by seed, or the real bars where they are at hand."""

from __future__ import annotations

import gzip
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from market.series import BAR, OPEN_INTEREST, STEP_MS, Window
from tests.history import HISTORY

if TYPE_CHECKING:
    from market.series import Records

# A boundary of six hours, so that tests can count canonical blocks from 0.
START_MS: Final = 1_767_225_600_000


def make_window(
    *,
    steps: int,
    seed: int = 0,
    bar_ms: int = STEP_MS,
    price: float = 60_000.0,
    interest: float = 90_000.0,
    volatility: float = 2e-3,
    start_ms: int = START_MS,
) -> Window:
    """A random walk of ``steps`` five-minute steps in bars of ``bar_ms``, with open interest at each step's end."""
    draw = np.random.default_rng(seed)
    count = steps * STEP_MS // bar_ms
    close = price * np.exp(np.cumsum(draw.normal(0.0, volatility * (bar_ms / STEP_MS) ** 0.5, count)))
    bars = np.zeros(count, BAR)
    bars["open_time"] = start_ms + np.arange(count) * bar_ms
    bars["open"], bars["close"] = np.concatenate(([price], close[:-1])), close
    reach = np.abs(draw.normal(0.0, volatility / 3, (2, count)))
    bars["high"] = np.maximum(bars["open"], close) * (1 + reach[0])
    bars["low"] = np.minimum(bars["open"], close) * (1 - reach[1])
    bars["volume"] = interest * 0.01 * draw.lognormal(0.0, 0.5, count) * bar_ms / STEP_MS
    bars["quote_volume"] = bars["volume"] * (bars["high"] + bars["low"]) / 2
    bars["taker_buy_volume"] = np.nan
    samples = np.zeros(steps, OPEN_INTEREST)
    samples["time"] = start_ms + (np.arange(steps) + 1) * STEP_MS
    samples["open_interest"] = interest * np.exp(np.cumsum(draw.normal(0.0, 2e-3, steps)))
    return Window(bars, np.full(count, bar_ms, np.int64), samples)


def cut(window: Window, *, since_ms: int, until_ms: int) -> Window:
    """The part that a query for (since, until] returns."""
    ends = window.bars["open_time"] + window.bar_ms
    bars = (window.bars["open_time"] >= since_ms) & (ends <= until_ms)
    samples = (window.open_interest["time"] > since_ms) & (window.open_interest["time"] <= until_ms)
    marks = (window.mark_bars["open_time"] >= since_ms) & (window.mark_bars["open_time"] + window.mark_ms <= until_ms)
    return replace(
        window,
        bars=window.bars[bars],
        bar_ms=window.bar_ms[bars],
        open_interest=window.open_interest[samples],
        mark_bars=window.mark_bars[marks],
        mark_ms=window.mark_ms[marks],
    )


def with_marks(window: Window, *, follows: float = 0.5, but: tuple[int, ...] = ()) -> Window:
    """The same with a mark price that goes a share ``follows`` of the way from a bar's body to its wicks.

    but: numbers of the five-minute steps without mark bars.
    """
    bars, marks = window.bars, window.bars.copy()
    for name, body in (
        ("low", np.minimum(bars["open"], bars["close"])),
        ("high", np.maximum(bars["open"], bars["close"])),
    ):
        marks[name] = body + follows * (bars[name] - body)
    marks["volume"] = np.nan
    kept = ~np.isin((bars["open_time"] - START_MS) // STEP_MS, but)
    return replace(window, mark_bars=marks[kept], mark_ms=window.bar_ms[kept])


def without_bars(window: Window, *, since_ms: int, until_ms: int) -> Window:
    """The same with a hole in the bars."""
    kept = (window.bars["open_time"] < since_ms) | (window.bars["open_time"] >= until_ms)
    return replace(window, bars=window.bars[kept], bar_ms=window.bar_ms[kept])


def without_samples(window: Window, *, since_ms: int, until_ms: int) -> Window:
    """The same with a hole in open interest, since < time <= until."""
    times = window.open_interest["time"]
    return replace(window, open_interest=window.open_interest[(times <= since_ms) | (times > until_ms)])


def scaled(window: Window, *, price: float = 1.0, contracts: float = 1.0) -> Window:
    """The same market in other units of price or size."""
    bars, samples = window.bars.copy(), window.open_interest.copy()
    for name in ("open", "high", "low", "close"):
        bars[name] *= price
    bars["volume"] *= contracts
    bars["quote_volume"] *= price * contracts
    samples["open_interest"] *= contracts
    marks = window.mark_bars.copy()
    for name in ("open", "high", "low", "close"):
        marks[name] *= price
    return replace(window, bars=bars, open_interest=samples, mark_bars=marks)


def mirrored(window: Window) -> Window:
    """The same market quoted the other way round: 1 / price."""
    bars = window.bars.copy()
    for name, source in (("open", "open"), ("close", "close"), ("high", "low"), ("low", "high")):
        bars[name] = 1.0 / window.bars[source]
    bars["quote_volume"] = np.nan
    return replace(window, bars=bars)


def real_window(symbol: str) -> Window | None:
    """56 days of real five-minute bars and open interest; None where they are not there."""
    if not HISTORY.is_dir():
        return None
    candles, interest = _table(f"{symbol}-candles-5m.csv.gz"), _table(f"{symbol}-open-interest-5m.csv.gz")
    bars = np.zeros(len(candles), BAR)
    bars["open_time"] = candles["open_time_ms"]
    for name in ("open", "high", "low", "close", "volume"):
        bars[name] = candles[name]
    bars["quote_volume"] = bars["taker_buy_volume"] = np.nan
    samples = np.zeros(len(interest), OPEN_INTEREST)
    samples["time"], samples["open_interest"] = interest["time_ms"], interest["open_interest"]
    return Window(bars, np.full(len(bars), STEP_MS, np.int64), samples)


def _table(name: str) -> Records:
    with gzip.open(HISTORY / name, "rt") as lines:
        return np.genfromtxt(lines, delimiter=",", names=True, dtype=None, encoding="utf8")
