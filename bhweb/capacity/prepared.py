"""What `bench advance` finds in its throw-away database: made-up markets, and copies of their rows and maps."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt
    import psycopg

    Floats = npt.NDArray[np.float64]
    Minutes = npt.NDArray[np.int64]

MARKETS: Final = 2
# Bars of a minute, of five minutes and of an hour reach back so far from the beginning: what an installation holds
# that was filled with five-minute bars before it went live, and four and a half months for the layers.
MINUTES: Final = 24 * 60
FIVES: Final = 14 * 24 * 60
HOURS: Final = 136 * 24 * 60
# So many minutes are made beyond the beginning.
AHEAD: Final = 12
_DAY: Final = 24 * 60
_SAMPLED: Final = 30 * _DAY
_FIRST_USD: Final = 60_000.0
_INTEREST: Final = 9_000.0
_BANDS: Final = (10, 25, 50, 100, 200, 500)

_INSTRUMENT: Final = """INSERT INTO market_instrument (venue, symbol, base, quote, contract_type, contract_size,
        tick_size, lot_size, underlying, multiple, liquidation_sampling, is_simulated, is_live)
    SELECT 'bench', 'S' || n, 'S' || n, 'USDT', 'linear', 1, 0.1, 0.001, '', 1, '', false, true
    FROM generate_series(%s::int, %s::int - 1) n RETURNING id"""
_MONTH: Final = """CREATE TABLE IF NOT EXISTS market_bar_{0:%Y_%m} PARTITION OF market_bar
    FOR VALUES FROM ('{0:%Y-%m-%d} 00:00+00') TO ('{1:%Y-%m-%d} 00:00+00')"""
_COVERAGE: Final = """INSERT INTO market_coverage (instrument_id, series, timeframe, start_at, end_at)
    VALUES (%s, %s, %s, %s, %s)"""
_REACHED: Final = """UPDATE market_coverage SET end_at = %s WHERE (series, timeframe) IN
    (('bars', 60), ('mark_bars', 60), ('open_interest', 300))"""
_BAR: Final = "price_kind, timeframe, open_time, open, high, low, close, volume, quote_volume, taker_buy_volume"
_SIDES: Final = ", ".join(f"{side}_{band}" for side in ("bid", "ask") for band in _BANDS)
# Tables whose rows belong to an instrument, and the columns to copy.
_OF_INSTRUMENTS: Final = {
    "market_bar": _BAR,
    "market_openinterest": "time, open_interest, open_interest_value, mark_price",
    "market_fundingrate": "time, rate, interval_s",
    "market_accountratio": "time, ratio",
    "market_depth": f"time, mid, {_SIDES}",
    "market_coverage": "series, timeframe, start_at, end_at",
}
_PAIRS: Final = """CREATE TABLE bench_copy AS SELECT s.id AS source_id, t.id AS target_id
    FROM unnest(%s::bigint[]) WITH ORDINALITY s(id, n) JOIN unnest(%s::bigint[]) WITH ORDINALITY t(id, n)
    ON s.n = 1 + (t.n - 1) %% %s"""
_ROWS: Final = """INSERT INTO {0} (instrument_id, {1}) SELECT target_id, {1} FROM {0}
    JOIN bench_copy ON instrument_id = source_id ORDER BY target_id"""
_MAP_ROWS: Final = """INSERT INTO {0} (heatmap_id, {1}) SELECT m.target_id, {2} FROM {0} r
    JOIN bench_map m ON m.source_id = r.heatmap_id WHERE {3}"""
_MAPS: Final = """INSERT INTO heatmaps_heatmap ({0}, instrument_id)
    SELECT {0}, target_id FROM heatmaps_heatmap JOIN bench_copy ON instrument_id = source_id"""
_MAP_PAIRS: Final = """CREATE TABLE bench_map AS SELECT s.id AS source_id, t.id AS target_id FROM bench_copy c
    JOIN heatmaps_heatmap s ON s.instrument_id = c.source_id
    JOIN heatmaps_heatmap t ON t.instrument_id = c.target_id AND t.release_id = s.release_id"""
# Of a map what a minute may ask for: columns of tiles that are open or just closed, and newest snapshots.
_OF_MAPS: Final = {
    "heatmaps_tile": """r.col > (SELECT max(col) - 2 FROM heatmaps_tile n
        WHERE n.heatmap_id = r.heatmap_id AND n.level = r.level)""",
    "heatmaps_snapshot": """r.step_at IN (SELECT n.step_at FROM heatmaps_snapshot n
        WHERE n.heatmap_id = r.heatmap_id ORDER BY n.step_at DESC LIMIT 6)""",
    "heatmaps_zone": "true",
    "heatmaps_zonetracking": "true",
}
_EVENTS: Final = """INSERT INTO heatmaps_zoneevent (zone_id, {0}) SELECT t.id, {1} FROM heatmaps_zoneevent r
    JOIN heatmaps_zone s ON s.id = r.zone_id JOIN bench_map m ON m.source_id = s.heatmap_id
    JOIN heatmaps_zone t ON t.heatmap_id = m.target_id AND t.number = s.number"""
_COLUMNS: Final = """SELECT column_name FROM information_schema.columns
    WHERE table_name = %s AND is_generated = 'NEVER' AND column_name <> ALL(%s) ORDER BY ordinal_position"""


@dataclass
class Prepared:
    """The rows of a bench: markets made up to ``begun_at``, to be copied, and what comes after."""

    connection: psycopg.Connection[Any]
    begun_at: dt.datetime
    markets: list[int] = field(default_factory=list)
    copies: list[int] = field(default_factory=list)

    def make_markets(self) -> None:
        """Fill some markets; their maps are the product's own business."""
        self._make_months()
        self.markets = self._make_instruments(0, MARKETS)
        for seed, instrument_id in enumerate(self.markets):
            walk = Walk.of(seed, HOURS + AHEAD, first_minute=self._minute(self.begun_at) - HOURS)
            self._fill(instrument_id, walk)

    def copy(self, count: int) -> None:
        """Copy the markets with their maps and zones until there are ``count`` instruments."""
        self.copies = self._make_instruments(MARKETS, count)
        self.connection.execute(_PAIRS, [self.markets, self.copies, MARKETS])
        for table, columns in _OF_INSTRUMENTS.items():
            self._run(_ROWS.format(table, columns))
        self._run(_MAPS.format(", ".join(self._columns("heatmaps_heatmap", "id", "instrument_id"))))
        self._run(_MAP_PAIRS)
        for table, where in _OF_MAPS.items():
            names = self._columns(table, "id", "heatmap_id")
            told = ", ".join(f'r."{name}"' for name in names)
            into = ", ".join(f'"{name}"' for name in names)
            self._run(_MAP_ROWS.format(table, into, told, where))
        names = self._columns("heatmaps_zoneevent", "id", "zone_id")
        self._run(_EVENTS.format(", ".join(names), ", ".join(f"r.{name}" for name in names)))
        for table in (*_OF_INSTRUMENTS, *_OF_MAPS, "heatmaps_zoneevent", "heatmaps_heatmap"):
            self._run(f"VACUUM (ANALYZE) {table}")  # else the server would do it amid the measure

    def reach(self, at: dt.datetime) -> None:
        """Let the ledgers say that rows are stored up to a moment; those beyond it are not looked at."""
        self.connection.execute(_REACHED, [at])

    def _fill(self, instrument_id: int, walk: Walk) -> None:
        end = HOURS + AHEAD
        spans = ((3600, 0, HOURS - FIVES, 0), (300, HOURS - FIVES, HOURS - MINUTES, 0),
                 (60, HOURS - MINUTES, end, 0), (60, HOURS - MINUTES, end, 1))  # fmt: skip
        for seconds, start, stop, kind in spans:
            rows = ((instrument_id, kind, seconds, *bar) for bar in walk.bars(start, stop, seconds // 60))
            self._copy("market_bar", f"instrument_id, {_BAR}", rows)
            series = ("bars", "mark_bars")[kind]
            self._cover(instrument_id, series, seconds, walk.at(start), walk.at(min(stop, HOURS)))
        samples = [*range(60, HOURS - FIVES, 60), *range(HOURS - FIVES, end + 1, 5)]
        interest = ((instrument_id, walk.at(i), walk.interest(i), None, None) for i in samples)
        self._copy("market_openinterest", f"instrument_id, {_OF_INSTRUMENTS['market_openinterest']}", interest)
        self._cover(instrument_id, "open_interest", 300, walk.at(0), walk.at(HOURS))
        hourly = range(max(HOURS - _SAMPLED, 0), HOURS + 1, 60)
        ratios = ((instrument_id, walk.at(i), 1.0 + 0.2 * walk.wave(i)) for i in hourly)
        self._copy("market_accountratio", "instrument_id, time, ratio", ratios)
        depth = (
            (instrument_id, walk.at(i), walk.price(i), *(1e4 * band * (2.0 + walk.wave(i)) for band in _BANDS * 2))
            for i in hourly
        )
        self._copy("market_depth", f"instrument_id, time, mid, {_SIDES}", depth)
        rates = ((instrument_id, walk.at(i), 1e-4 * walk.wave(i), 28_800.0) for i in range(0, HOURS + 1, 480))
        self._copy("market_fundingrate", "instrument_id, time, rate, interval_s", rates)

    def _cover(self, *row: object) -> None:
        self.connection.execute(_COVERAGE, row)

    def _make_instruments(self, first: int, stop: int) -> list[int]:
        return [row[0] for row in self.connection.execute(_INSTRUMENT, [first, stop]).fetchall()]

    def _make_months(self) -> None:
        start = self.begun_at - dt.timedelta(minutes=HOURS)
        month = start.replace(day=1, hour=0, minute=0)
        while month <= self.begun_at:
            following = (month + dt.timedelta(days=32)).replace(day=1)
            self._run(_MONTH.format(month, following))
            month = following

    def _copy(self, table: str, columns: str, rows: Iterator[Sequence[object]]) -> None:
        with self.connection.cursor().copy(f"COPY {table} ({columns}) FROM STDIN".encode()) as copy:
            for row in rows:
                copy.write_row(row)

    def _columns(self, table: str, *without: str) -> list[str]:
        return [name for (name,) in self.connection.execute(_COLUMNS, [table, list(without)]).fetchall()]

    def _run(self, statement: str) -> None:
        # Tables and columns are those above, or the database's own.
        self.connection.execute(statement.encode())

    @staticmethod
    def _minute(at: dt.datetime) -> int:
        return int(at.timestamp()) // 60


@dataclass(frozen=True, slots=True)
class Walk:
    """A random walk of a price by minutes, float64[n + 1] where it is known, with volume and open interest."""

    first_minute: int
    close: Floats
    reach: Floats
    volume: Floats
    open_interest: Floats

    @classmethod
    def of(cls, seed: int, count: int, *, first_minute: int) -> Walk:
        """The walk of a seed: 0.07 % a minute, 3.4 % of open interest traded in five minutes."""
        draw = np.random.default_rng(seed)
        close = _FIRST_USD * np.exp(np.cumsum(np.append(0.0, draw.normal(0.0, 7e-4, count))))
        reach = np.abs(draw.normal(0.0, 3e-4, (2, count)))
        volume = draw.lognormal(3.9, 0.6, count)
        interest = _INTEREST * np.exp(np.cumsum(draw.normal(0.0, 2e-4, count + 1)))
        return cls(first_minute, close, reach, volume, interest)

    def at(self, index: int) -> dt.datetime:
        """The moment at which a minute begins."""
        return dt.datetime.fromtimestamp(60 * (self.first_minute + index), dt.UTC)

    def price(self, index: int) -> float:
        """The price at a moment."""
        return float(self.close[index])

    def interest(self, index: int) -> float:
        """Open interest at a moment [base]."""
        return float(self.open_interest[index])

    def wave(self, index: int) -> float:
        """Something between -1 and 1 that takes days to come back."""
        return float(np.sin(index / 2500.0))

    def bars(self, start: int, stop: int, minutes: int) -> Iterator[tuple[object, ...]]:
        """Bars of so many minutes: open_time, open, high, low, close, volume, quote_volume, taker_buy_volume."""
        opens, closes = self.close[start:stop], self.close[start + 1 : stop + 1]
        high = np.maximum(opens, closes) * (1.0 + self.reach[0, start:stop])
        low = np.minimum(opens, closes) * (1.0 - self.reach[1, start:stop])
        volume = self.volume[start:stop]
        first = np.arange(0, stop - start, minutes)
        sums = np.add.reduceat(volume, first), np.add.reduceat(volume * closes, first)
        last = np.append(first[1:], stop - start) - 1
        columns = (opens[first], np.maximum.reduceat(high, first), np.minimum.reduceat(low, first), closes[last])
        told = zip(*(column.tolist() for column in (*columns, *sums, 0.5 * sums[0])), strict=True)
        for index, values in zip(first.tolist(), told, strict=True):
            yield (self.at(start + index), *values)
