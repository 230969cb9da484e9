from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np
import pytest

from market import series as s
from market.sources.files import FileRefusedError, Piece, layouts, lines_of, parsing, read_file

from .files import CANDLES, FUNDING, KLINES, METRICS, SNAPSHOT, candle, kline, text, write
from .rows import T0, plain

if TYPE_CHECKING:
    from pathlib import Path

NOW_MS = T0 + s.DAY_MS
MINUTE = 60_000


def read(path: Path, *, symbol: str = "BTCUSDT", now_ms: int = NOW_MS) -> list[Piece]:
    return list(read_file(path, symbol=symbol, base=symbol.removesuffix("USDT"), now_ms=now_ms))


def faults(piece: Piece) -> list[tuple[int, str]]:
    return [(fault.line, fault.reason) for fault in piece.faults]


@pytest.mark.parametrize("name", ["BTCUSDT-candles-5m.csv", "BTCUSDT-candles-5m.csv.gz", "BTCUSDT-5m-2026-01-15.zip"])
def test_read_file_reads_plain_candles_however_packed(tmp_path: Path, name: str) -> None:
    (piece,) = read(write(tmp_path / name, text(CANDLES, candle(0), candle(1))))
    assert (piece.series, piece.timeframe, piece.lines.tolist(), piece.faults) == ("bars", 300, [2, 3], ())
    assert plain(piece.rows) == [(T0, 10, 12, 9, 11, 5, None, None), (T0 + 300_000, 10, 12, 9, 11, 5, None, None)]


@pytest.mark.parametrize("header", [(KLINES,), ()])
@pytest.mark.parametrize("unit", [1, 1000])
def test_read_file_reads_archive_klines(tmp_path: Path, header: tuple[str, ...], unit: int) -> None:
    content = text(*header, kline(0, unit=unit), kline(1, unit=unit))
    (piece,) = read(write(tmp_path / "BTCUSDT-5m-2026-01-15.zip", content))
    assert (piece.series, piece.timeframe, piece.faults) == ("bars", 300, ())
    assert plain(piece.rows) == [(T0 + step * 300_000, 10, 12.5, 9, 11, 5, 52.5, 2) for step in (0, 1)]


def test_read_file_tells_the_timeframe_of_a_single_kline(tmp_path: Path) -> None:
    content = text(KLINES, kline(0, step_ms=s.DAY_MS))
    (piece,) = read(write(tmp_path / "BTCUSDT-1d-2026-01-15.zip", content))
    assert (piece.timeframe, len(piece.rows)) == (86_400, 1)


def test_read_file_checks_a_klines_close_time(tmp_path: Path) -> None:
    wrong = kline(1).replace(str(T0 + 600_000 - 1), str(T0 + 660_000 - 1))
    (piece,) = read(write(tmp_path / "BTCUSDT-5m.csv", text(KLINES, kline(0), wrong, kline(2))))
    assert (piece.lines.tolist(), faults(piece)) == (
        [2, 4],
        [(3, "close_time does not fit open_time and the timeframe")],
    )


def test_read_file_takes_mark_klines_by_their_folder(tmp_path: Path) -> None:
    folder = tmp_path / "markPriceKlines"
    folder.mkdir()
    (piece,) = read(write(folder / "BTCUSDT-5m-2026-01.zip", text(KLINES, kline(0), kline(1))))
    assert (piece.series, np.isnan(piece.rows["volume"]).tolist()) == ("mark_bars", [True, True])


def test_read_file_refuses_index_klines(tmp_path: Path) -> None:
    folder = tmp_path / "indexPriceKlines"
    folder.mkdir()
    with pytest.raises(FileRefusedError, match="index"):
        read(write(folder / "BTCUSDT-5m-2026-01.zip", text(KLINES, kline(0))))


