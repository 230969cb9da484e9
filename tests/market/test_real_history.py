"""The real history, where it is at hand. Nothing of it may ever be copied into the repository."""

from __future__ import annotations

import datetime as dt

import pytest

from market.models import Quarantine, Revision
from market.operations import Stored, import_files
from market.queries import Stretch, coverage, get_instrument, load_window
from tests.history import HISTORY, needs_history

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "DOGEUSDT")
DECEMBER = dt.datetime(2025, 12, 1, tzinfo=dt.UTC)
END = dt.datetime(2026, 1, 26, tzinfo=dt.UTC)

pytestmark = [pytest.mark.django_db, needs_history]


def test_real_history_is_believed_whole_and_once() -> None:
    keys = [f"binance:{symbol}" for symbol in SYMBOLS]
    first, second = (import_files(keys=keys, paths=[HISTORY], now=END) for _ in range(2))
    assert len(first) == len(list(HISTORY.glob("*.csv.gz")))
    assert [(report.refused, report.faults) for report in (*first, *second)] == [("", ())] * 2 * len(first)
    assert [report.stored for report in second] == [Stored(0, report.stored.new, 0) for report in first]
    # Binance left a few samples of open interest out; candles have no hole.
    assert sum(report.stored.new for report in first) == 4 * (26_208 + 16_128 + 16_127 + 168) + 3 * 1_344 + 1_344
    assert (Quarantine.objects.count(), Revision.objects.count()) == (0, 0)


def test_real_history_has_no_hole_in_the_ledger() -> None:
    import_files(keys=["binance:BTCUSDT"], paths=[HISTORY], now=END)
    pk = get_instrument(key="binance:BTCUSDT").pk
    five, hour = dt.timedelta(minutes=5), dt.timedelta(hours=1)
    assert coverage(instrument_id=pk) == [
        Stretch("bars", 300, dt.datetime(2025, 9, 1, tzinfo=dt.UTC), END),
        Stretch("funding", 28_800, DECEMBER, END - 8 * hour),
        Stretch("liquidation_totals", 3_600, DECEMBER, END),
        Stretch("mark_bars", 3_600, DECEMBER, END),
        Stretch("open_interest", 300, DECEMBER + five, END - five),
    ]
    window = load_window(instrument_id=pk, since=DECEMBER, until=END)
    assert (len(window.bars), set(window.bar_ms.tolist()), len(window.open_interest)) == (16_128, {300_000}, 16_127)


@pytest.mark.parametrize(
    ("symbol", "tick", "lot"),
    [
        ("BTCUSDT", "0.1", "0.001"),
        ("ETHUSDT", "0.01", "0.001"),
        ("SOLUSDT", "0.01", "0.01"),
        ("DOGEUSDT", "0.00001", "1"),
    ],
)
def test_real_history_tells_the_venues_steps(symbol: str, tick: str, lot: str) -> None:
    import_files(keys=[f"binance:{symbol}"], paths=[HISTORY / f"{symbol}-candles-5m.csv.gz"], now=END)
    instrument = get_instrument(key=f"binance:{symbol}")
    assert (f"{instrument.tick_size.normalize():f}", f"{instrument.lot_size.normalize():f}") == (tick, lot)
