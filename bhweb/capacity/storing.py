"""``manage.py bench storage``: how many bytes a day of an instrument takes, with indexes, on made-up rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import psycopg

from .stage import opened

if TYPE_CHECKING:
    from collections.abc import Mapping

INSTRUMENTS: Final = 20
DAYS: Final = 30
_MINUTE, _STEP = 1, 5
_INTERVAL: Final = 8 * 60
_DAY: Final = 24 * 60


@dataclass(frozen=True, slots=True)
class Rows:
    """What is kept of each instrument: into which columns of which table, every so many minutes."""

    table: str
    columns: str
    values: str
    minutes: int


_BAR: Final = "price_kind, timeframe, open_time, open, high, low, close"
_BANDS: Final = (10, 25, 50, 100, 200, 500)
_SIDES: Final = ", ".join(f"{side}_{band}" for side in ("bid", "ask") for band in _BANDS)
_LEDGER: Final = "series, timeframe, start_at, end_at"
# In the order in which they are measured; bars and mark bars share a table, so each counts by what it adds.
_KEPT: Final[Mapping[str, Rows]] = {
    "bars": Rows(
        "market_bar",
        f"{_BAR}, volume, quote_volume, taker_buy_volume",
        "0, 60, at, 1 + random(), 3 + random(), random(), 1 + random(), 1 + random(), 1 + random(), random()",
        _MINUTE,
    ),
    "mark_bars": Rows("market_bar", _BAR, "1, 60, at, 1 + random(), 3 + random(), random(), 1 + random()", _MINUTE),
    "open_interest": Rows(
        "market_openinterest",
        "time, open_interest, open_interest_value, mark_price",
        "at, random(), random(), random()",
        _STEP,
    ),
    "funding": Rows("market_fundingrate", "time, rate, interval_s", "at, random() / 100, 28800", _INTERVAL),
    "depth": Rows("market_depth", f"time, mid, {_SIDES}", f"at, 1 + random(){', random()' * 2 * len(_BANDS)}", _MINUTE),
    "account_ratio": Rows("market_accountratio", "time, ratio", "at, 0.5 + random()", _STEP),
    # A day with one gap in each of six series: one stretch and one hole more for each.
    "ledger_stretches": Rows("market_coverage", _LEDGER, "'bars', 60, at, at + interval '3 hours'", _DAY // 6),
    "ledger_holes": Rows(
        "market_hole",
        f"{_LEDGER}, state, reason, tries",
        "'bars', 60, at, at + interval '1 hour', 'absent', 'asked 3 times, the venue has nothing there', 3",
        _DAY // 6,
    ),
}
_INSTRUMENTS: Final = """INSERT INTO market_instrument (venue, symbol, base, quote, contract_type, contract_size,
        tick_size, lot_size, underlying, multiple, liquidation_sampling, is_simulated, is_live)
    SELECT 'bench', 'S' || n, 'S' || n, 'USDT', 'linear', 1, 1, 1, '', 1, '', false, false
    FROM generate_series(1, %s) n"""
_MONTH: Final = """CREATE TABLE market_bar_bench PARTITION OF market_bar
    FOR VALUES FROM ('2001-01-01 00:00+00') TO ('2001-02-01 00:00+00')"""
# As it comes in live: all instruments of one moment, then those of the next.
_FILL: Final = """INSERT INTO {table} (instrument_id, {columns}) SELECT id, {values}
    FROM generate_series(timestamptz '2001-01-01 00:00+00', timestamptz '2001-01-01 00:00+00'
        + make_interval(mins => %(most)s - 1), make_interval(mins => %(minutes)s)) at, market_instrument
    WHERE venue = 'bench' ORDER BY at, id"""

_SIZE: Final = """SELECT coalesce(sum(pg_total_relation_size(relid)), pg_total_relation_size(%s::regclass))
    FROM pg_partition_tree(%s::regclass)"""


def run(*, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return bytes per instrument and day by series, and their total. Raises StartError."""
    del options
    with opened() as stage, psycopg.connect(stage.database_url, autocommit=True) as connection:
        connection.execute(_INSTRUMENTS, [INSTRUMENTS])
        connection.execute(_MONTH)
        found = {name: _measure(connection, rows) for name, rows in _KEPT.items()}
    figures = {f"{name}_bytes": round(size / (INSTRUMENTS * DAYS)) for name, size in found.items()}
    return {"instruments": INSTRUMENTS, "days": DAYS, **figures, "total_bytes": sum(figures.values())}


def _measure(connection: psycopg.Connection[Any], rows: Rows) -> int:
    """Fill a table and return by how much it has grown [bytes]."""
    before = _size(connection, rows.table)
    # The table and its columns are those above.
    fill = _FILL.format(table=rows.table, columns=rows.columns, values=rows.values)
    connection.execute(fill.encode(), {"most": DAYS * _DAY, "minutes": rows.minutes})
    connection.execute(f"VACUUM (ANALYZE) {rows.table}".encode())
    return _size(connection, rows.table) - before


def _size(connection: psycopg.Connection[Any], table: str) -> int:
    found = connection.execute(_SIZE, [table, table]).fetchone()
    return int(found[0]) if found else 0
