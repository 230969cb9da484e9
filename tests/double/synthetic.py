"""A seeded market without end: any day of any contract can be made at once, without the days before it."""

from __future__ import annotations

import zlib
from typing import Final

import numpy as np
import numpy.typing as npt

from tests.double.tape import (
    BARS,
    DAY,
    FIVE_MINUTES,
    INTEREST,
    MINUTE,
    PRINTS,
    Day,
    Records,
    Tape,
    Terms,
    values,
)
from tests.double.units import Unit

MINUTES: Final = DAY // MINUTE
STEPS: Final = DAY // FIVE_MINUTES
MEAN_VOLUME: Final = 1_000  # lots a minute
MEAN_INTEREST: Final = 1_000_000  # lots
MINUTE_SIGMA: Final = 6e-4
FOREVER: Final = 1 << 52
# (base, price in ticks, tick, lot) of the first contracts; more are named S0004, S0005, …
LEADERS: Final = (
    ("BTC", 900_000, "0.1", "0.001"),
    ("ETH", 300_000, "0.01", "0.001"),
    ("SOL", 13_500, "0.01", "0.01"),
    ("DOGE", 14_200, "0.00001", "1"),
)


def synthetic_tape(*, index: int, seed: int = 7, prints_per_day: int = 120) -> Tape:
    """Make contract number ``index`` of the market with this seed."""
    base, price, tick, lot = LEADERS[index] if index < len(LEADERS) else (f"S{index:04d}", 50_000, "0.0001", "0.1")
    maker = _Maker(base, price, seed, prints_per_day)
    hours = 4 if index % 10 == 5 else 8
    terms = Terms(base, Unit.of(tick), Unit.of(lot), Unit.of(lot), hours)
    maker.terms = terms
    return Tape(terms=terms, first_ms=0, end_ms=FOREVER, make=maker.day)


class _Maker:
    terms: Terms

    def __init__(self, base: str, price: int, seed: int, prints_per_day: int) -> None:
        self.price, self.prints_per_day = price, prints_per_day
        self.seed = [seed, zlib.crc32(base.encode())]
        self.phase = np.random.default_rng(self.seed).uniform(0, 2 * np.pi, 2)

    def level(self, day: int) -> float:
        """Return the logarithm of a day's opening price over the contract's usual one."""
        slow, fast = np.sin(np.array([0.23, 1.7]) * day + self.phase)
        return float(0.15 * slow + 0.03 * fast)

    def day(self, index: int) -> Day:
        random = np.random.default_rng([*self.seed, index])
        bars = self.bars(index, random)
        return Day(bars, self.interest(index, random, bars), self.prints(random, bars))

    def bars(self, index: int, random: np.random.Generator) -> Records:
        path = _bridge(random, self.level(index), self.level(index + 1), MINUTES, MINUTE_SIGMA)
        ticks = np.rint(self.price * np.exp(path)).astype(np.int64)
        bars = np.zeros(MINUTES, BARS)
        bars["time"] = index * DAY + MINUTE * np.arange(MINUTES)
        bars["open"], bars["close"] = ticks[:-1], ticks[1:]
        wicks = (np.abs(random.normal(0, 2e-4, (2, MINUTES))) * self.price).astype(np.int64)
        bars["high"] = np.maximum(ticks[:-1], ticks[1:]) + wicks[0]
        bars["low"] = np.minimum(ticks[:-1], ticks[1:]) - wicks[1]
        bars["volume"] = 1 + (MEAN_VOLUME * random.lognormal(0, 0.5, MINUTES)).astype(np.int64)
        bars["taker"] = (bars["volume"] * random.uniform(0.3, 0.7, MINUTES)).astype(np.int64)
        bars["value"] = values(bars)
        return bars

    def interest(self, index: int, random: np.random.Generator, bars: Records) -> Records:
        path = _bridge(random, self.level(index + 9) / 3, self.level(index + 10) / 3, STEPS, 3e-4)
        rows = np.zeros(STEPS, INTEREST)
        rows["time"] = index * DAY + FIVE_MINUTES * np.arange(STEPS)
        rows["amount"] = np.rint(MEAN_INTEREST * np.exp(path[:-1])).astype(np.int64)
        worth = 1e8 * float(self.terms.tick.step) * float(self.terms.lot.step)
        rows["usd"] = (rows["amount"] * bars["open"][:: FIVE_MINUTES // MINUTE] * worth).astype(np.int64)
        return rows

    def prints(self, random: np.random.Generator, bars: Records) -> Records:
        count = random.poisson(self.prints_per_day)
        times = np.sort(random.integers(0, DAY, count))
        times[9::10] = times[8::10][: len(times[9::10])]  # now and then two in one millisecond
        rows = np.zeros(count, PRINTS)
        rows["time"] = bars["time"][0] + times
        minute = bars[times // MINUTE]
        rows["side"] = np.where(minute["close"] < minute["open"], 1, -1)
        rows["price"] = random.integers(minute["low"], minute["high"] + 1)
        rows["size"] = 1 + random.pareto(1.5, count).clip(max=1e4).astype(np.int64)
        return rows


def _bridge(random: np.random.Generator, start: float, end: float, steps: int, sigma: float) -> npt.NDArray[np.float64]:
    """Walk from ``start`` to ``end`` in ``steps`` random steps; both ends are met exactly."""
    walk = np.concatenate(([0.0], np.cumsum(random.normal(0, sigma, steps))))
    along = np.arange(steps + 1) / steps
    return np.asarray(start + walk + along * (end - start - walk[-1]))
