from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from market.models import Bar, Coverage, Instrument, Liquidation, Quarantine, Revision
from market.operations import FileReport, ImportRequestError, Sizes, Step, Stored, import_files
from market.queries import load_bars, load_liquidations, load_open_interest
from market.sources.files import Limits

from .files import CANDLES, KLINES, METRICS, SNAPSHOT, candle, kline, text, write, zipped
from .rows import T0, after

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from market.series import Records

pytestmark = pytest.mark.django_db
KEY = "binance:BTCUSDT"
NOW = after(24 * 60)
MINUTE = 60_000


def imported(*paths: Path, now: dt.datetime = NOW, limits: Limits | None = None) -> FileReport:
    (report,) = import_files(keys=[KEY], paths=paths, now=now, limits=limits or Limits())
    return report


def bars(timeframe: int = 300) -> Records:
    pk = Instrument.objects.get().pk
    return load_bars(instrument_id=pk, since=after(-60 * 24 * 40), until=NOW, timeframe=timeframe)


def reasons(report: FileReport) -> list[tuple[int, str]]:
    return [(fault.line, fault.reason) for _, fault in report.faults]


def test_import_stores_rows_and_makes_the_instrument(tmp_path: Path) -> None:
    path = write(tmp_path / "BTCUSDT-5m.csv", text(CANDLES, candle(0), candle(1, "10.5,12,9,11.25,5.125")))
    report = imported(path)
    row = Instrument.objects.get()
    assert (report.stored, report.faults, report.refused, report.series) == (Stored(2, 0, 0), (), "", ("bars 300 s",))
    assert (row.key, row.base, row.quote, row.tick_size, row.lot_size) == (
        KEY,
        "BTC",
        "USDT",
        Decimal("0.01"),
        Decimal("0.001"),
    )
    assert (row.contract_type, row.is_live, row.is_simulated) == ("linear", False, False)
    assert bars()["close"].tolist() == [11, 11.25]


def test_import_takes_given_sizes(tmp_path: Path) -> None:
    path = write(tmp_path / "BTCUSDT-5m.csv", text(CANDLES, candle(0)))
    import_files(keys=[KEY], paths=[path], now=NOW, sizes=Sizes(tick=Decimal("0.5"), lot=Decimal(1)))
    row = Instrument.objects.get()
    assert (row.tick_size, row.lot_size) == (Decimal("0.5"), Decimal(1))


def test_import_again_changes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "BTCUSDT-5m.csv.gz", text(CANDLES, *(candle(step) for step in range(50))))
    first, ledger = imported(path), list(Coverage.objects.values())
    second = imported(path)
    assert (first.stored, second.stored) == (Stored(50, 0, 0), Stored(0, 50, 0))
    assert (list(Coverage.objects.values()), Revision.objects.count()) == (ledger, 0)


# Each fault of a file, the line it stands in, and what is said of it; the good rows are the other ones.
FAULTS: list[tuple[str, str]] = [
    (candle(1, "10,12,9,11"), "5 fields instead of 6"),
    (candle(2, "10,12,9,NaN,5"), "'NaN' is not a number"),
    (candle(3, "10,12,9,11,-5"), "volume is negative"),
    (candle(4, "-10,12,-11,11,5"), "open is zero or negative"),
    (candle(5, "10,8,9,11,5"), "high is below low"),
    (f"{T0 + 6 * 300_000 + 14_000},10,12,9,11,5", "the time is not on the grid of its timeframe"),
    (candle(0, "10,12,9,10.5,5"), "the same time came before with other values"),
    (candle(288), "it ends in the future"),
    (candle(8, "10,12,0,11,5"), "low is zero or negative"),
]