def test_read_file_reads_mark_candles(tmp_path: Path) -> None:
    lines = ("open_time_ms,open,high,low,close", f"{T0},1,2,1,2", f"{T0 + s.HOUR_MS},1,2,1,1.5")
    (piece,) = read(write(tmp_path / "BTCUSDT-mark-1h.csv", text(*lines)))
    assert (piece.series, piece.timeframe, piece.rows["close"].tolist(), piece.faults) == (
        "mark_bars",
        3600,
        [2, 1.5],
        (),
    )


def test_read_file_reads_open_interest_that_was_stamped_late(tmp_path: Path) -> None:
    header = "time_ms,open_interest,open_interest_usd,mark_px"
    lines = (f"{T0 + 2_000},2,100,50", f"{T0 + 300_000},3,,", f"{T0 + 606_000},4,,")
    (piece,) = read(write(tmp_path / "BTCUSDT-open-interest-5m.csv", text(header, *lines)))
    assert plain(piece.rows) == [(T0, 2, 100, 50), (T0 + 300_000, 3, None, None)]
    assert faults(piece) == [(4, "the time is not on the grid of its timeframe")]


def test_read_file_reads_archive_metrics(tmp_path: Path) -> None:
    lines = (
        '2026-01-15 00:05:00,BTCUSDT,90310.50,8100000000.25,1.1,"",,0.9',
        "2026-01-15 00:10:00,ETHUSDT,1,1,1,1,1,1",
        '"2026-01-15 00:15:00","BTCUSDT","90311.5","",1,1,1,1',
        "2026-01-15 00:20:00,BTCUSDT,,1,1,1,1,1",
        "2026-01-15T00:25:00,BTCUSDT,1,1,1,1,1,1",
        "2026-13-15 00:25:00,BTCUSDT,1,1,1,1,1,1",
    )
    (piece,) = read(write(tmp_path / "BTCUSDT-metrics-2026-01-15.zip", text(METRICS, *lines)))
    assert plain(piece.rows) == [
        (T0 + 5 * MINUTE, 90310.5, 8100000000.25, None),
        (T0 + 15 * MINUTE, 90311.5, None, None),
    ]
    assert faults(piece) == [
        (3, "the symbol is 'ETHUSDT', not 'BTCUSDT'"),
        (5, "'' is not a number"),
        (6, "'2026-01-15T00:25:00' is not a time like 2026-01-31 23:55:00"),
        (7, "'2026-13-15 00:25:00' is not a time like 2026-01-31 23:55:00"),
    ]


def test_read_file_rounds_the_jitter_of_funding_to_the_minute(tmp_path: Path) -> None:
    lines = (f"{T0 + 4},8,0.0001", f"{T0 + 8 * s.HOUR_MS - 3},8,-0.0001", f"{T0 + 16 * s.HOUR_MS + 1_001},8,0.0001")
    (piece,) = read(write(tmp_path / "BTCUSDT-fundingRate-2026-01.zip", text(FUNDING, *lines)))
    assert (piece.series, piece.timeframe) == ("funding", 0)
    assert plain(piece.rows) == [(T0, 0.0001, None), (T0 + 8 * s.HOUR_MS, -0.0001, None)]
    assert faults(piece) == [(4, "the time is not on the grid of its timeframe")]


def test_read_file_reads_the_position_side_from_the_order(tmp_path: Path) -> None:
    lines = (
        f"{T0 + 1},SELL,LIMIT,IOC,2.0,59000,60000.5,FILLED,0.5,1.5",
        f"{T0 + 2},BUY,LIMIT,IOC,2.0,61000,0,NEW,0,0",
        f"{T0 + 3},sell,LIMIT,IOC,2.0,61000,0,NEW,0,0",
    )
    (piece,) = read(write(tmp_path / "BTCUSDT-liquidationSnapshot-2026-01-15.zip", text(SNAPSHOT, *lines)))
    assert piece.rows[["time", "position_side", "price", "quantity"]].tolist() == [
        (T0 + 1, 1, 60000.5, 1.5),
        (T0 + 2, -1, 61000.0, 2.0),
    ]
    assert faults(piece) == [(4, "the side 'sell' is neither BUY nor SELL")]


