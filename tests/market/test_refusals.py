from __future__ import annotations

import gzip
import zipfile
from typing import TYPE_CHECKING

import pytest

from market.models import Bar, Coverage, Instrument, Quarantine
from market.operations import FileReport, Stored, import_files
from market.sources.files import Limits
from tests.factories import make_instrument

from .files import CANDLES, candle, text, write, zipped
from .rows import after

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.django_db
KEY = "binance:BTCUSDT"
NOW = after(24 * 60)


def imported(path: Path, *, limits: Limits | None = None) -> FileReport:
    (report,) = import_files(keys=[KEY], paths=[path], now=NOW, limits=limits or Limits())
    return report


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
