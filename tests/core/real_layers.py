"""How often each label came on real history, and on walks without drift: ``python -m tests.core.real_layers FOLDER``.

The folder holds ``<symbol>-candles-5m*.csv.gz``, ``-open-interest-5m.csv.gz`` and ``-funding-8h.csv.gz``.
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import numpy as np

from heatmaps.core.layers import Hours, load_layer, read
from heatmaps.core.layers.base import HISTORY, WINDOW
from heatmaps.core.structure import find_range
from market.series import BAR, FUNDING, HOUR_MS, OPEN_INTEREST, Records

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "DOGEUSDT")
WALKS = 20


def columns(path: Path) -> np.ndarray:  # type: ignore[type-arg]  # structured
    with gzip.open(path, "rt") as lines:
        return np.genfromtxt(lines, delimiter=",", names=True)


def history(folder: Path, symbol: str) -> dict[str, Records]:
    """Bars of one hour, open interest and funding."""
    parts = [columns(path) for path in sorted(folder.glob(f"{symbol}-candles-5m*.csv.gz"))]
    names = ("open_time_ms", "open", "high", "low", "close", "volume")
    fives = np.concatenate([np.stack([part[name] for name in names], axis=1) for part in parts])
    fives = fives[np.argsort(fives[:, 0])]
    hours, starts = np.unique(fives[:, 0] // HOUR_MS, return_index=True)
    bars = np.zeros(len(hours), BAR)
    bars["open_time"], bars["open"] = hours * HOUR_MS, fives[starts, 1]
    bars["close"] = fives[np.append(starts[1:], len(fives)) - 1, 4]
    bars["high"], bars["low"] = np.maximum.reduceat(fives[:, 2], starts), np.minimum.reduceat(fives[:, 3], starts)
    bars["volume"] = np.add.reduceat(fives[:, 5], starts)
    bars["quote_volume"] = bars["taker_buy_volume"] = np.nan
    samples, rates = (
        columns(folder / f"{symbol}-open-interest-5m.csv.gz"),
        columns(folder / f"{symbol}-funding-8h.csv.gz"),
    )
    interest, funding = np.zeros(len(samples), OPEN_INTEREST), np.zeros(len(rates), FUNDING)
    interest["time"], interest["open_interest"] = samples["time_ms"], samples["open_interest"]
    funding["time"], funding["rate"] = rates["funding_time_ms"], rates["funding_rate"]
    funding["interval_s"] = 28_800.0
    return {"bars": bars, "open_interest": interest, "funding": funding}


def walk(seed: int) -> dict[str, Records]:
    """Hours of a Gaussian walk without drift, each of sixty steps."""
    draw = np.random.default_rng(seed)
    path = np.cumsum(draw.normal(0.0, 5e-3 / np.sqrt(60), (WINDOW, 60)).ravel()).reshape(WINDOW, 60)
    bars = np.zeros(WINDOW, BAR)
    bars["open_time"] = HOUR_MS * np.arange(WINDOW)
    bars["open"], bars["close"] = np.exp(path[:, 0]), np.exp(path[:, -1])
    bars["high"], bars["low"] = np.exp(path.max(axis=1)), np.exp(path.min(axis=1))
    bars["volume"], bars["quote_volume"], bars["taker_buy_volume"] = 1.0, np.nan, np.nan
    return {"bars": bars}


def shares(slug: str, series: dict[str, Records], months: int) -> tuple[str, list[float]]:
    """Shares of each word over the newest months [%], and in words how many hours were told."""
    last = int(series["bars"]["open_time"][-1]) + HOUR_MS
    told: list[float] = []
    for month in range(months):
        hours = Hours.of(end_ms=last - month * HISTORY * HOUR_MS, count=WINDOW, series=series)
        told += read(hours, slugs=[slug])[slug].values[-HISTORY:].tolist()
    known = np.array(told)[np.isfinite(told)]
    words = load_layer(slug).states
    return f"{len(known)} h", [100.0 * float(np.mean(known == number)) for number in range(len(words))]


def ranges(series: dict[str, Records], every: int = 3) -> list[float]:
    """How often there is a range, both its ends are clean, one is [%]."""
    bars = series["bars"]
    high, low, close = (np.log(bars[name]) for name in ("high", "low", "close"))
    found = [find_range(*(one[i - 400 : i] for one in (high, low, close))) for i in range(400, len(bars), every)]
    clean = [one.lower.is_clean + one.upper.is_clean for one in found if one]
    return [100.0 * count / len(found) for count in (len(clean), clean.count(2), clean.count(1))]


def show(name: str, figures: list[float]) -> None:
    print(f"{name:<28}", *(f"{figure:6.1f}" for figure in figures))


def main(folder: Path) -> None:
    for symbol in SYMBOLS:
        series = history(folder, symbol)
        for slug, months in (("regime", 4), ("crowding", 2)):
            told, figures = shares(slug, series, months)
            show(f"{symbol} {slug} {told}", figures)
        show(f"{symbol} range, clean 2, 1", ranges(series))
    walks = [walk(seed) for seed in range(WALKS)]
    show("walk regime", np.mean([shares("regime", one, 1)[1] for one in walks], axis=0).tolist())
    show("walk range, clean 2, 1", np.mean([ranges(one, 24) for one in walks], axis=0).tolist())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
