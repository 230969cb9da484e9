"""How fast bars are imported, measured end to end and against a plain COPY of the same rows in the same run."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from django.db import connection, transaction

from market import series as s
from market.models import Coverage, Instrument, Quarantine
from market.operations import import_files
from market.queries.wire import encode

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

_KEY: Final = "bench:SCRATCHUSDT"
_SEED: Final = 20_260_115


def run(*, options: Mapping[str, Any]) -> dict[str, Any]:
    """Import ``options["rows"]`` made-up bars twice into an instrument that is removed again.

    Returns rows/s of the first import (new), of the second (unchanged), of a plain COPY, and the two ratios to it.
    ``options["now"]`` is the moment before which the bars lie. Raises RuntimeError when a row went missing.
    """
    bars = made_up_bars(rows=options["rows"], now=options["now"])
    _forget()
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "SCRATCHUSDT-1m.csv"
            path.write_bytes(as_csv(bars))
            copy_before = _copy_rate(bars)
            rates = [_import_rate(path, options["now"], expected) for expected in (len(bars), 0)]
            copy_rate = (copy_before + _copy_rate(bars)) / 2
    finally:
        _forget()
    return {
        "rows": len(bars),
        "new_rows_per_s": round(rates[0]),
        "unchanged_rows_per_s": round(rates[1]),
        "copy_rows_per_s": round(copy_rate),
        "new_to_copy": round(rates[0] / copy_rate, 4),
        "unchanged_to_copy": round(rates[1] / copy_rate, 4),
    }


def made_up_bars(*, rows: int, now: dt.datetime) -> s.Records:
    """Make BAR[rows] of one minute that end a day before ``now``: a seeded random walk."""
    generator = np.random.default_rng(_SEED)
    last = int(now.timestamp()) // 86_400 * s.DAY_MS - s.DAY_MS
    close = np.round(60_000 * np.exp(np.cumsum(generator.normal(0, 2e-4, rows))), 1)
    bars = np.empty(rows, dtype=s.BAR)
    bars["quote_volume"] = bars["taker_buy_volume"] = np.nan
    bars["open_time"] = last + (np.arange(rows) - rows) * s.MINUTE_MS
    bars["close"] = close
    bars["open"] = np.concatenate((close[:1], close[:-1]))
    bars["high"] = np.round(np.maximum(bars["open"], close) + generator.exponential(10, rows), 1)
    bars["low"] = np.round(np.minimum(bars["open"], close) - generator.exponential(10, rows), 1)
    bars["volume"] = np.round(generator.exponential(50, rows), 3)
    return bars


def as_csv(bars: s.Records) -> bytes:
    """Write bars as a plain candle file."""
    names = ("open_time", "open", "high", "low", "close", "volume")
    lines = (",".join(map(str, row)) for row in zip(*(bars[name].tolist() for name in names), strict=True))
    return ("open_time_ms,open,high,low,close,volume\n" + "\n".join(lines) + "\n").encode()


def _import_rate(path: Path, now: dt.datetime, new: int) -> float:
    started = time.perf_counter()
    (report,) = import_files(keys=[_KEY], paths=[path], now=now)
    seconds = time.perf_counter() - started
    if report.refused or report.stored.new != new or report.faults:
        raise RuntimeError(f"the import went wrong: {report}")
    return sum(report.stored) / seconds


def _copy_rate(bars: s.Records) -> float:
    fields = s.BAR.names or ()
    stream = encode(bars, fields)
    columns = ", ".join(f"{name} {'timestamptz' if name == 'open_time' else 'float8'}" for name in fields)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE bench_copy ({columns})")
        started = time.perf_counter()
        with cursor.copy("COPY bench_copy FROM STDIN (FORMAT binary)") as copy:
            copy.write(stream)
        rate = len(bars) / (time.perf_counter() - started)
        cursor.execute("DROP TABLE bench_copy")
        return rate


def _forget() -> None:
    """Remove the scratch instrument and everything of it."""
    venue, _, symbol = _KEY.partition(":")
    with transaction.atomic():
        for pk in Instrument.objects.filter(venue=venue, symbol=symbol).values_list("pk", flat=True):
            with connection.cursor() as cursor:
                cursor.execute("DELETE FROM market_bar WHERE instrument_id = %s", [pk])
            Coverage.objects.filter(instrument_id=pk).delete()
            Quarantine.objects.filter(instrument_id=pk).delete()
            Instrument.objects.filter(pk=pk).delete()
