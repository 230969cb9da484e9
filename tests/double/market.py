"""What the venues know: which contract each lists, in which units, and the truth a test compares with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import numpy as np

from tests.double.replay import history_symbols, history_tape
from tests.double.synthetic import FOREVER, synthetic_tape
from tests.double.tape import BARS, CENT, HOUR, MINUTE, PRINTS, Records, Tape, unfinished
from tests.double.units import Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

SLUGS: Final = ("binance", "binance-coin-m", "bybit", "okx", "hyperliquid")
QUOTES: Final = {"binance": "USDT", "binance-coin-m": "USD", "bybit": "USDT", "okx": "USDT", "hyperliquid": "USDC"}
# How many sides of each position a venue counts into its open interest. Bybit's reference says of openInterest "The
# value is the sum of both sides"; Binance and OKX count contracts. For Hyperliquid see docs/decisions/0011.
SIDES: Final[Mapping[str, int]] = {
    "binance": 1, "binance-coin-m": 1, "bybit": 2, "okx": 1, "hyperliquid": 2,
}  # fmt: skip
# Liquidations reach the public once a second and contract at most on these ("latest per second"); Bybit gives all.
SAMPLED: Final = ("binance", "binance-coin-m", "okx")
INVERSE: Final = "binance-coin-m"
INVERSE_BASES: Final = ("BTC", "ETH")
OKX_CONTRACTS: Final = {"BTC": "0.01", "ETH": "0.1", "DOGE": "1000"}
SECOND: Final = 1_000


@dataclass(frozen=True, slots=True)
class Revision:
    """A closed bar that the venue corrects: from ``at_ms`` on it closes ``ticks`` lower and traded ``lots`` more."""

    open_time: int
    at_ms: int
    ticks: int = 1
    lots: int = 1


@dataclass
class Listing:
    """One contract at one venue. Sizes are whole lots of ``size``: base units, OKX's and COIN-M's contracts.

    contract: base per contract, USD per contract of an inverse one; ``multipliers`` are later values with their date.
    """

    slug: str
    symbol: str
    tape: Tape
    sides: int = 1
    contract: Decimal = Decimal(1)
    hours: int = 8
    listed_ms: int = 0
    ended_ms: int = FOREVER
    intervals: list[tuple[int, int]] = field(default_factory=list)
    multipliers: list[tuple[int, Decimal]] = field(default_factory=list)
    revisions: list[Revision] = field(default_factory=list)
    bursts: list[tuple[int, int, int, int]] = field(default_factory=list)
    coin: str = ""

    @property
    def base(self) -> str:
        """The coin; a renamed contract's differs from its tape's."""
        return self.coin or self.tape.terms.base

    @property
    def quote(self) -> str:
        """What the price is in."""
        return QUOTES[self.slug]

    @property
    def is_inverse(self) -> bool:
        """Whether the margin lies in the coin."""
        return self.slug == INVERSE

    def contract_at(self, now: int) -> Decimal:
        """Return the contract size that holds at a moment."""
        return next((size for at, size in sorted(self.multipliers, reverse=True) if at <= now), self.contract)

    def size_at(self, now: int) -> Unit:
        """Return the step of sizes as the venue writes them: a lot in contracts, one contract of an inverse one."""
        return Unit.of("1") if self.is_inverse else Unit.of(self.tape.terms.lot.step / self.contract_at(now))

    def is_listed(self, now: int) -> bool:
        """Tell whether it trades at a moment."""
        return self.listed_ms <= now < self.ended_ms

    def bars(self, *, since: int, until: int, now: int, series: str = "bars") -> Records:
        """Return bars or marks with ``since <= time < until`` as they stand at ``now``; the last may be unfinished.

        An inverse contract's volume and taker are contracts, its value is the base volume in 1e-8.
        """
        until = min(until, self.ended_ms, now + 1)
        rows = self.tape.rows(series, max(since, self.listed_ms), until).copy()
        if len(rows) and rows["time"][-1] + MINUTE > now:
            rows[-1:] = unfinished(rows[-1:], (now - int(rows["time"][-1])) / MINUTE)
        if series == "marks":
            return rows
        self._revise(rows, now)
        return self._inverse(rows) if self.is_inverse else rows

    def _revise(self, rows: Records, now: int) -> None:
        for revision in self.revisions:
            if revision.at_ms <= now:
                at = rows["time"] == revision.open_time
                rows["close"][at] -= revision.ticks
                rows["low"][at] = np.minimum(rows["low"], rows["close"])[at]
                rows["volume"][at] += revision.lots

    def _inverse(self, rows: Records) -> Records:
        terms = self.tape.terms
        usd = rows["value"] * float(terms.tick.step) * float(terms.lot.step)
        size = np.array([float(self.contract_at(int(time))) for time in rows["time"]])
        contracts = np.rint(usd / size).astype(np.int64)
        price = rows["value"] / np.maximum(rows["volume"], 1) * float(terms.tick.step)
        taker = (contracts * (rows["taker"] / np.maximum(rows["volume"], 1))).astype(np.int64)
        rows["value"] = np.rint(contracts * size / np.maximum(price, 1e-9) * 1e8)
        rows["volume"], rows["taker"] = contracts, taker
        return rows

    def interest(self, *, since: int, until: int, now: int) -> list[tuple[int, int, int]]:
        """Return (time, amount, usd) of one side with ``since <= time <= until``, not after ``now``.

        amount in steps of the tape's amount, usd in 1e-8.
        """
        until = min(until, now, self.ended_ms - 1) + 1
        rows = self.tape.rows("interest", max(since, self.listed_ms), until)
        return [(int(row["time"]), int(row["amount"]), int(row["usd"])) for row in rows]

    def interest_now(self, now: int) -> tuple[int, int, int] | None:
        """Return the newest sample of the last day."""
        return next(iter(self.interest(since=now - 24 * HOUR, until=now, now=now)[::-1]), None)

    def hours_at(self, time: int) -> int:
        """Return the funding interval [h] that holds at a moment."""
        return next((hours for at, hours in sorted(self.intervals, reverse=True) if at <= time), self.hours)

    def funding(self, *, since: int, until: int) -> list[tuple[int, int, int]]:
        """Return (time, rate in 1e-8 per interval, interval in hours) with ``since <= time <= until``."""
        start = max(since, self.listed_ms, self.tape.first_ms) // HOUR * HOUR
        last = min(until, self.ended_ms, self.tape.end_ms)
        due = (time for time in range(start, last + 1, HOUR) if time // HOUR % self.hours_at(time) == 0)
        stamped = ((*self.tape.rate(time), self.hours_at(time)) for time in due)
        return [row for row in stamped if since <= row[0] <= until]

    def next_funding(self, now: int) -> int:
        """Return when funding is due next [ms]."""
        time = now // HOUR * HOUR + HOUR
        while time // HOUR % self.hours_at(time):
            time += HOUR
        return time

    def prints(self, *, since: int, until: int) -> Records:
        """Return the liquidations that the venue publishes, ``since <= time < until``, thinned as it thins them."""
        if self.slug == "hyperliquid":
            return np.empty(0, PRINTS)
        until = min(until, self.ended_ms)
        rows = self.tape.rows("prints", max(since, self.listed_ms), until)
        extra = np.array([burst for burst in self.bursts if since <= burst[0] < until], PRINTS)
        rows = np.concatenate((rows, extra))
        rows = rows[np.argsort(rows["time"], kind="stable")]
        if self.slug not in SAMPLED or not len(rows):
            return rows
        seconds = rows["time"] // SECOND
        return np.asarray(rows[np.concatenate((np.diff(seconds) != 0, [True]))])


class Market:
    """All listings, by venue and symbol."""

    def __init__(self, listings: Iterable[Listing]) -> None:
        self.listings: dict[str, dict[str, Listing]] = {slug: {} for slug in SLUGS}
        for listing in listings:
            self.listings[listing.slug][listing.symbol] = listing

    def listing(self, slug: str, symbol: str) -> Listing:
        """Return one contract; KeyError where the venue never listed it."""
        return self.listings[slug][symbol]

    def rename(self, slug: str, symbol: str, *, coin: str, at_ms: int) -> Listing:
        """End a symbol and go on under another coin's name."""
        old = self.listing(slug, symbol)
        old.ended_ms = at_ms
        new = replace(old, symbol=symbol_of(slug, coin), coin=coin, listed_ms=at_ms, ended_ms=FOREVER)
        self.listings[slug] = {**self.listings[slug], new.symbol: new}  # a venue may be reading the old one
        return new


