"""Where campaigns play: one installation of the product, and a double of Binance whose time stops at a moment."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import psycopg

from tests.double import Clock, Market, history_market, serve, synthetic_market
from tests.double.tape import HOUR, MINUTE
from tests.history import ABSENT, HISTORY
from tests.operations.installation import Installation, installed
from tests.running import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.double import Double

VENUE: Final = "binance"
START_MS: Final = 1_764_633_600_000  # 2 December 2025
# What the venue lists before that: the same rows come first, whatever the moment at which a product asks.
HISTORY_MS: Final = 6 * HOUR
SYMBOLS: Final = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "DOGEUSDT")
STEP_MS: Final = 5 * MINUTE
LONGEST_S: Final = 240.0

# What the product has of all that the venue told until the end.
_HAS: Final = """
WITH live AS (SELECT id FROM market_instrument WHERE is_live AND venue <> 'pair'),
until AS (SELECT to_timestamp(%(end_s)s) AS at),
ends AS (SELECT series, count(*) AS stretches, count(*) FILTER (WHERE end_at >= until.at) AS there
    FROM market_coverage JOIN live ON live.id = instrument_id, until GROUP BY series),
maps AS (SELECT count(*) FILTER (WHERE built_through >= until.at) AS built,
    count(*) FILTER (WHERE zones_through >= until.at) AS followed, count(*) AS number
    FROM heatmaps_heatmap JOIN heatmaps_estimatorrelease AS r ON r.id = release_id, until WHERE r.slug = %(map)s)
