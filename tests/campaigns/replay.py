"""The product against four contracts of December 2025: all rows equal to the truth, and soon enough.

    python -m tests.campaigns.replay --minutes 10 --speed 60

Only Binance is played: sixty times sixteen contracts would be the load of 960.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import math
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import psycopg

from tests.campaigns.stage import LONGEST_S, START_MS, STEP_MS, SYMBOLS, VENUE, Play, Stage, real_market, staged
from tests.double import truth
from tests.double.tape import MINUTE
from tests.history import HISTORY
from tests.running import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterable

EVERY_S: Final = 0.1
LATE_MS: Final = 5_000
_NEWEST: Final = """SELECT i.symbol, extract(epoch FROM max(end_at))::float8 * 1000
    FROM market_coverage JOIN market_instrument AS i ON i.id = instrument_id
    WHERE series = 'bars' GROUP BY 1"""


@dataclass
class LagSampler(threading.Thread):
    """Looks into the ledger all the time: how long after its end a minute is there [s of wall time]."""

    stage: Stage
    since_ms: float
    lags: list[float] = field(default_factory=list)
    newest: dict[str, float] = field(default_factory=dict)
    _ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def __hash__(self) -> int:
        """Threads are kept in sets."""
        return id(self)

    def run(self) -> None:
        """Sample until stopped."""
        while not self._ended.wait(EVERY_S):
            try:
                found = self.stage.rows(_NEWEST)
            except (psycopg.Error, OSError):
                continue
            now_ms = self.stage.clock.now_ms()
            for symbol, end_ms in found:
                self._note(symbol, end_ms, now_ms)

    def _note(self, symbol: str, end_ms: float, now_ms: int) -> None:
        """Each minute between the newest end before and the one now was first seen now; history is none of them."""
        before = self.newest.get(symbol, end_ms)
        self.newest[symbol] = end_ms
        if before >= self.since_ms:
            ends = np.arange(before + MINUTE, end_ms + 1, MINUTE)
            self.lags += ((now_ms - ends) / 1000 / self.stage.play.speed).tolist()

    def end(self) -> None:
        """Stop sampling."""
        self._ended.set()
        self.join(10)


def replay(place: Path, play: Play, *, is_real: bool = False) -> dict[str, Any]:
    """Play to the end and return what came of it; raise AssertionError where rows are not the truth."""
    began = time.monotonic()
    with staged(place, play) as stage:
        stage.begin()
        wait_for(stage.has_history, what="the history", within=LONGEST_S)
        sampler = LagSampler(stage, stage.clock.now_ms())
        sampler.start()
        stage.wait_for_play()
        sampler.end()
        feed = stage.rows("SELECT channel, lag_p50, lag_p95, reconnects, rows FROM market_feedstate")
        stage.wait_until_settled()
        lags = np.array(sampler.lags)
        return {
            "speed": play.speed,
            "virtual_minutes": (play.until_ms - START_MS) // MINUTE,
            "wall_s": round(time.monotonic() - began, 1),
            "rows": compare(stage),
            "candles_of_files": compare_files(stage) if is_real else 0,
            "quarantine": stage.count("market_quarantine"),
            "held_because": dict(stage.rows(_HELD)),
            "revisions": stage.count("market_revision"),
            "lag_sampled_s": {name: round(float(np.quantile(lags, q)), 2) for name, q in _QUANTILES.items()},
            "live_from_minute": int(sampler.since_ms - START_MS) // MINUTE,
            "lags_sampled": len(lags),
            "feed": [
                dict(zip(("channel", "lag_p50", "lag_p95", "reconnects", "rows"), row, strict=True)) for row in feed
            ],
        }


# By series and reason, with one of them as it came.
_HELD: Final = """SELECT series || ': ' || reason || ' (' || origin || ')', count(*) || ' as ' || min(raw)
    FROM market_quarantine GROUP BY series, reason, origin ORDER BY 1"""
_QUANTILES: Final = {"p50": 0.5, "p95": 0.95, "max": 1.0}


def compare(stage: Stage) -> dict[str, int]:
    """Compare all bars and samples of open interest with the double's truth; return how many there are."""
    counts = {"bars": 0, "open_interest": 0}
    for symbol in stage.play.symbols:
        counts["bars"] += _compare_bars(stage, symbol)
        counts["open_interest"] += _compare_interest(stage, symbol)
    return counts