def test_import_reports_every_planted_fault_with_its_line(tmp_path: Path) -> None:
    good = [candle(step) for step in (0, *range(10, 40))]
    lines = [good[0], *(line for line, _ in FAULTS), candle(0), *good[1:]]
    report = imported(write(tmp_path / "BTCUSDT-5m.csv", text(CANDLES, *lines)))
    expected = [(line, reason) for line, (_, reason) in enumerate(FAULTS, start=3)]
    assert reasons(report) == expected
    assert report.stored == Stored(31, 0, 0)
    assert ((bars()["open_time"] - T0) // 300_000).tolist() == [0, *range(10, 40)]
    kept = Quarantine.objects.order_by("line").values_list("origin", "series", "line", "reason", "raw")
    assert list(kept) == [
        ("BTCUSDT-5m.csv", "bars", line, reason, raw) for (line, reason), (raw, _) in zip(expected, FAULTS, strict=True)
    ]


def test_import_quarantines_a_line_once(tmp_path: Path) -> None:
    path = write(tmp_path / "BTCUSDT-5m.csv", text(CANDLES, candle(0), "x", candle(2)))
    imported(path)
    imported(path)
    assert Quarantine.objects.count() == 1


def test_import_finds_duplicates_far_apart(tmp_path: Path) -> None:
    """Beyond one block the staging table, not the reader, meets both."""
    minutes = [candle(-step, step_ms=MINUTE) for step in range(40_000, 1, -1)]
    lines = [*minutes, minutes[0], candle(-30_000, "10,12,9,10.5,5", step_ms=MINUTE)]
    report = imported(write(tmp_path / "BTCUSDT-1m.csv", text(CANDLES, *lines)))
    assert reasons(report) == [(40_002, "the same time came before with other values (line 10002)")]
    assert report.stored == Stored(39_999, 0, 0)
    assert Bar.objects.get(open_time=after(-30_000)).close == 11
    assert Quarantine.objects.get().raw == lines[-1]


def test_import_keeps_former_values_of_a_corrected_file(tmp_path: Path) -> None:
    imported(write(tmp_path / "BTCUSDT-5m.csv", text(CANDLES, candle(0), candle(1))))
    report = imported(write(tmp_path / "BTCUSDT-5m.csv", text(CANDLES, candle(0, "10,12,9,11.5,5"), candle(1))))
    assert (report.stored, Revision.objects.get().former["close"]) == (Stored(0, 1, 1), 11)
    assert bars()["close"].tolist() == [11.5, 11]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([candle(3), candle(4)], None),
        ([candle(0), candle(1), candle(2)], None),
        ([candle(-2), candle(3)], after(-10)),
        ([candle(0), candle(1, "10,12,9,11.5,5"), candle(2, "10,12,9,11.5,5")], after(5)),
    ],
    ids=["later", "equal", "earlier", "revised"],
)
def test_import_says_what_must_be_built_again(tmp_path: Path, lines: list[str], expected: dt.datetime | None) -> None:
    first = imported(write(tmp_path / "BTCUSDT-5m.csv", text(CANDLES, candle(0), candle(1), candle(2))))
    again = imported(write(tmp_path / "BTCUSDT-5m.csv", text(CANDLES, *lines)))
    assert (first.rebuild_from, again.rebuild_from) == (None, expected)


def test_refused_file_leaves_nothing_to_build_again(tmp_path: Path) -> None:
    imported(write(tmp_path / "BTCUSDT-5m.csv", text(CANDLES, candle(0), candle(1))))
    members = {"BTCUSDT-5m-a.csv": text(KLINES, kline(-1)), "BTCUSDT-5m-b.csv": text("a,b", "1,2")}
    path = tmp_path / "BTCUSDT-5m.zip"
    path.write_bytes(zipped(members))
    report = imported(path)
    assert (report.refused != "", report.rebuild_from) == (True, None)


def test_import_of_klines_enriches_plain_candles_whatever_comes_first(tmp_path: Path) -> None:
    rich = write(tmp_path / "BTCUSDT-5m-a.zip", text(KLINES, kline(0), kline(1)))
    poor = write(tmp_path / "BTCUSDT-5m-b.csv", text(CANDLES, candle(0, "10,12.5,9,11,5"), candle(1, "10,12.5,9,11,5")))
    assert [imported(path).stored for path in (poor, rich, poor, rich)] == [
        Stored(2, 0, 0),
        Stored(0, 0, 2),
        Stored(0, 2, 0),
        Stored(0, 2, 0),
    ]
    assert bars()["taker_buy_volume"].tolist() == [2, 2]