SELECT coalesce((SELECT there = %(count)s AND stretches = %(count)s FROM ends WHERE series = 'bars'), false),
    coalesce((SELECT there = %(count)s AND stretches = %(count)s FROM ends WHERE series = 'mark_bars'), false),
    coalesce((SELECT there = %(count)s AND stretches = %(count)s FROM ends WHERE series = 'open_interest'), false),
    (SELECT built = %(count)s FROM maps), (SELECT followed = %(count)s FROM maps),
    NOT EXISTS (SELECT FROM market_hole JOIN live ON live.id = instrument_id, until
        WHERE state = 'waiting' AND start_at < until.at AND series IN ('bars', 'mark_bars', 'open_interest'))"""
_FRESH: Final = """SELECT count(DISTINCT instrument_id) FROM market_coverage
    WHERE series = 'bars' AND end_at >= to_timestamp(%(since)s)"""
_HOLES: Final = """SELECT i.symbol, series, state, start_at::text, end_at::text, tries, due_at::text
    FROM market_hole JOIN market_instrument AS i ON i.id = instrument_id ORDER BY 1, 2, 4"""
_PARTS: Final = ("bars", "mark bars", "open interest", "map", "zones", "waiting holes")
MAP: Final = "open-interest"

# Beside what is followed by default; the venue's own list corrects its terms.
_PREPARE: Final = """
from market.operations import disable, enable, ensure_default_set
from market.operations.instruments import ensure_instrument
from market.models import Instrument
from market.sources.base import InstrumentFacts
ensure_default_set()
doge = InstrumentFacts("DOGEUSDT", "DOGE", "USDT", "linear", 1.0, "0.00001", "1", underlying="DOGE")
ensure_instrument(venue={venue!r}, facts=doge, is_simulated=False, is_live=False)
disable(keys=[one.key for one in Instrument.objects.all()])
enable(keys={keys!r})
"""


@dataclass(frozen=True, slots=True)
class Play:
    """What is played: a market to ``until_ms`` at a speed, after a history."""

    market: Market
    symbols: Sequence[str]
    until_ms: int
    speed: float
    history_ms: int = HISTORY_MS

    @property
    def first_ms(self) -> int:
        """Return the open time of the first bar that there is."""
        return START_MS - self.history_ms


@dataclass
class Stage:
    """A product and its venue."""

    play: Play
    double: Double
    clock: Clock
    product: Installation

    @property
    def start_words(self) -> dict[str, str]:
        """Return the environment in which the product meets the double."""
        since = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(START_MS // 1000))}+00:00"
        return {
            "BH_VENUES": "1",
            "BH_VENUES_URL": self.double.address,
            "BH_CLOCK": f"{since}@{self.clock.started_at:.3f}x{self.play.speed:g}",
        }

    def begin(self, **words: str) -> None:
        """Start the product, with more of its environment."""
        self.product.begin_and_wait("--no-demo", **self.start_words, **words)

    def rows(self, sql: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Ask the product's database; raises psycopg.OperationalError while it is away."""
        url = json.loads((self.product.data_dir / "run" / "services.json").read_text())["DATABASE_URL"]
        with psycopg.connect(url, connect_timeout=5) as connection:
            return connection.execute(sql, values).fetchall()  # type: ignore[arg-type]  # psycopg wants literal text

    def count(self, table: str) -> int:
        """Count a table's rows."""
        ((number,),) = self.rows(f"SELECT count(*) FROM {table}")  # a name from the code
        return int(number)

    def has_history(self) -> bool:
        """Tell whether every instrument has been brought up to the time that runs."""
        since = (self.clock.now_ms() - 5 * MINUTE) / 1000
        ((fresh,),) = self.rows(_FRESH, {"since": since})
        return bool(fresh == len(self.play.symbols))

    def wait_for_play(self) -> None:
        """Wait until the venue's time stands still."""
        seconds = (self.play.until_ms - self.clock.now_ms()) / 1000 / self.play.speed
        wait_for(lambda: self.clock.now_ms() >= self.play.until_ms, what="the end of the play", within=seconds + 10)

    def wait_until_settled(self) -> None:
        """Wait until the product has all that the venue told, and has drawn it."""
        until = time.monotonic() + LONGEST_S
        while lacks := self.waits_for():
            assert time.monotonic() < until, f"not settled after {LONGEST_S} s: {', '.join(lacks)}\n{self.holes()}"
            time.sleep(0.3)

    def holes(self) -> str:
        """Describe what is known to be missing."""
        return "\n".join(map(str, self.rows(_HOLES)))

    def waits_for(self) -> list[str]:
        """Name what the product still lacks of what the venue told until the end."""
        values = {"end_s": self.play.until_ms / 1000, "count": len(self.play.symbols), "map": MAP}
        try:
            (found,) = self.rows(_HAS, values)
        except (psycopg.Error, OSError) as error:
            return [str(error)]
        return [name for name, is_there in zip(_PARTS, found, strict=True) if not is_there]


@contextmanager
def staged(place: Path, play: Play) -> Iterator[Stage]:
    """Build a stage; whatever was started on it is gone afterwards."""
    for listing in play.market.listings[VENUE].values():
        listing.listed_ms = play.first_ms
    with installed(place / "data") as product:
        _prepare(product, play)
        clock = Clock(START_MS, play.speed, end_ms=play.until_ms)
        with serve(market=play.market, clock=clock) as double:
            yield Stage(play, double, clock, product)


def _prepare(product: Installation, play: Play) -> None:
    """Enable what is played, and nothing else, before time begins to run."""
    text = _PREPARE.format(venue=VENUE, keys=[f"{VENUE}:{symbol}" for symbol in play.symbols])
    done = product.command("shell", "--no-imports", "-c", text, BH_VENUES="1")
    assert done.returncode == 0, done.stdout + done.stderr


def real_market() -> Market:
    """Return December 2025 as it was; fails loudly where that history is not at hand."""
    if not HISTORY.is_dir():
        raise SystemExit(ABSENT)
    return history_market(HISTORY, symbols=SYMBOLS, slugs=(VENUE,))


def seeded_market(count: int) -> Market:
    """Return a market that needs no files."""
    return synthetic_market(count, slugs=(VENUE,))