def symbol_of(slug: str, base: str) -> str:
    """Return how a venue calls its perpetual of a coin."""
    patterns = {"binance-coin-m": "{}USD_PERP", "okx": "{}-USDT-SWAP", "hyperliquid": "{}"}
    return patterns.get(slug, "{}USDT").format(base)


def market_of(tapes: Sequence[Tape], *, slugs: Iterable[str] = SLUGS, sides: Mapping[str, int] = SIDES) -> Market:
    """List the same tapes on every venue, each under its own symbol and in its own units."""
    return Market(
        _listing(slug, tape, sides[slug])
        for slug in slugs
        for tape in tapes
        if slug != INVERSE or tape.terms.base in INVERSE_BASES
    )


def _listing(slug: str, tape: Tape, sides: int) -> Listing:
    base = tape.terms.base
    contract = Decimal(1)
    if slug == "okx":
        contract = Decimal(OKX_CONTRACTS.get(base, "1"))
    if slug == INVERSE:
        contract = Decimal(100 if base == "BTC" else 10)
    hours = 1 if slug == "hyperliquid" else tape.terms.funding_hours
    return Listing(slug, symbol_of(slug, base), tape, sides, contract, hours)


def synthetic_market(
    count: int = 4, *, seed: int = 7, slugs: Iterable[str] = SLUGS, prints_per_day: int = 120
) -> Market:
    """Make a market of ``count`` seeded contracts."""
    tapes = [synthetic_tape(index=index, seed=seed, prints_per_day=prints_per_day) for index in range(count)]
    return market_of(tapes, slugs=slugs)


def history_market(folder: Path, *, symbols: Iterable[str] = (), slugs: Iterable[str] = SLUGS) -> Market:
    """Make a market of real history; ValueError where the folder has none."""
    found = list(symbols) or history_symbols(folder)
    if not found:
        raise ValueError(f"{folder} has no files like BTCUSDT-candles-5m.csv.gz")
    return market_of([history_tape(folder=folder, symbol=symbol) for symbol in found], slugs=slugs)


__all__ = ["BARS", "CENT", "Listing", "Market", "Revision", "history_market", "market_of", "synthetic_market"]