_BARS: Final = """SELECT extract(epoch FROM open_time)::bigint * 1000, open, high, low, close, volume, quote_volume,
        taker_buy_volume
    FROM market_bar JOIN market_instrument AS i ON i.id = instrument_id
    WHERE i.symbol = %(symbol)s AND price_kind = 0 ORDER BY 1"""
_INTEREST: Final = """SELECT extract(epoch FROM time)::bigint * 1000, open_interest, open_interest_value
    FROM market_openinterest JOIN market_instrument AS i ON i.id = instrument_id
    WHERE i.symbol = %(symbol)s ORDER BY 1"""


def _compare_bars(stage: Stage, symbol: str) -> int:
    play = stage.play
    listing = play.market.listing(VENUE, symbol)
    known = truth.bars(listing, since=play.first_ms, until=play.until_ms, now=play.until_ms)
    stored = [truth.Bar(*row) for row in stage.rows(_BARS, {"symbol": symbol})]
    _require_same(f"bars of {symbol}", stored, known)
    return len(stored)


def _compare_interest(stage: Stage, symbol: str) -> int:
    play = stage.play
    listing = play.market.listing(VENUE, symbol)
    known = truth.open_interest(listing, since=play.first_ms, until=play.until_ms, now=play.until_ms)
    stored = stage.rows(_INTEREST, {"symbol": symbol})
    _require_same(
        f"open interest of {symbol}", stored, [(_minute(row.time), row.open_interest, row.usd) for row in known]
    )
    return len(stored)


def _minute(time_ms: int) -> int:
    """Return the minute that a sample was taken at: the venue stamped some of December's some seconds later."""
    late = time_ms % MINUTE
    return time_ms - late if late <= LATE_MS else time_ms


def _require_same(what: str, stored: list[Any], known: list[Any]) -> None:
    wrong = [pair for pair in zip(stored, known, strict=False) if pair[0] != pair[1]]
    assert not wrong, f"{what}: {len(wrong)} differ, first {wrong[0]}"
    assert len(stored) == len(known), f"{what}: {len(stored)} stored, {len(known)} true"


def compare_files(stage: Stage) -> int:
    """Compare the stored bars, joined to five minutes, with the files' own candles; return how many candles."""
    return sum(_compare_file(stage, symbol) for symbol in stage.play.symbols)


def _compare_file(stage: Stage, symbol: str) -> int:
    candles = {int(row["open_time_ms"]): row for row in _read(HISTORY.glob(f"{symbol}-candles-5m*.csv.gz"))}
    bars = stage.rows(_BARS, {"symbol": symbol})
    slots: dict[int, list[Any]] = {}
    for bar in bars:
        slots.setdefault(bar[0] // STEP_MS * STEP_MS, []).append(bar)
    for time_ms, parts in slots.items():
        row = candles[time_ms]
        joined = (parts[0][1], max(p[2] for p in parts), min(p[3] for p in parts), parts[-1][4])
        assert joined == tuple(float(row[name]) for name in ("open", "high", "low", "close")), (symbol, time_ms)
        assert math.isclose(sum(p[5] for p in parts), float(row["volume"]), rel_tol=1e-9), (symbol, time_ms)
    return len(slots)


def _read(paths: Iterable[Path]) -> Iterable[dict[str, str]]:
    for path in paths:
        with gzip.open(path, "rt", newline="") as lines:
            yield from csv.DictReader(lines)


def main() -> None:
    """Play the real history and print figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="of wall time")
    parser.add_argument("--speed", type=float, default=60)
    chosen = parser.parse_args()
    until_ms = START_MS + int(chosen.minutes * 60_000 * chosen.speed) // STEP_MS * STEP_MS
    play = Play(real_market(), SYMBOLS, until_ms, chosen.speed)
    with tempfile.TemporaryDirectory(prefix="bh-replay-") as place:
        figures = replay(Path(place), play, is_real=True)
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
