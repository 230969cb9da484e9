"""Real five-minute history as a tape: every candle is cut into five one-minute bars that add up to it exactly.

The cut, drawn from a generator seeded with the symbol and the day: the first bar opens at the candle's open, each
next where the last closed, the last closes at its close; one bar touches its high, one its low, the others stay
within. Each bar gets one lot of the volume and a drawn share of the rest in whole lots, what is left over goes to the
last. A candle of fewer than five lots is not cut: its first minute is the candle, the other four stand at the close
with no volume. Liquidations are drawn too, since no public history has their prices.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import numpy as np

from tests.double.tape import (
    BARS,
    CENT,
    DAY,
    FIVE_MINUTES,
    HOUR,
    INTEREST,
    MINUTE,
    PRINTS,
    Day,
    Records,
    Tape,
    Terms,
    between,
    values,
)
from tests.double.units import Unit

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

PARTS: Final = 5
QUOTE: Final = "USDT"
PRICES: Final = ("open", "high", "low", "close")


def history_symbols(folder: Path) -> list[str]:
    """Name the contracts whose candles lie in a folder."""
    return sorted({path.name.split("-")[0] for path in folder.glob(f"*{QUOTE}-candles-5m*.csv.gz")})


def history_tape(*, folder: Path, symbol: str) -> Tape:
    """Read one contract's files: candles, open interest, funding."""
    candle_rows = _read(folder, f"{symbol}-candles-5m*.csv.gz")
    interest_rows = _read(folder, f"{symbol}-open-interest-5m*.csv.gz")
    tick = _step(row[name] for row in candle_rows for name in PRICES)
    lot = _step(row["volume"] for row in candle_rows)
    amount = _step(row["open_interest"] for row in interest_rows)
    candles = _candles(candle_rows, tick, lot)
    cut = _Cut(symbol, candles, _interest(interest_rows, amount))
    terms = Terms(symbol.removesuffix(QUOTE), tick, lot, amount)
    first, last = int(candles["time"][0]), int(candles["time"][-1])
    funding = _read(folder, f"{symbol}-funding-8h*.csv.gz")
    return _HistoryTape(terms, first, last + FIVE_MINUTES, cut, funding)