def test_read_file_reads_liquidation_totals(tmp_path: Path) -> None:
    header = "open_time_ms,long_liquidations_usd,short_liquidations_usd,src"
    lines = (f"{T0},1.5,0,x", f"{T0 + s.HOUR_MS},0,2.5,x")
    (piece,) = read(write(tmp_path / "BTC-liquidations-1h.csv", text(header, *lines)))
    assert (piece.series, piece.timeframe) == ("liquidation_totals", 3600)
    assert plain(piece.rows) == [(T0, 1.5, 0), (T0 + s.HOUR_MS, 0, 2.5)]


def test_read_file_takes_a_byte_order_mark_and_windows_lines(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbf" + text(CANDLES, candle(0), candle(1, "10,12,9,99,5"), "").replace(b"\n", b"\r\n")
    (piece,) = read(write(tmp_path / "BTCUSDT-5m.csv", content))
    assert (piece.lines.tolist(), faults(piece)) == ([2], [(3, "close is outside of low to high")])
    assert piece.faults[0].raw == candle(1, "10,12,9,99,5")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ("10,12,9,11", "5 fields instead of 6"),
        ("10,12,9,11,5,6", "7 fields instead of 6"),
        ("10,12,9,nan,5", "'nan' is not a number"),
        ("10,12,9,NaN,5", "'NaN' is not a number"),
        ("10,inf,9,11,5", "'inf' is not a number"),
        ("10,12,9,,5", "'' is not a number"),
        ("10,12,9,1_1,5", "'1_1' is not a number"),
        ("10,12,9,1.1.1,5", "'1.1.1' is not a number"),
        ("10,12,9,11-,5", "'11-' is not a number"),
        ("10,12,9,1e,5", "'1e' is not a number"),
        ("10,12,9,0x11,5", "'0x11' is not a number"),
        ("10,12,9,\uff11\uff11,5", "'１１' is not a number"),  # noqa: RUF001 full-width digits are the point
        ("10,12,9,\u0661\u0661,5", "'\u0661\u0661' is not a number"),
        ("10,1e999,9,11,5", "'1e999' is beyond belief"),
        ("10,12,9," + "1" * 41 + ",5", "'" + "1" * 40 + "' is not a number"),
        ("10,12,9,-11,5", "close is zero or negative"),
        ("10,12,0,11,5", "low is zero or negative"),
        ("10,8,9,11,5", "high is below low"),
        ("10,12,9,11,-5", "volume is negative"),
    ],
)
def test_read_file_reports_a_bad_line_and_keeps_the_rest(tmp_path: Path, values: str, reason: str) -> None:
    content = text(CANDLES, candle(0), candle(1, values), candle(2))
    (piece,) = read(write(tmp_path / "BTCUSDT-5m.csv", content))
    assert (piece.lines.tolist(), faults(piece)) == ([2, 4], [(3, reason)])
    assert piece.faults[0].raw == candle(1, values)


@pytest.mark.parametrize("time", [f"{T0}.5", f"{T0 + 300_001}", "1768435", f"{NOW_MS}", "9" * 17])
def test_read_file_reports_a_bad_time(tmp_path: Path, time: str) -> None:
    content = text(CANDLES, candle(0), f"{time},10,12,9,11,5", *(candle(step) for step in range(2, 6)))
    (piece,) = read(write(tmp_path / "BTCUSDT-5m.csv", content))
    assert (piece.lines.tolist(), [fault.line for fault in piece.faults]) == ([2, 4, 5, 6, 7], [3])


def test_read_file_reports_every_line_of_a_file_without_a_good_one(tmp_path: Path) -> None:
    (piece,) = read(write(tmp_path / "BTCUSDT-5m.csv", text(CANDLES, "x", "y")))
    assert (len(piece.rows), faults(piece)) == (0, [(2, "1 fields instead of 6"), (3, "1 fields instead of 6")])


