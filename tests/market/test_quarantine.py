"""What is not believed is kept as it came, with the row by field where it can be read as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from market import series as s
from market.models import Quarantine
from market.operations import import_files
from market.operations.quarantine import Doubt, doubts_of, hold
from market.sources.base import Fault
from tests.factories import make_instrument

from .files import CANDLES, candle, text, write
from .rows import NAN, T0, after, make_bars

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db
FIRST = {"open_time": T0, "open": 10, "high": 12, "low": 9, "close": 11, "volume": 5}
UNKNOWN = {"quote_volume": None, "taker_buy_volume": None}


def kept() -> list[tuple[object, ...]]:
    return list(Quarantine.objects.order_by("pk").values_list("series", "timeframe", "line", "reason", "row"))


def test_rows_and_faults_are_kept_once() -> None:
    rows = make_bars(0, 1)
    rows["close"][0], rows["quote_volume"][1] = NAN, np.inf
    rejected = ((0, "close is not a number"), (1, "quote_volume is not a number"))
    doubts = doubts_of(rows=rows, rejected=rejected, faults=[Fault('{"c": "x\x00"}', "c is not a number")])
    instrument = make_instrument()
    for _ in range(2):
        hold(instrument=instrument, series="bars", origin="binance REST", timeframe=300, doubts=doubts)
    assert kept() == [
        ("bars", 300, 0, "close is not a number", FIRST | UNKNOWN | {"close": None}),
        ("bars", 300, 1, "quote_volume is not a number", None),
        ("bars", 300, 0, "c is not a number", None),
    ]
    assert Quarantine.objects.order_by("pk")[2].raw == '{"c": "x\\x00"}'


def test_what_was_decided_stays_when_a_row_comes_again() -> None:
    instrument = make_instrument()
    hold(instrument=instrument, series="bars", origin="a", doubts=[Doubt("raw", "why")])
    Quarantine.objects.update(state="discarded")
    hold(instrument=instrument, series="bars", origin="a", doubts=[Doubt("raw", "why")])
    assert list(Quarantine.objects.values_list("state", flat=True)) == ["discarded"]


def test_what_belongs_to_no_instrument_is_kept_once_too() -> None:
    for _ in range(2):
        hold(instrument=None, series="websocket", origin="binance", doubts=[Doubt("x", "why"), Doubt("x", "why")])
    hold(instrument=None, series="websocket", origin="okx", doubts=[Doubt("x", "why")])
    assert list(Quarantine.objects.order_by("pk").values_list("origin", flat=True)) == ["binance", "okx"]


@pytest.mark.parametrize(
    ("raw", "shown"), [("x" * 2000, "x" * 1000), ("\ud800", "\\ud800"), ("\x00" * 900, "\\x00" * 250)]
)
def test_any_text_can_be_kept(raw: str, shown: str) -> None:
    hold(instrument=make_instrument(), series="bars", origin="o" * 300, doubts=[Doubt(raw, "r" * 300)])
    found = Quarantine.objects.get()
    assert (found.raw, found.reason, found.origin) == (shown, "r" * 200, "o" * 255)


def test_lines_of_files_are_kept_with_their_values(tmp_path: Path) -> None:
    """Also where the staging table, not the reader, meets a time twice."""
    minutes = [candle(-step, step_ms=60_000) for step in range(40_000, 1, -1)]
    lines = [*minutes, candle(-2, "10,12,9,NaN,5", step_ms=60_000), candle(-30_000, "10,12,9,10.5,5", step_ms=60_000)]
    lines.append(candle(-1, "10,8,9,11,5", step_ms=60_000))
    import_files(
        keys=["binance:BTCUSDT"], paths=[write(tmp_path / "BTCUSDT-1m.csv", text(CANDLES, *lines))], now=after(0)
    )
    later = FIRST | UNKNOWN | {"open_time": T0 - 30_000 * 60_000, "close": 10.5}
    assert sorted(kept(), key=lambda row: str(row[2])) == [
        ("bars", 60, 40_001, "'NaN' is not a number", None),
        ("bars", 60, 40_002, "the same time came before with other values (line 10002)", later),
        ("bars", 60, 40_003, "high is below low", FIRST | UNKNOWN | {"open_time": T0 - 60_000, "high": 8}),
    ]


def test_a_row_by_field_reads_back_the_same() -> None:
    row = make_bars(0)[0]
    fields = s.by_field(row)
    assert fields == FIRST | UNKNOWN
    back = s.from_fields(fields, dtype=s.BAR)
    assert (back.dtype, repr(back[0].item())) == (s.BAR, repr(row.item()))


@pytest.mark.parametrize("change", [{"open_time": None}, {"extra": 1}])
def test_fields_of_another_shape_are_refused(change: s.Fields) -> None:
    fields = s.by_field(make_bars(0)[0])
    assert fields is not None
    with pytest.raises(ValueError, match="not those of the series"):
        s.from_fields(fields | change, dtype=s.BAR)