def test_import_numbers_equal_prints(tmp_path: Path) -> None:
    line = f"{T0 + 1},SELL,LIMIT,IOC,2,59000,60000,FILLED,2,2"
    path = write(tmp_path / "BTCUSDT-liquidationSnapshot-2026-01-15.zip", text(SNAPSHOT, line, line, line))
    assert [imported(path).stored for _ in range(2)] == [Stored(3, 0, 0), Stored(0, 3, 0)]
    assert list(Liquidation.objects.order_by("ordinal").values_list("ordinal", flat=True)) == [0, 1, 2]
    found = load_liquidations(instrument_id=Instrument.objects.get().pk, since=after(0), until=NOW)
    assert found["quantity"].sum() == 6


def test_import_reads_an_archive_of_several_tables(tmp_path: Path) -> None:
    members = {
        "data/BTCUSDT-5m-2026-01-15.csv": text(KLINES, kline(0), kline(1)),
        "data/BTCUSDT-metrics-2026-01-15.csv": text(METRICS, "2026-01-15 00:05:00,BTCUSDT,7,70,1,1,1,1", "bad"),
    }
    path = tmp_path / "BTCUSDT-2026-01-15.zip"
    path.write_bytes(zipped(members))
    report = imported(path)
    assert (report.stored, report.series) == (Stored(3, 0, 0), ("bars 300 s", "open_interest"))
    assert [(origin, fault.line) for origin, fault in report.faults] == [
        ("BTCUSDT-2026-01-15.zip/BTCUSDT-metrics-2026-01-15.csv", 3)
    ]
    pk = Instrument.objects.get().pk
    assert load_open_interest(instrument_id=pk, since=after(0), until=NOW)["open_interest"].tolist() == [7]


def test_import_shares_a_directory_out(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    content = text(CANDLES, candle(0))
    for name in ("BTCUSDT-5m.csv", "deep/ETHUSDT-5m.csv.gz", "SOLUSDT-5m.csv", "notes.txt", "BTCUSDT-5m.zip.CHECKSUM"):
        write(tmp_path / name, content)
    reports = import_files(keys=[KEY, "binance:ETHUSDT", KEY], paths=[tmp_path], now=NOW)
    assert [(report.key, report.path.name, report.stored.new) for report in reports] == [
        (KEY, "BTCUSDT-5m.csv", 1),
        ("binance:ETHUSDT", "ETHUSDT-5m.csv.gz", 1),
    ]


@pytest.mark.parametrize(
    ("key", "name", "message"),
    [
        ("BTCUSDT", "BTCUSDT-5m.csv", "write venue:symbol"),
        ("binance:BTC USDT", "BTCUSDT-5m.csv", "write venue:symbol"),
        ("binance:BTCUSD_PERP", "BTCUSDT-5m.csv", "base and quote can not be told"),
        (KEY, "missing.csv", "does not exist"),
        (KEY, ".", "No file for binance:BTCUSDT"),
    ],
)
def test_import_says_what_is_wrong_with_the_request(tmp_path: Path, key: str, name: str, message: str) -> None:
    write(tmp_path / "ETHUSDT-5m.csv", text(CANDLES, candle(0)))
    write(tmp_path / "other.csv", text(CANDLES, candle(0)))
    paths = [tmp_path / name if name != "BTCUSDT-5m.csv" else tmp_path / "other.csv"]
    with pytest.raises(ImportRequestError, match=message):
        import_files(keys=[key], paths=paths, now=NOW)
    assert Instrument.objects.count() == 0


def test_import_tells_how_far_it_is(tmp_path: Path) -> None:
    path = write(tmp_path / "BTCUSDT-5m.csv", text(CANDLES, candle(0), candle(1)))
    seen: list[Step] = []
    (report,) = import_files(keys=[KEY], paths=[path], now=NOW, progress=seen.append)
    assert seen == [Step(path, 1, 1, 2), Step(path, 1, 1, 2, report)]


def test_import_believes_a_bar_once_it_has_closed(tmp_path: Path) -> None:
    path = write(tmp_path / "BTCUSDT-5m.csv", text(CANDLES, candle(0), candle(1)))
    early = imported(path, now=after(9))
    late = imported(path, now=after(10))
    assert (reasons(early), early.stored, late.faults, late.stored) == (
        [(3, "it ends in the future")],
        Stored(1, 0, 0),
        (),
        Stored(1, 1, 0),
    )