def test_read_file_reads_large_files_in_pieces_with_right_line_numbers(tmp_path: Path) -> None:
    lines = [candle(-step, step_ms=MINUTE) for step in range(40_000, 1, -1)]
    lines[30_000] += "0,0"
    pieces = read(write(tmp_path / "BTCUSDT-1m.csv.gz", text(CANDLES, *lines)))
    assert len(pieces) == 2
    numbers = np.concatenate([piece.lines for piece in pieces])
    expected = np.delete(np.arange(2, 40_001), 30_000)
    assert (numbers == expected).all()
    assert [fault.line for piece in pieces for fault in piece.faults] == [30_002]
    assert lines_of(tmp_path / "BTCUSDT-1m.csv.gz", {(0, 30_002), (0, 2)}) == {
        (0, 30_002): lines[30_000],
        (0, 2): lines[0],
    }


def test_both_readers_of_a_block_agree() -> None:
    generator = random.Random(7)
    layout = next(layout for layout in layouts.LAYOUTS if layout.label == "candles")
    numbers = [
        "1",
        "-2.5",
        "+3",
        ".5",
        "7.",
        "1e3",
        "2E-2",
        "123456789.123456789",
        "0.1",
        "1e400",
        "1_0",
        "",
        "x",
        "1-2",
    ]
    for _ in range(300):
        rows = [[str(T0 + step), *generator.choices(numbers[:9], k=5)] for step in range(3)]
        if generator.random() < 0.5:
            generator.choice(rows)[generator.randrange(6)] = generator.choice(numbers)
        block = text(*(",".join(row) for row in rows))
        slow = parsing.line_by_line(block, layout, 6, 2, "BTCUSDT")
        fast = parsing.parse(block, layout, 6, 2, "BTCUSDT")
        assert (fast.values.tolist(), fast.lines.tolist(), fast.faults) == (
            slow.values.tolist(),
            slow.lines.tolist(),
            slow.faults,
        )


@pytest.mark.parametrize(
    ("name", "lines", "message"),
    [
        ("BTCUSDT-5m.csv", (), "is empty"),
        ("BTCUSDT-5m.csv", ("time;open", "1;2"), "the columns of BTCUSDT-5m.csv are not known: time;open"),
        ("BTCUSDT-candles.csv", (CANDLES, candle(0)), "the timeframe can not be told"),
        ("BTCUSDT-candles.csv", (CANDLES, candle(0), candle(7)), "the timeframe can not be told"),
        ("BTCUSDT-15m.csv", (CANDLES, candle(0), candle(1)), "named for bars of 900 s, but they lie 300 s apart"),
        ("BTCUSDT-5m.csv", (CANDLES, "x" * 5000), "a line is longer"),
        ("BTCUSDT-5m.csv", (CANDLES, "\x00"), "not a text file"),
    ],
)
def test_read_file_refuses_what_it_can_not_understand(
    tmp_path: Path, name: str, lines: tuple[str, ...], message: str
) -> None:
    with pytest.raises(FileRefusedError, match=message):
        read(write(tmp_path / name, text(*lines) if lines else b""))


def test_read_file_lists_what_it_understands(tmp_path: Path) -> None:
    with pytest.raises(FileRefusedError) as refused:
        read(write(tmp_path / "BTCUSDT-5m.csv", text("a,b", "1,2")))
    assert f"  candles: {CANDLES}\n" in str(refused.value)
    assert "  archive metrics: create_time,symbol,sum_open_interest,sum_open_interest_value,…\n" in str(refused.value)


def test_read_file_trusts_the_name_where_bars_are_missing(tmp_path: Path) -> None:
    (piece,) = read(write(tmp_path / "BTCUSDT-5m.csv", text(CANDLES, candle(0), candle(3), candle(6))))
    assert (piece.timeframe, len(piece.rows)) == (300, 3)
