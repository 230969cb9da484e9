from __future__ import annotations

import gzip
import zipfile
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from market.models import Bar, Coverage, Instrument, Liquidation, Quarantine, Revision
from market.operations import FileReport, ImportRequestError, Sizes, Step, Stored, import_files
from market.queries import load_bars, load_liquidations, load_open_interest
from market.sources.files import Limits
from tests.factories import make_instrument

from .files import CANDLES, KLINES, METRICS, SNAPSHOT, candle, kline, text, write, zipped
from .rows import T0, after

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable
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


def truncated_gzip(path: Path) -> None:
    lines = text(CANDLES, *(candle(step) for step in range(280)))
    path.write_bytes(gzip.compress(lines, mtime=0)[:-200])


def damaged_gzip(path: Path) -> None:
    packed = bytearray(gzip.compress(text(CANDLES, *(candle(step) for step in range(280))), mtime=0))
    packed[-6] ^= 0xFF
    path.write_bytes(packed)


def truncated_zip(path: Path) -> None:
    path.write_bytes(zipped({"BTCUSDT-5m.csv": text(CANDLES, candle(0))})[:-30])


def damaged_zip(path: Path) -> None:
    # Stored, not packed, so that the damage is found by the checksum alone, after all rows were read.
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("BTCUSDT-5m.csv", text(CANDLES, candle(0), candle(1)))
    path.write_bytes(path.read_bytes().replace(b"10,12,9,11,5", b"10,13,9,11,5", 1))


def encrypted_zip(path: Path) -> None:
    path.write_bytes(zipped({"BTCUSDT-5m.csv": text(CANDLES, candle(0))}))
    packed = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        packed[packed.index(signature) + offset] |= 1
    path.write_bytes(packed)


def gzip_bomb(path: Path) -> None:
    path.write_bytes(gzip.compress(text(CANDLES) + text(candle(0)) * 800_000, mtime=0))


def zip_bomb(path: Path) -> None:
    path.write_bytes(zipped({"BTCUSDT-5m.csv": text(CANDLES) + text(candle(0)) * 800_000}))


def lying_zip(path: Path) -> None:
    """A bomb whose directory claims to be small."""
    zip_bomb(path)
    packed = bytearray(path.read_bytes())
    place = packed.index(b"PK\x01\x02") + 24
    packed[place : place + 4] = (100).to_bytes(4, "little")
    path.write_bytes(packed)


def empty_zip(path: Path) -> None:
    path.write_bytes(zipped({}))


def foreign_member(path: Path) -> None:
    path.write_bytes(zipped({"BTCUSDT-5m.csv": text(CANDLES, candle(0)), "ETHUSDT-5m.csv": text(CANDLES, candle(0))}))


def unknown_member(path: Path) -> None:
    path.write_bytes(zipped({"BTCUSDT-5m.csv": text(CANDLES, candle(0)), "readme.txt": b"hello\n"}))


@pytest.mark.parametrize(
    ("make", "name", "message"),
    [
        (truncated_gzip, "BTCUSDT-5m.csv.gz", "the archive is truncated"),
        (damaged_gzip, "BTCUSDT-5m.csv.gz", "the archive is truncated or damaged"),
        (truncated_zip, "BTCUSDT-5m.zip", "the archive is truncated or damaged"),
        (damaged_zip, "BTCUSDT-5m.zip", "the archive is truncated or damaged"),
        (encrypted_zip, "BTCUSDT-5m.zip", "can not be opened"),
        (gzip_bomb, "BTCUSDT-5m.csv.gz", "unpacks to more than 100 times its size"),
        (zip_bomb, "BTCUSDT-5m.zip", "unpacks to more than 100 times its size"),
        (lying_zip, "BTCUSDT-5m.zip", "the archive is truncated or damaged"),
        (empty_zip, "BTCUSDT-5m.zip", "holds no file"),
        (foreign_member, "BTCUSDT-5m.zip", "holds ETHUSDT-5m.csv, which is named for another symbol"),
        (unknown_member, "BTCUSDT-5m.zip", "the columns of readme.txt are not known"),
    ],
)
def test_import_refuses_an_archive_whole(tmp_path: Path, make: Callable[[Path], None], name: str, message: str) -> None:
    make(tmp_path / name)
    report = imported(tmp_path / name)
    assert message in report.refused
    assert (report.stored, report.faults) == (Stored(0, 0, 0), ())
    assert (Bar.objects.count(), Coverage.objects.count()) == (0, 0)
    kept = Quarantine.objects.get()
    assert (kept.series, kept.origin, kept.line, kept.reason) == ("file", name, 0, report.refused[:200])


def test_import_refuses_a_file_beyond_the_size_limit(tmp_path: Path) -> None:
    content = text(CANDLES, *(candle(step) for step in range(20)))
    path = write(tmp_path / "BTCUSDT-5m.csv", content)
    assert imported(path, limits=Limits(unpacked=len(content))).stored == Stored(20, 0, 0)
    assert "unpacks to more than" in imported(path, limits=Limits(unpacked=len(content) - 1)).refused


def test_import_refuses_a_file_of_too_many_faults(tmp_path: Path) -> None:
    path = write(tmp_path / "BTCUSDT-5m.csv", text(CANDLES, candle(0), "x", "y", "z"))
    assert len(imported(path, limits=Limits(faults=3)).faults) == 3
    Quarantine.objects.all().delete()
    report = imported(path, limits=Limits(faults=2))
    assert "more than 2 lines are not believed (line 3: 1 fields instead of 6)" in report.refused
    assert Quarantine.objects.get().line == 0


def test_import_refuses_a_file_named_for_another_symbol(tmp_path: Path) -> None:
    report = imported(write(tmp_path / "ETHUSDT-5m.csv", text(CANDLES, candle(0))))
    assert "is named for another symbol than BTCUSDT" in report.refused
    assert Bar.objects.count() == 0


def test_import_makes_no_instrument_of_refused_files_alone(tmp_path: Path) -> None:
    truncated_gzip(tmp_path / "BTCUSDT-5m.csv.gz")
    imported(tmp_path / "BTCUSDT-5m.csv.gz")
    assert (Instrument.objects.count(), Quarantine.objects.get().instrument) == (0, None)


def test_import_keeps_an_instrument_that_was_there_before(tmp_path: Path) -> None:
    pk = make_instrument().pk
    truncated_gzip(tmp_path / "BTCUSDT-5m.csv.gz")
    imported(tmp_path / "BTCUSDT-5m.csv.gz")
    assert Quarantine.objects.get().instrument_id == pk


def test_import_goes_on_after_a_refused_file(tmp_path: Path) -> None:
    truncated_gzip(tmp_path / "BTCUSDT-a-5m.csv.gz")
    write(tmp_path / "BTCUSDT-b-5m.csv", text(CANDLES, candle(0)))
    reports = import_files(keys=[KEY], paths=[tmp_path], now=NOW)
    assert [(bool(report.refused), report.stored.new) for report in reports] == [(True, 0), (False, 1)]


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