class _HistoryTape(Tape):
    def __init__(self, terms: Terms, first: int, end: int, cut: _Cut, funding: list[dict[str, str]]) -> None:
        super().__init__(terms=terms, first_ms=first, end_ms=end, make=cut.day)
        stamped = [(int(row["funding_time_ms"]), CENT.count(row["funding_rate"])) for row in funding]
        self._funding = {time // HOUR * HOUR: (time, rate) for time, rate in stamped}

    def rate(self, time: int) -> tuple[int, int]:
        """Return the funding of the file where it has one."""
        return self._funding.get(time) or super().rate(time)


class _Cut:
    def __init__(self, symbol: str, candles: Records, interest: Records) -> None:
        self.candles, self.interest = candles, interest
        self.seed = zlib.crc32(symbol.encode())

    def day(self, index: int) -> Day:
        since, until = index * DAY, (index + 1) * DAY
        random = np.random.default_rng([self.seed, index])
        bars = cut_candles(between(self.candles, since, until), random)
        return Day(bars, between(self.interest, since, until), _prints(bars, random))


def cut_candles(candles: Records, random: np.random.Generator) -> Records:
    """Cut five-minute candles (BARS) into one-minute bars that aggregate to them exactly."""
    count = len(candles)
    bars = np.zeros((count, PARTS), BARS)
    bars["time"] = candles["time"][:, None] + MINUTE * np.arange(PARTS)
    _draw_prices(bars, candles, random)
    _draw_volumes(bars, candles, random)
    _leave_whole(bars, candles)
    flat = bars.reshape(-1)
    flat["taker"] = (flat["volume"] * random.uniform(0.3, 0.7, flat.shape)).astype(np.int64)
    flat["value"] = values(flat)
    return flat


def _draw_prices(bars: Records, candles: Records, random: np.random.Generator) -> None:
    opened, high, low, closed = (candles[name][:, None] for name in PRICES)
    drawn = opened + (closed - opened) * np.arange(1, PARTS + 1) / PARTS
    drawn = drawn + random.normal(0, 0.2, bars.shape) * (high - low)
    closes = np.clip(np.rint(drawn).astype(np.int64), low, high)
    closes[:, -1:] = closed
    opens = np.concatenate((opened, closes[:, :-1]), axis=1)
    above, below = np.maximum(opens, closes), np.minimum(opens, closes)
    highs = above + ((high - above) * random.uniform(0, 0.3, bars.shape)).astype(np.int64)
    lows = below - ((below - low) * random.uniform(0, 0.3, bars.shape)).astype(np.int64)
    rows, where = np.arange(len(candles)), random.integers(0, PARTS, (2, len(candles)))
    highs[rows, where[0]], lows[rows, where[1]] = candles["high"], candles["low"]
    bars["open"], bars["high"], bars["low"], bars["close"] = opens, highs, lows, closes


def _draw_volumes(bars: Records, candles: Records, random: np.random.Generator) -> None:
    shares = random.uniform(0.5, 1.5, bars.shape)
    rest = np.maximum(candles["volume"] - PARTS, 0)[:, None]
    lots = 1 + np.floor(rest * shares / shares.sum(axis=1, keepdims=True)).astype(np.int64)
    lots[:, -1] += candles["volume"] - lots.sum(axis=1)
    bars["volume"] = lots


def _leave_whole(bars: Records, candles: Records) -> None:
    thin = candles["volume"] < PARTS
    for name in PRICES:
        bars[name][thin, 0] = candles[name][thin]
        bars[name][thin, 1:] = candles["close"][thin][:, None]
    bars["volume"][thin] = 0
    bars["volume"][thin, 0] = candles["volume"][thin]


def _prints(bars: Records, random: np.random.Generator) -> Records:
    """Draw liquidations in the busiest tenth of the minutes."""
    busy = bars[bars["high"] - bars["low"] >= np.quantile(bars["high"] - bars["low"], 0.9)] if len(bars) else bars
    prints = np.zeros(len(busy), PRINTS)
    prints["time"] = busy["time"] + random.integers(0, MINUTE, len(busy))
    prints["side"] = np.where(busy["close"] < busy["open"], 1, -1)
    prints["price"] = random.integers(busy["low"], busy["high"] + 1) if len(busy) else 0
    prints["size"] = 1 + busy["volume"] // 200
    return prints


def _read(folder: Path, pattern: str) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for path in folder.glob(pattern):
        with gzip.open(path, "rt", newline="") as lines:
            rows += csv.DictReader(lines)
    return sorted(rows, key=lambda row: int(next(iter(row.values()))))


def _step(texts: object) -> Unit:
    """Return the coarsest power of ten that all the decimal texts are whole numbers of, at most 1."""
    places = max((len(text.partition(".")[2].rstrip("0")) for text in texts), default=0)  # type: ignore[attr-defined]
    return Unit.of(Decimal(1).scaleb(-places))


def _candles(rows: list[dict[str, str]], tick: Unit, lot: Unit) -> Records:
    found = np.zeros(len(rows), BARS)
    found["time"] = [int(row["open_time_ms"]) for row in rows]
    for name in PRICES:
        found[name] = [tick.count(row[name]) for row in rows]
    found["volume"] = [lot.count(row["volume"]) for row in rows]
    return found


def _interest(rows: list[dict[str, str]], amount: Unit) -> Records:
    found = np.zeros(len(rows), INTEREST)
    found["time"] = [int(row["time_ms"]) for row in rows]
    found["amount"] = [amount.count(row["open_interest"]) for row in rows]
    found["usd"] = _cents(rows)
    return found


def _cents(rows: list[dict[str, str]]) -> npt.NDArray[np.int64]:
    return np.array([int(Decimal(row["open_interest_usd"]) / CENT.step) for row in rows], np.int64)
